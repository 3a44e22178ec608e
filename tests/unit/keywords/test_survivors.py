"""What small alterations of the interpreter showed to be untested."""

import pkgutil
from dataclasses import is_dataclass
from importlib import import_module

import pytest

import gateway.keywords
from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, ReadingClass
from gateway.keywords.rules import Rule


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Interpreter.shipped().for_programs([ProgramWords("offers", "Acme")])


@pytest.mark.parametrize("marketing", [True, False])
def test_phrases_of_both_directions_in_one_message_decide_nothing(reader: Reader, marketing: bool) -> None:  # noqa: FBT001 - a parameter of the test
    text = "Please stop texting me. On second thought, sign me up again"
    reading = reader.read(text, Context(marketing=marketing))
    assert (reading.klass, reading.band, reading.rule) == (
        ReadingClass.OTHER,
        Band.UNCLEAR,
        Rule.BOTH_DIRECTIONS,
    )


def test_a_phrase_inside_a_longer_one_says_nothing_else(reader: Reader) -> None:
    reading = reader.read("Add me to your do not contact list", Context(marketing=True))
    assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.PROBABLE)


@pytest.mark.parametrize(
    ("text", "klass"),
    [
        ("No, stop texting me", ReadingClass.OPT_OUT),  # the comma ends the negation
        ("Don't stop texting me", ReadingClass.OTHER),
    ],
)
def test_a_guard_with_a_comma_inside_holds_nothing(reader: Reader, text: str, klass: ReadingClass) -> None:
    assert reader.read(text, Context(marketing=True)).klass is klass


@pytest.mark.parametrize(
    ("language", "text", "klass"),
    [
        ("en", "Can't make it tomorrow, please cancel", ReadingClass.OTHER),
        ("en", "Stop it, you're making me blush haha", ReadingClass.OTHER),
        ("en", "Stop, you're annoying me", ReadingClass.OPT_OUT),
        ("de", "Stopp, ich meinte Größe 40", ReadingClass.OTHER),
        ("de", "Stopp, ich will das nicht mehr", ReadingClass.OPT_OUT),
        ("fr", "Je ne peux pas venir demain, merci d'annuler", ReadingClass.OTHER),
        ("it", "Basta, mi fate morire", ReadingClass.OTHER),
        ("it", "Basta, mi avete stufato", ReadingClass.OPT_OUT),
        ("es", "No puedo ir mañana, cancelen por favor", ReadingClass.OTHER),
        ("pt", "Cancela o meu pedido, não quero mais", ReadingClass.OTHER),
        ("nl", "Stop, ik bedoelde maat 40", ReadingClass.OTHER),
        ("nl", "Hou op, ik wil dit niet meer", ReadingClass.OPT_OUT),
    ],
)
def test_a_guard_that_is_written_with_a_comma_reaches_across_it(
    language: str, text: str, klass: ReadingClass
) -> None:
    reader = Interpreter.shipped().for_programs([ProgramWords("offers", "Acme", (language,))])
    assert reader.read(text, Context(marketing=True)).klass is klass


@pytest.mark.parametrize("head", ["", "(", '"', "\u201c"])
def test_googles_form_needs_its_emoji(reader: Reader, head: str) -> None:
    quoted = "\u201c20% off! Reply STOP to end\u201d"
    assert reader.read(f"{head}to {quoted}").klass is not ReadingClass.REACTION
    assert reader.read(f"\U0001f44d to {quoted}").klass is ReadingClass.REACTION


def test_a_keyword_typed_apart_and_with_a_slip_is_read(reader: Reader) -> None:
    for text in ("opt uot", "otp out", "un subscirbe"):
        assert (reader.read(text).klass, reader.read(text).rule) == (ReadingClass.OPT_OUT, Rule.TYPO), text


def test_nothing_that_readers_share_can_be_changed() -> None:
    names = [f"gateway.keywords.{module.name}" for module in pkgutil.iter_modules(gateway.keywords.__path__)]
    classes = [
        one
        for name in names
        for one in vars(import_module(name)).values()
        if isinstance(one, type) and is_dataclass(one) and one.__module__ == name
    ]
    assert len(classes) > 20
    for one in classes:
        assert one.__dataclass_params__.frozen, one  # type: ignore[attr-defined]  # dataclasses writes it
        assert "__slots__" in vars(one), one
