"""The languages of which only keywords are known: each word of a source, in the forms in which it is typed."""

import re
import unicodedata
from pathlib import Path

import pytest

from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.lexicon import shipped_lexicons
from gateway.keywords.normalise import normalise
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, Reading, ReadingClass

OPT_OUTS = {
    "zh": ("\u9000\u8ba2", "TD", "\u9000\u8a02"),
    "ko": ("\uc911\ub2e8",),
    "km": ("\u1788\u1794\u17cb",),
    "lo": ("\u0ea2\u0eb8\u0e94\u0ec0\u0e8a\u0ebb\u0eb2",),
    "so": ("JOOJI",),
    "he": (
        "\u05d4\u05e1\u05e8\u05d4",
        "\u05d4\u05e4\u05e1\u05e7",
        "\u05d4\u05e1\u05e8 \u05d0\u05d5\u05ea\u05d9",
    ),
    "no": ("UNSUB",),
    "pl": ("KONIEC", "ANULUJ", "ANULUJ SUBSKRYPCJ\u0118", "anuluj subskrypcje"),
    "cs": ("ODHL\u00c1SIT", "odhlasit", "KONEC", "ZRU\u0160IT", "zrusit"),
    "en-au": ("no", "stop", "n0", "opt out", "optout", "do not text", "unsubscribe"),
    "en-ca": (
        "ARRET",
        "ARR\u00caT",
        "ARRETE",
        "ARRETT",
        "STOP",
        "END",
        "QUIT",
        "CANCEL",
        "UNSUBSCRIBE",
        "UNSUB",
    ),
    "en-gb": ("STOP", "STOP ALL"),
    "ja-x-unsourced": ("\u505c\u6b62", "\u914d\u4fe1\u505c\u6b62"),
    "ru-x-unsourced": ("\u0421\u0422\u041e\u041f", "\u043e\u0442\u043f\u0438\u0441\u043a\u0430"),
    "sv-x-unsourced": ("STOPP", "AVSLUTA"),
    "tr-x-unsourced": ("IPTAL", "\u0130PTAL", "\u0131ptal", "RET"),
    "ar-x-unsourced": ("\u062a\u0648\u0642\u0641", "\u0625\u0644\u063a\u0627\u0621"),
}
ROWS = [(tag, text) for tag, texts in OPT_OUTS.items() for text in texts]
# A person's own keyboard: width, punctuation, quotes, marks of direction, blanks that are not seen, composition.
FORMS = (
    "{}",
    " {} \n",
    "{}!",
    "{}\u3002",
    "\u300c{}\u300d",
    "\u201e{}\u201d.",
    "\u200f{}\u200e",
    "\u200b{}\ufeff",
    "{}\uff01",
    "{}\u17d4",
    "*{}* \U0001f64f",
)


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return Interpreter.shipped()


def reader_of(interpreter: Interpreter, *tags: str) -> Reader:
    return interpreter.for_programs([ProgramWords("offers", "Acme", tags)])


def read(interpreter: Interpreter, tag: str, text: str) -> Reading:
    return reader_of(interpreter, tag).read(text, Context(marketing=True))


@pytest.mark.parametrize(("tag", "text"), ROWS)
def test_a_word_is_read_in_every_form_in_which_it_is_typed(
    interpreter: Interpreter, tag: str, text: str
) -> None:
    reader = reader_of(interpreter, tag)
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)
    for form in (text, text.upper(), text.lower(), wide, unicodedata.normalize("NFD", text)):
        for typed in (each.format(form) for each in FORMS):
            reading = reader.read(typed)
            assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.CERTAIN), repr(typed)


@pytest.mark.parametrize(
    "text", ["no", "N0", "TD", "ARRET", "KONIEC", "\u9000\u8ba2", "JOOJI", "RET", "do not text"]
)
def test_r06_a_word_of_some_regions_needs_its_language(interpreter: Interpreter, text: str) -> None:
    assert reader_of(interpreter, "en").read(text).klass is ReadingClass.OTHER


def test_a_name_without_its_unsourced_mark_is_not_known(interpreter: Interpreter) -> None:
    tags = {tag.removesuffix("-x-unsourced") for tag in OPT_OUTS if tag.endswith("-x-unsourced")}
    assert not tags & set(interpreter.languages)


