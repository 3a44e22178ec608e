"""2. One webhook in: at most one event, one reply, one notification per endpoint, however often, however
concurrently it is delivered, also after a crash.
"""

from collections.abc import Callable
from contextlib import ExitStack, closing
from threading import Barrier, Thread

import pytest
from sqlalchemy import select
from support.crash import Findings
from support.live import Live
from support.load import Got, Line, Message

from gateway.consent.address import Channel
from gateway.store.tables import events, outbox

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAIR = b"List-Unsubscribe=One-Click"


def test_no_crash_doubles_an_event_or_a_reply(crash_findings: Findings):
    assert crash_findings.doubled == []
    assert crash_findings.invented == []
    assert crash_findings.answered_twice == []
    assert crash_findings.faults == []


def test_most_messages_of_the_crash_run_were_answered_so_that_a_second_reply_would_show(
    crash_findings: Findings,
):
    assert crash_findings.replies > crash_findings.taken / 2
    assert crash_findings.tried_again > sum(crash_findings.kills.values())


def at_once(live: Live, number: int, post: Callable[[Line], Got]) -> list[Got]:
    """Let so many clients post at the same moment, each over a connection of its own."""
    answers: list[Got] = []
    start = Barrier(number)

    def run(line: Line) -> None:
        line.get("/healthz")
        start.wait()
        answers.append(post(line))

    with ExitStack() as stack:
        lines = [stack.enter_context(closing(live.line())) for _ in range(number)]
        threads = [Thread(target=run, args=(line,)) for line in lines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return answers


def test_fifty_parallel_posts_of_one_link_make_one_event(live: Live):
    path = live.link("eve-once@example.org")
    answers = at_once(live, 50, lambda line: line.post(path, PAIR, FORM))
    assert answers == [(200, b"Unsubscribed.\n")] * 50
    subject = live.subject("eve-once@example.org", Channel.EMAIL)
    with live.engine.connect() as connection:
        found = connection.execute(select(events.c.choice).where(events.c.subject == subject)).all()
    assert found == [("n",)]


@pytest.mark.parametrize("text", ["STOP", "START", "HELP"])
def test_a_message_delivered_by_forty_at_once_makes_one_event_and_one_reply(live: Live, text: str):
    number = {"STOP": "+15552000001", "START": "+15552000002", "HELP": "+15552000003"}[text]
    message = Message.of(live.server.url, text, number)
    answers = at_once(live, 40, lambda line: line.post(message.path, message.body, message.headers))
    assert {status for status, _ in answers} == {200}
    assert sum(body.count(b"<Message") for _, body in answers) == 1
    assert recorded(live, message) == 1


def test_a_repeat_of_a_message_is_silent_however_late_and_from_whichever_process(live: Live):
    message = Message.of(live.server.url, "STOP", "+15552000009")
    answers = []
    for _ in range(20):
        with closing(live.line()) as line:
            answers.append(line.post(message.path, message.body, message.headers))
    assert [body.count(b"<Message") for _, body in answers] == [1] + [0] * 19
    assert recorded(live, message) == 1


def recorded(live: Live, message: Message) -> int:
    with live.engine.connect() as connection:
        query = select(events.c.seq).where(events.c.message_id == message.sid)
        return len(connection.execute(query).all())


def test_a_reply_by_api_is_put_into_the_outbox_once(live: Live):
    message = Message.of(live.server.url, "STOP", "+15552000010", account="later")
    answers = at_once(live, 40, lambda line: line.post(message.path, message.body, message.headers))
    assert {status for status, _ in answers} == {200}
    assert sum(body.count(b"<Message") for _, body in answers) == 0
    with live.engine.connect() as connection:
        waiting = select(outbox.c.kind).where(outbox.c.subject == live.subject("+15552000010"))
        assert connection.execute(waiting).all() == [("reply",)]
