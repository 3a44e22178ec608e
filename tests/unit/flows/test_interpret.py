"""The dry run of the interpreter."""

import pytest

from gateway.flows.interpret import Interpretation, Question, interpret, interpret_and_explain
from gateway.flows.replies import ReplyKey
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


def read(text: str, **about: object) -> Interpretation:
    return interpret(BOOK, Question(text, **about))  # type: ignore[arg-type]  # as each test says


def test_a_stop_covers_what_it_would_cover_at_that_sender():
    found = read("STOP", sender="15550199000")
    assert (found.sender, found.reading.klass) == (SENDER, ReadingClass.OPT_OUT)
    assert found.scopes == (f"@{SENDER}",)


def test_a_return_covers_the_sender_and_the_programs_of_today():
    assert read("START", sender=SENDER).scopes == (f"@{SENDER}", "offers")


def test_what_is_no_word_on_consent_covers_nothing():
    assert read("HELP", sender=SENDER).scopes == ()
    assert read("see you at eight", sender=SENDER).scopes == ()


def test_a_program_is_read_for_at_its_first_sender():
    found = read("enough", program="offers")
    assert (found.sender, found.reading.klass) == (SENDER, ReadingClass.OPT_OUT)
    assert read("enough").reading.klass is ReadingClass.OTHER


@pytest.mark.parametrize("program", ["news", "*"])
def test_without_a_sender_a_stop_covers_everything(program: str):
    found = read("STOP", program=program)
    assert (found.sender, found.scopes) == ("", ("*",))


def test_a_waiting_opt_in_makes_a_yes_its_confirmation():
    waiting = read("YES", sender=SENDER, pending_opt_in=True)
    assert waiting.reading.klass is ReadingClass.OPT_IN_CONFIRM
    assert read("YES", sender=SENDER).reading.klass is not ReadingClass.OPT_IN_CONFIRM


def test_an_unknown_program_is_told():
    with pytest.raises(UnknownProgramError):
        read("STOP", program="nope")


def test_a_message_to_a_sender_of_advertising_is_read_as_an_answer_to_it_unless_told_otherwise():
    assert (read("not interested", sender=SENDER).marketing, read("not interested").marketing) == (
        True,
        False,
    )
    assert read("not interested", sender=SENDER).reading.klass is ReadingClass.OPT_OUT
    assert read("not interested", sender=SENDER, marketing=False).reading.klass is ReadingClass.OTHER
    assert read("not interested", marketing=True).reading.klass is ReadingClass.OPT_OUT


def test_a_copy_of_our_own_message_is_not_the_persons_word():
    ours = "Acme: big sale today. Reply STOP to end"
    assert read(f"{ours} haha", last_sent=ours).reading.klass is ReadingClass.OTHER
    assert read(f"{ours} unsubscribe", last_sent=ours).reading.keyword == "unsubscribe"


def test_what_would_be_done_is_told():
    stopped = read("STOP", sender=SENDER)
    assert (stopped.choice, stopped.reply) == ("n", ReplyKey.OPT_OUT)
    assert str(stopped.reply_text).startswith("Acme Offers: you are unsubscribed")
    asked = read("help", sender=SENDER)
    assert (asked.choice, asked.reply, asked.scopes) == (None, ReplyKey.HELP, ())
    nothing = read("see you at eight", sender=SENDER)
    assert (nothing.choice, nothing.reply, nothing.reply_text) == (None, None, None)


def test_a_wrong_number_ends_everything_without_a_reply():
    found = read("wrong number", sender=SENDER)
    assert (found.choice, found.scopes, found.reply) == ("n", ("*",), None)


def test_two_directions_change_nothing_and_are_asked_about():
    found = read("stop start", sender=SENDER, marketing=False)
    assert (found.choice, found.scopes, found.reply) == (None, (), ReplyKey.CLARIFY)


def test_a_sender_that_no_program_names_has_no_help_to_give():
    assert (read("help").reply, read("help").reply_text) == (None, None)


def test_an_opt_in_that_must_be_confirmed_waits():
    program = {"name": "Club", "senders": [SENDER], "double_opt_in": True, **_COMMON}
    book = ProgramBook({"club": ProgramSettings.model_validate(program)}, Interpreter.shipped())
    joining = interpret(book, Question("START", sender=SENDER))
    assert (joining.choice, joining.reply) == ("p", ReplyKey.OPT_IN_PENDING)
    confirming = interpret(book, Question("YES", sender=SENDER, pending_opt_in=True))
    assert (confirming.choice, confirming.reply) == ("y", ReplyKey.OPT_IN)


@pytest.mark.parametrize("text", ["please stop", "don't stop", "no more texts", "hello"])
def test_the_explanation_is_of_the_same_reading(text: str):
    found, explanation = interpret_and_explain(BOOK, Question(text, sender=SENDER))
    assert found == read(text, sender=SENDER)
    assert found.reading == explanation.reading
