"""What is not clear is asked about once; without an answer messages end (47 CFR 64.1200(a)(12), R25)."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from support.twilio_requests import inbound
from support.web_story import BASE, choices, post, rows

from gateway.errors import OurTroubleError
from gateway.flows.silence import Silences
from gateway.store.engine import writing
from gateway.store.group import Ticket
from gateway.store.ledger import now_microseconds
from gateway.store.outbox import Outbox
from gateway.store.questions import Question
from gateway.worker import silence
from gateway.worker.silence import SilenceWatch

HOUR = 3_600_000_000
DAY = 24 * HOUR
UNCLEAR = "no thanks"

Wait = Callable[[int], int]


@pytest.fixture
def wait(app: Flask) -> Wait:
    """Let hours pass for the worker; return how many silences it recorded."""
    house = app.extensions["gateway"]

    def passed(hours: int) -> int:
        watch = SilenceWatch(
            house.engine,
            Silences(house.book, house.recorder),
            wait=24 * HOUR,
            clock=lambda: now_microseconds() + hours * HOUR,
        )
        return watch.turn()

    return passed


def test_an_unclear_answer_to_advertising_is_asked_about_and_changes_nothing_yet(app: Flask) -> None:
    (question,) = post(app, inbound(BASE, UNCLEAR))
    assert "STOP" in question
    assert "START" in question
    (event,) = rows(app)
    assert (event.choice, event.reply) == (None, "clarify")
    assert choices(app) == {}


def test_it_is_asked_once_in_a_conversation(app: Flask) -> None:
    assert len(post(app, inbound(BASE, UNCLEAR))) == 1
    assert post(app, inbound(BASE, "not for me")) == []


def test_silence_ends_messages_after_the_time_and_not_before(app: Flask, wait: Wait) -> None:
    post(app, inbound(BASE, UNCLEAR))
    assert wait(23) == 0
    assert wait(25) == 1
    silence = rows(app)[-1]
    assert (silence.klass, silence.choice, silence.source, silence.rule) == (
        "opt_out",
        "n",
        "silence",
        "no_answer@1",
    )
    assert set(choices(app).values()) == {"n"}
    assert wait(26) == 0


@pytest.mark.parametrize(("answer", "choice"), [("START", "y"), ("STOP", "n")])
def test_an_answer_decides_instead(app: Flask, wait: Wait, answer: str, choice: str) -> None:
    post(app, inbound(BASE, UNCLEAR))
    post(app, inbound(BASE, answer))
    assert wait(25) == 0
    assert set(choices(app).values()) == {choice}


def test_an_answer_after_the_silence_still_wins(app: Flask, wait: Wait) -> None:
    post(app, inbound(BASE, UNCLEAR))
    assert wait(25) == 1
    post(app, inbound(BASE, "START"))
    assert set(choices(app).values()) == {"y"}


def test_a_program_may_ignore_what_is_unclear(make_app, database_url: str) -> None:
    quiet = "+15555550166"
    app = make_app(
        database_url,
        extra=f"""[programs.quiet]
name = "Quiet"
purpose = "marketing"
default_choice = "y"
senders = ["{quiet}"]
contact = "help@example.com"
unclear = "ignore"
""",
    )
    assert post(app, inbound(BASE, UNCLEAR, To=quiet)) == []
    assert [row.reply for row in rows(app)] == [None]


def test_a_word_to_another_sender_is_no_answer(app: Flask, wait: Wait) -> None:
    post(app, inbound(BASE, UNCLEAR))
    post(app, inbound(BASE, "STOP", To="+15555550177"))  # another program's sender
    assert wait(25) == 1


# -- only who was asked can be silent --------------------------------------------------------------------


def ask_by_api(app: Flask, state: str, result: str | None = None) -> None:
    """Ask by the provider's API, and let this become of the question."""
    assert post(app, inbound(BASE, UNCLEAR, account="later")) == []
    assert [row.reply for row in rows(app)] == ["clarify"]
    with writing(app.extensions["gateway"].engine) as connection:
        changed = connection.execute(
            text("UPDATE outbox SET state = :state, result = :result"), {"state": state, "result": result}
        )
    assert changed.rowcount == 1


@pytest.mark.parametrize(
    ("state", "result"),
    [
        *(("dropped", "expired"), ("dropped", "no_account"), ("dropped", "by_hand"), ("dead", "21211")),
        *(("due", None), ("due", "20429"), ("sending", None)),
    ],
)
def test_who_was_never_asked_is_not_taken_out_by_silence(
    app: Flask, wait: Wait, state: str, result: str | None
) -> None:
    ask_by_api(app, state, result)
    assert wait(25) == 0
    assert choices(app) == {}


@pytest.mark.parametrize(
    ("state", "result"), [("done", "SM1"), ("dead", "unknown"), ("dead", "unknown 20500")]
)
def test_silence_counts_after_a_question_that_left_or_may_have(
    app: Flask, wait: Wait, state: str, result: str
) -> None:
    ask_by_api(app, state, result)
    assert wait(25) == 1
    assert set(choices(app).values()) == {"n"}


def test_a_question_that_never_left_is_not_forgotten_while_its_silence_is_looked_for(
    app: Flask, wait: Wait
) -> None:
    ask_by_api(app, "dropped", "expired")
    outbox = Outbox(app.extensions["gateway"].engine)
    assert outbox.prune(now_microseconds() + 39 * DAY) == 0
    assert wait(25) == 0
    assert outbox.prune(now_microseconds() + 41 * DAY) == 1


def test_a_question_that_left_is_deleted_in_time(app: Flask, wait: Wait) -> None:
    ask_by_api(app, "done", "SM1")
    assert Outbox(app.extensions["gateway"].engine).prune(now_microseconds() + HOUR) == 1
    assert wait(25) == 1


# -- what cannot be recorded -----------------------------------------------------------------------------


class Failing:
    """Silences of which those of some people cannot be recorded."""

    def __init__(self, real: Silences, broken: set[str]) -> None:
        self.real = real
        self.broken = broken
        self.tried: list[str] = []

    def stage(self, question: Question, now: int) -> Ticket:
        self.tried.append(question.address.value)
        if question.address.value not in self.broken:
            return self.real.stage(question, now)
        ticket = Ticket(None, None)
        ticket.settle(None, OurTroubleError("it is refused"))
        return ticket


def test_silences_that_cannot_be_recorded_hold_up_no_later_ones(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "_A_TURN", 2)
    people = [f"+1555010000{number}" for number in range(5)]
    for number in people:
        post(app, inbound(BASE, UNCLEAR, number=number))
    house = app.extensions["gateway"]
    silences = Failing(Silences(house.book, house.recorder), set(people[:3]))
    now = [now_microseconds() + 25 * HOUR]
    watch = SilenceWatch(house.engine, silences, wait=24 * HOUR, clock=lambda: now[0])

    for _ in range(2):  # a full page that fails, and one of which a part fails
        with pytest.raises(OurTroubleError):
            watch.turn()
    assert watch.turn() == 1
    assert silences.tried == people
    assert {row.source for row in rows(app) if row.choice == "n"} == {"silence"}
    assert sum(row.choice == "n" for row in rows(app)) == 2

    assert watch.turn() == 0  # no sooner than in a minute
    assert silences.tried == people
    now[0] += 61_000_000
    silences.broken = set()
    assert [watch.turn(), watch.turn()] == [2, 1]
    assert silences.tried == [*people, *people[:3]]
    assert sum(row.choice == "n" for row in rows(app)) == 5
