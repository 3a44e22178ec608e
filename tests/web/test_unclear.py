"""What is not clear is asked about once; without an answer messages end (47 CFR 64.1200(a)(12), R25)."""

from collections.abc import Callable

import pytest
from flask import Flask
from support.twilio_requests import inbound
from support.web_story import BASE, choices, post, rows

from gateway.flows.silence import Silences
from gateway.store.ledger import now_microseconds
from gateway.worker.silence import SilenceWatch

HOUR = 3_600_000_000
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
