"""A keyword that is turned round says the opposite: nobody is asked, and no silence ends messages (R9, R18)."""

import pytest

from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, ReadingClass

CONTEXTS = [Context(), Context(pending_opt_in=True), Context(marketing=True)]
REPLY = Context(marketing=True)
NEGATED = {
    "en": [
        *("never end", "Never END!", "don't cancel", "Don\u2019t Cancel.", "do not stop", "please don't stop"),
        *("do not revoke", "dont quit", "please do not cancel", "do not stop all", "don't optout", "not ending"),
        *("don't cancel acme offers", "never STOPALL", "don't end it. Don't cancel", "not stopping", "don't unsub"),
    ],
    "fr": [
        *("n'arrêtez pas", "ne stop pas", "ne pas stop", "ne désabonnez pas", "jamais stop", "n'arrêtez jamais"),
        *("ne désinscrivez pas", "ne cancel pas", "surtout n'arrêtez pas"),
    ],
    "es": ["no paren", "no parar", "no cancelar", "nunca cancelar", "no detener", "nunca stop", "no paren por favor"],
    "it": ["non fermatevi", "non cancellarmi", "non unsubscribe", "mai disiscrivermi", "non smettete", "mai stop"],
    "pt": ["não parem", "não cancelar assinatura", "nunca stop", "nunca cancel", "não descadastra", "não parem por favor"],
    "de": ["nicht aufhören", "nicht stoppen", "bitte nicht stoppen", "nie stop", "nicht cancel", "stoppt nicht"],
    "nl": ["niet stoppen", "nooit stoppen", "alsjeblieft niet stoppen", "niet cancel", "nooit uitschrijving", "stop niet"],
}  # fmt: skip


@pytest.fixture(scope="module")
def readers() -> dict[str, Reader]:
    interpreter = Interpreter.shipped()
    return {tag: interpreter.for_programs([ProgramWords("offers", "Acme Offers", (tag,))]) for tag in NEGATED}


@pytest.mark.parametrize("context", CONTEXTS, ids=["chat", "pending", "reply"])
@pytest.mark.parametrize(("tag", "text"), [(tag, text) for tag, texts in NEGATED.items() for text in texts])
def test_a_negated_keyword_ends_nothing_and_is_not_asked_about(
    readers: dict[str, Reader], tag: str, text: str, context: Context
) -> None:
    reading = readers[tag].read(text, context)
    assert (reading.klass, reading.band) == (ReadingClass.OTHER, Band.CERTAIN)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        *(("en", text) for text in ("no stop", "stop not", "No, stop", "don't, stop", "stop, don't")),
        *(
            ("en", text)
            for text in ("don't text me", "do not contact", "never text me", "Don't cancel. STOP!")
        ),
        *(("fr", "pas stop"), ("fr", "ne me contactez pas"), ("es", "no stop"), ("pt", "não stop")),
    ],
)
def test_what_may_be_an_opt_out_stays_one_as_an_answer_to_advertising(
    readers: dict[str, Reader], tag: str, text: str
) -> None:
    reading = readers[tag].read(text, REPLY)
    assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.PROBABLE)


@pytest.mark.parametrize("context", CONTEXTS, ids=["chat", "pending", "reply"])
@pytest.mark.parametrize(
    "text",
    [
        "no end",
        "no cancel",
        "START, don't cancel",
        "Cancel. Don't cancel",
        "Never end. Cancel",
        "never end quit",
    ],
)
def test_what_may_mean_either_is_still_asked_about(
    readers: dict[str, Reader], text: str, context: Context
) -> None:
    reading = readers["en"].read(text, context)
    assert reading.band is Band.UNCLEAR or reading.klass is ReadingClass.OPT_OUT


def test_the_guard_that_turned_the_keyword_round_is_told(readers: dict[str, Reader]) -> None:
    reading = readers["en"].read("please never end")
    assert (reading.rule, reading.language, reading.span) == ("guarded@1", "en", (7, 16))
    assert "never" in reading.keyword
