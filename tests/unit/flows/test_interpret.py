"""The dry run of the interpreter."""

import pytest

from gateway.flows.interpret import interpret
from gateway.keywords.interpreter import Interpreter
from gateway.keywords.reading import ReadingClass
from gateway.programs import ProgramBook, UnknownProgramError
from gateway.settings import ProgramSettings

SENDER = "+15550199000"
_COMMON = {"purpose": "marketing", "default_choice": "n", "contact": "help@example.com"}
BOOK = ProgramBook(
    {
        "offers": ProgramSettings.model_validate(
            {"name": "Acme Offers", "senders": [SENDER], "keywords": {"opt_out": ["ENOUGH"]}, **_COMMON}
        ),
        "news": ProgramSettings.model_validate({"name": "Acme News", **_COMMON}),
    },
    Interpreter.shipped(),
)


def test_a_stop_covers_what_it_would_cover_at_that_sender():
    found = interpret(BOOK, "STOP", sender="15550199000")
    assert (found.sender, found.reading.klass) == (SENDER, ReadingClass.OPT_OUT)
    assert found.scopes == (f"@{SENDER}",)


def test_a_return_covers_the_sender_and_the_programs_of_today():
    assert interpret(BOOK, "START", sender=SENDER).scopes == (f"@{SENDER}", "offers")


def test_what_is_no_word_on_consent_covers_nothing():
    assert interpret(BOOK, "HELP", sender=SENDER).scopes == ()
    assert interpret(BOOK, "see you at eight", sender=SENDER).scopes == ()


def test_a_program_is_read_for_at_its_first_sender():
    found = interpret(BOOK, "enough", program="offers")
    assert (found.sender, found.reading.klass) == (SENDER, ReadingClass.OPT_OUT)
    assert interpret(BOOK, "enough").reading.klass is ReadingClass.OTHER


@pytest.mark.parametrize("program", ["news", "*"])
def test_without_a_sender_a_stop_covers_everything(program: str):
    found = interpret(BOOK, "STOP", program=program)
    assert (found.sender, found.scopes) == ("", ("*",))


def test_a_waiting_opt_in_makes_a_yes_its_confirmation():
    waiting = interpret(BOOK, "YES", sender=SENDER, pending_opt_in=True)
    assert waiting.reading.klass is ReadingClass.OPT_IN_CONFIRM
    assert interpret(BOOK, "YES", sender=SENDER).reading.klass is not ReadingClass.OPT_IN_CONFIRM


def test_an_unknown_program_is_told():
    with pytest.raises(UnknownProgramError):
        interpret(BOOK, "STOP", program="nope")
