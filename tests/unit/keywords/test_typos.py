"""Slips of the finger: which strings are one, and which words they may be of."""

import string
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.keywords.reading import ReadingClass
from gateway.keywords.typos import distance, is_slip, long_words, nearest_long, slips, typos_of, with_letters
from gateway.keywords.words import Word, spelled

WORD = st.text(alphabet="abcde", min_size=1, max_size=7)


def word(text: str, klass: ReadingClass = ReadingClass.OPT_OUT) -> Word:
    return Word(text, klass, "xx", spelled(text), "xx.toml:1")


@settings(deadline=None)
@given(WORD)
def test_every_slip_is_at_distance_one_and_the_word_is_none(text: str) -> None:
    found = set(slips(text))
    assert text not in found
    assert {distance(text, slip) for slip in found} == {1}


@pytest.mark.parametrize("text", ["a", "ab", "aa", "aba", "abc", "aab"])
def test_slips_are_complete(text: str) -> None:
    near = (
        "".join(letters)
        for size in range(len(text) - 1, len(text) + 2)
        for letters in product("abcx", repeat=max(size, 0))
    )
    expected = {candidate for candidate in near if distance(text, candidate) == 1}
    assert {slip for slip in slips(text) if set(slip) <= set("abcx")} == expected


@settings(deadline=None)
@given(
    st.text(alphabet=string.ascii_lowercase, max_size=6), st.text(alphabet=string.ascii_lowercase, max_size=6)
)
def test_the_distance_is_one_between_words_both_ways(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) is (one == other)
    assert (distance(one, other) == 1) is (other in set(slips(one)))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("stop", "stpo", 1),
        ("stop", "sotp", 1),
        ("stop", "top", 1),
        ("stop", "shop", 1),
        ("stop", "post", 4),
        ("aaa", "a", 2),
        ("a", "aaa", 2),
        ("", "ab", 2),
        ("ca", "abc", 3),
        ("unsubscribe", "unsucribe", 2),
    ],
)
def test_known_distances(one: str, other: str, expected: int) -> None:
    assert distance(one, other) == expected


def test_a_typing_error_leads_to_its_keyword_unless_it_is_a_word_itself() -> None:
    found = typos_of({"stop": word("stop"), "quit": word("quit")}, {"shop"})
    assert (found["stpo"], found["qit"], found["stopp"]) == ("stop", "quit", "stop")
    assert not {"shop", "stop", "quit"} & found.keys()


def test_what_could_be_of_two_classes_is_no_typing_error() -> None:
    found = typos_of({"start": word("start", ReadingClass.OPT_IN), "smart": word("smart")}, set())
    assert found["satrt"] == "start"
    assert not {"slart", "sart", "sgart"} & found.keys()  # as near to the one as to the other


@pytest.mark.parametrize("text", ["end", "arr\u00eat\u00e9s!", "stop2", "yes"])
def test_short_odd_and_confirming_words_have_no_typing_errors(text: str) -> None:
    klass = ReadingClass.OPT_IN_CONFIRM if text == "yes" else ReadingClass.OPT_OUT
    assert typos_of({text: word("x", klass)}, set()) == {}


def test_two_slips_are_forgiven_in_long_words_that_begin_alike() -> None:
    words = {"unsubscribe": word("unsubscribe"), "cancel": word("cancel")}
    assert long_words(words) == ("unsubscribe",)
    assert nearest_long("unsucribe", ["unsubscribe"]) == "unsubscribe"
    assert nearest_long("nsubscribee", ["unsubscribe"]) is None
    assert nearest_long("unsub", ["unsubscribe"]) is None
    assert nearest_long("understand", ["unsubscribe"]) is None
    assert nearest_long("unsubscri", ["unsubscribe"]) == "unsubscribe"
    assert nearest_long("unsubscr", ["unsubscribe"]) is None


def test_a_long_word_has_eight_letters() -> None:
    assert long_words({"abcdefg": word("abcdefg"), "abcdefgh": word("abcdefgh")}) == ("abcdefgh",)
    assert nearest_long("abcdef", ["abcdefgh"]) == "abcdefgh"
    assert is_slip("abcdef", "abcdefgh", word("abcdefgh"))


@pytest.mark.parametrize(
    ("typed", "spelling"), [("unsubscribe", "unsubscribe"), ("ned", "end"), ("abcdf", "abcdefg")]
)
def test_neither_the_word_itself_nor_what_is_far_or_short_is_a_slip(typed: str, spelling: str) -> None:
    assert not is_slip(typed, spelling, word(spelling))


@settings(deadline=None)
@given(
    st.sampled_from(["stop", "cancel", "unsubscribe", "end"]), st.text(alphabet="stopcanelubri", max_size=12)
)
def test_a_slip_is_what_would_be_read_as_the_word(text: str, typed: str) -> None:
    words = {text: word(text)}
    is_read = typed in typos_of(words, set()) or (
        typed != text and nearest_long(typed, long_words(words)) is not None
    )
    assert is_slip(typed, text, word(text)) is is_read


@pytest.mark.parametrize(
    ("key", "letters"),
    [
        ("st0p", {"stop"}),
        ("5top", {"stop"}),
        ("cance1", {"cancei", "cancel"}),
        ("c4nc31", {"cancei", "cancel"}),
        ("12345", set()),
        ("a1234", set()),
    ],
)
def test_digits_stand_for_letters_in_words(key: str, letters: set[str]) -> None:
    assert set(with_letters(key)) == letters
