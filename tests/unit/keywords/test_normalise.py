"""Stage 1: words, keys and places; the raw text stays as it came."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keywords.normalise import CAP, Normalised, normalise


def test_words_keep_accents_and_keys_do_not() -> None:
    text = "  S\u00cd, Arr\u00eat\u2026 na\u0131ve"
    assert normalise(text) == Normalised(
        text,
        ("s\u00ed", "arr\u00eat", "na\u0131ve"),
        ("si", "arret", "naive"),  # a dotless i is an i to whoever types a keyword
        ((2, 4), (6, 11), (13, 18)),
    )


@pytest.mark.parametrize("apostrophe", ["'", "`", "\u2019", "\u2018", "\u02bc", "\u00b4", "\uff07"])
def test_an_apostrophe_inside_a_word_belongs_to_it_and_is_straight(apostrophe: str) -> None:
    assert normalise(f"DON{apostrophe}T {apostrophe}stop{apostrophe}").words == ("don't", "stop")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stop_all", ("stop", "all")),
        ("don''t", ("don", "t")),
        ("don\u2019\u2019t", ("don", "t")),
        ("2\ufe0f\u20e3", ("2",)),
        ("\ufb01n \u2460 \u33c2 \u2122", ("fin", "1")),
        ("\u9000\u8ba2", ("\u9000\u8ba2",)),
        ("\uc911\ub2e8", ("\uc911\ub2e8",)),
        ("\u1788\u1794\u17cb", ("\u1788\u1794\u17cb",)),
        ("STRASSE stra\u00dfe", ("strasse", "strasse")),
        ("\u0421\u0422\u041e\u041f", ("\u0441\u0442\u043e\u043f",)),  # Russian, and not like Latin
        ("\u0301stop", ("stop",)),
        ("\u3164stop\u3164", ("stop",)),
        ("\ud83d stop", ("stop",)),  # half of a surrogate pair
        ("don\u200b\u2019t", ("don't",)),
        ("\u0441\u0442\u043e2", ("\u0441\u0442\u043e2",)),  # a digit makes no Latin word
        ("", ()),
    ],
)
def test_words(text: str, words: tuple[str, ...]) -> None:
    assert normalise(text).words == words


@pytest.mark.parametrize(
    "code", [0xFE00, 0xFE0F, 0xE0100, 0xE01EF, 0x180B, 0x180D, 0x200B, 0x200F, 0x2060, 0xFEFF, 0xAD]
)
def test_unseen_characters_do_not_split_a_word(code: int) -> None:
    assert normalise(f"st{chr(code)}op").words == ("stop",)


def test_marks_of_other_scripts_are_letters_and_stay_in_the_key() -> None:
    for text in ("\u1788\u1794\u17cb", "\u0438\u0306", "\u05e9\u05c1", "\u0939\u093f"):
        assert normalise(text).keys == (unicodedata.normalize("NFC", text),)


def test_only_the_first_code_points_are_read_and_the_raw_text_is_whole() -> None:
    text = "a " * CAP
    found = normalise(text)
    assert (found.raw, len(found.words), found.span(0, CAP // 2 - 1)) == (text, CAP // 2, (0, CAP - 1))


@given(st.text())
def test_every_word_has_its_place_in_the_raw_text_in_order(text: str) -> None:
    found = normalise(text)
    assert found.raw == text
    assert len(found.words) == len(found.keys) == len(found.spans)
    ends = 0
    for word, (start, end) in zip(found.words, found.spans, strict=True):
        assert ends <= start < end <= len(text)
        assert normalise(text[start:end]).words == (word,)
        ends = end


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_plain_and_wide_text_are_split_alike(text: str) -> None:
    plain, wide = normalise(text), normalise(text + " \u2764")
    assert (plain.words, plain.keys, plain.spans) == (wide.words, wide.keys, wide.spans)


@pytest.mark.parametrize("sign", ["\ufdff", "\ufe10", "\u180a", "\U000e00ff", "\U000e01f0"])
def test_what_stands_beside_the_selectors_parts_two_words(sign: str) -> None:
    assert normalise(f"st{sign}op").words == ("st", "op")
    assert normalise("st\ufe00\ufe0f\u180b\u180d\U000e0100\U000e01efop").words == ("stop",)


def test_a_mark_stays_on_a_letter_that_is_not_latin_beside_one_that_is() -> None:
    assert normalise("x\u0439\u00e9").keys == ("x\u0439e",)