def test_every_canadian_program_answers_arret_and_aide_in_french(interpreter: Interpreter) -> None:
    assert read(interpreter, "en-CA", "Arr\u00eat").language == "fr"
    aide = read(interpreter, "en-CA", "AIDE")
    assert (aide.klass, aide.language) == (ReadingClass.HELP, "fr")
    assert read(interpreter, "en-CA", "STOP").language == "en"
    assert read(interpreter, "en-CA", "please stop texting me").klass is ReadingClass.OPT_OUT


@pytest.mark.parametrize("text", ["STOP FRND", "unsub tones", "END horoscope", "Txt STOP FRND to 62468"])
def test_british_service_words_end_messages_in_answers_to_advertising(
    interpreter: Interpreter, text: str
) -> None:
    assert read(interpreter, "en-GB", text).klass is ReadingClass.OPT_OUT


def test_a_named_program_is_read_before_a_british_service_word(interpreter: Interpreter) -> None:
    reading = read(interpreter, "en-GB", "STOP OFFERS")
    assert (reading.program, reading.rule) == ("offers", "keyword_program@1")


def test_hebrew_has_its_phrases_and_a_guard(interpreter: Interpreter) -> None:
    more = "\u05d0\u05e0\u05d9 \u05dc\u05d0 \u05e8\u05d5\u05e6\u05d4 \u05e2\u05d5\u05d3 \u05d4\u05d5\u05d3\u05e2\u05d5\u05ea!"
    send = "\u05ea\u05e4\u05e1\u05d9\u05e7 \u05dc\u05e9\u05dc\u05d5\u05d7 \u05dc\u05d9"
    for text in (more, send, f"\u05d1\u05d1\u05e7\u05e9\u05d4 {send}"):
        assert read(interpreter, "he", text).klass is ReadingClass.OPT_OUT
    assert read(interpreter, "he", f"\u05d0\u05dc {send}").klass is ReadingClass.OTHER


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("zh", "\u9000\u8ba2\uff0c\u8c22\u8c22"),
        ("zh", "\u8bf7\u9000\u8ba2"),
        ("so", "fadlan jooji"),
        ("km", "\u179f\u17bc\u1798\u200b\u1788\u1794\u17cb"),
        ("pl", "Prosz\u0119, koniec"),
        ("cs", "zru\u0161it pros\u00edm"),
    ],
)
def test_a_courtesy_beside_a_word_changes_nothing(interpreter: Interpreter, tag: str, text: str) -> None:
    assert read(interpreter, tag, text).klass is ReadingClass.OPT_OUT


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("wy\u0142\u0105cz", "wylacz"),
        ("\u0111", "d"),
        ("\u00f8", "o"),
        ("\u01ff", "o"),
        ("\u0131", "i"),
        ("\u0166", "t"),
    ],
)
def test_r02_a_stroke_through_a_letter_is_a_mark_on_it(text: str, key: str) -> None:
    assert normalise(text).keys == (key,)


def test_r10_all_shipped_languages_may_stand_beside_each_other(interpreter: Interpreter) -> None:
    reader = reader_of(interpreter, *interpreter.languages)
    for _, text in ROWS:
        assert reader.read(text).klass is ReadingClass.OPT_OUT


def test_a_language_that_has_texts_names_in_them_what_it_reads() -> None:
    for lexicon in shipped_lexicons():
        words = {word.text.upper() for word in lexicon.words}
        if "opt_out" in lexicon.texts and lexicon.language in OPT_OUTS:
            assert {"START", "HELP", "STOP"} <= words, lexicon.language


def test_every_language_is_listed_with_its_depth() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "languages.md"
    listed = dict(
        re.findall(
            r"^\| `([a-z-]+)` \| [^|]+ \|(?: (keywords|free text) \|)?", page.read_text("utf-8"), re.MULTILINE
        )
    )
    for lexicon in shipped_lexicons():
        is_unsourced = lexicon.language.endswith("-x-unsourced")
        assert listed[lexicon.language] == (
            "" if is_unsourced else "free text" if lexicon.phrases else "keywords"
        )
