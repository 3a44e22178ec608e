"""The pipeline: pure, deterministic, total; the quick way tells the same as the long one."""

import ast
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.keywords.interpreter as module
from gateway.keywords.interpreter import STAGES, Interpreter, Reader, Stage
from gateway.keywords.lexicon import read_lexicon, shipped_lexicons
from gateway.keywords.normalise import Normalised
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, Reading, ReadingClass
from gateway.keywords.vocabulary import Vocabulary
from gateway.keywords.wrapper_stage import Unwrapped

ENGLISH = next(lexicon for lexicon in shipped_lexicons() if lexicon.language == "en")
SPELLINGS = sorted((spelling, word.klass) for word in ENGLISH.words for spelling in word.spellings)
NOISE = st.text(
    alphabet=string.punctuation.replace("'", "")
    + string.whitespace
    + "\u200b\u00a0\u2026\u201d\U0001f64f\u00ad"
)
JOINTS = st.sampled_from([" ", "-", "  ", "_", "\u00a0", " \u200b", "\u2011", "."])
PLAIN = st.sampled_from(
    ["stop", "please", "don't", "start", "all", "offers", "yes", "end", "me", "help", "by", "not", "optout"]
)
CONTEXTS = st.builds(Context, st.none() | st.sampled_from(ReadingClass), st.booleans())


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Interpreter.shipped().for_programs([ProgramWords("offers", "Acme Offers")])


@given(st.data())
def test_r04_any_keyword_in_any_case_with_any_noise_around_is_the_keyword(
    reader: Reader, data: st.DataObject
) -> None:
    spelling, klass = data.draw(st.sampled_from(SPELLINGS))
    cased = "".join(data.draw(st.sampled_from([letter, letter.upper()])) for letter in spelling)
    typed = "".join(data.draw(JOINTS) if letter == " " else letter for letter in cased)
    before, after = data.draw(NOISE), data.draw(NOISE)
    pending = klass is ReadingClass.OPT_IN_CONFIRM
    reading = reader.read(before + typed + after, Context(pending_opt_in=pending))
    assert (reading.klass, reading.band, reading.rule) == (klass, Band.CERTAIN, "keyword@1")
    assert reading.span is not None
    start, end = reading.span
    assert (before + typed + after)[start:end].strip("\u200b\u00ad") == typed.strip("\u200b\u00ad")


@given(st.text() | st.lists(PLAIN).map(" ".join), CONTEXTS)
def test_r24_any_text_is_read_alike_each_time_with_a_span_inside_it(
    reader: Reader, text: str, context: Context
) -> None:
    reading = reader.read(text, context)
    assert reading == reader.read(text, context)
    if reading.span is not None:
        start, end = reading.span
        assert 0 <= start < end <= len(text)
    assert (reading.span is None) == (
        reading.rule == "none" or not reading.keyword
    ) or reading.rule.startswith("both")
    assert reading.stages[0] == "normalise"


@given(
    st.sampled_from([spelling for spelling, _ in SPELLINGS]),
    st.text(alphabet=string.punctuation + " \n"),
    st.sampled_from([Context(), Context(pending_opt_in=True)]),
)
def test_the_quick_way_tells_the_same_as_the_long_one(
    reader: Reader, word: str, tail: str, context: Context
) -> None:
    long_way = Reader(reader.vocabulary, reader.stages, ({}, {}))
    for text in (word + tail, word.upper() + tail, tail + word):
        assert reader.read(text, context) == long_way.read(text, context)


def test_the_quick_way_tells_the_same_in_other_scripts() -> None:
    words = [
        "\u9000\u8ba2",
        "\u0441\u0442\u043e\u043f",
        "\u03c4\u03ad\u03bb\u03bf\u03c2",
        "arr\u00eat",
        "iptal",
        "\u13a0\u13a1",
    ]
    lexicon = read_lexicon("yy.toml", f'language = "yy"\n[words]\nopt_out = {words}\n')
    reader = Interpreter([lexicon]).for_programs([ProgramWords("a", languages=("yy",))])
    long_way = Reader(reader.vocabulary, reader.stages, ({}, {}))
    for word in (*words, "\u0130PTAL", "arret", "\u212aein"):
        for text in (word, word.upper() + "!", f"{word.title()} "):
            assert reader.read(text) == long_way.read(text), text
            assert reader.read(text).klass is (
                ReadingClass.OTHER if "ein" in text.lower() else ReadingClass.OPT_OUT
            )


def test_plain_keywords_take_the_quick_way(reader: Reader) -> None:
    for text in ("STOP", "Stop.", "stop", "Opt Out!", "HELP?", "unsubscribe\n"):
        assert reader.read(text) is reader.read(text)


def fixed(reading: Reading | Normalised | None) -> Stage:
    return Stage("fixed", lambda _message, _vocabulary, _context: reading)


def test_the_first_certain_stage_ends_it() -> None:
    def never(_message: Normalised, _vocabulary: Vocabulary, _context: Context) -> None:
        pytest.fail("asked after a certain reading")

    first = fixed(Reading(ReadingClass.REACTION, rule="reaction@1"))
    reader = Interpreter([ENGLISH], stages=(first, Stage("never", never))).for_programs([])
    for text in ("stop", "stop now"):
        assert reader.read(text) == Reading(
            ReadingClass.REACTION, rule="reaction@1", stages=("normalise", "fixed")
        )


def test_an_uncertain_reading_gives_way_to_a_surer_one_only() -> None:
    unclear, probable = (Reading(ReadingClass.REFUSAL, band) for band in (Band.UNCLEAR, Band.PROBABLE))
    reader = Interpreter([ENGLISH], stages=(fixed(probable), *STAGES, fixed(unclear))).for_programs([])
    assert reader.read("hello").stages == ("normalise", "fixed")
    assert reader.read("please don't stop sending me texts").rule == "guarded@1"  # a guard is sure
    assert reader.read("stop").stages == ("normalise", "fixed", "wrappers", "keywords")
    surer = Interpreter([ENGLISH], stages=(fixed(unclear), fixed(probable))).for_programs([])
    assert surer.read("x").band is Band.PROBABLE


def test_a_stage_may_take_a_wrapper_off_for_the_later_ones() -> None:
    def unwrap(message: Normalised, _vocabulary: Vocabulary, _context: Context) -> Unwrapped:
        return Unwrapped(Normalised(message.raw, message.words[:1], message.keys[:1], message.spans[:1]))

    reader = Interpreter([ENGLISH], stages=(Stage("wrapper", unwrap), *STAGES)).for_programs([])
    reading = reader.read(" STOP sent from my phone")
    assert (reading.klass, reading.span) == (ReadingClass.OPT_OUT, (1, 5))
    assert reading.stages == ("normalise", "wrapper", "wrappers", "keywords")


def test_the_keywords_room_is_pure() -> None:
    """No Flask, no SQLAlchemy, no clock, no network, no chance; files only to load the languages."""
    allowed = {
        "ast",
        "bisect",
        "collections",
        "dataclasses",
        "enum",
        "functools",
        "importlib",
        "itertools",
        "re",
        "string",
    }
    allowed |= {"typing", "tomllib", "unicodedata", "gateway"}
    for path in Path(module.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = [
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        ]
        imported += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert {name.partition(".")[0] for name in imported} <= allowed, path.name
        inner = {name for name in imported if name.startswith("gateway.")}
        assert all(name == "gateway.errors" or name.startswith("gateway.keywords") for name in inner), (
            path.name
        )
