"""Where sentences end, and which of them ask."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.keywords.normalise import CAP, normalise
from gateway.keywords.sentences import sentences


def split(text: str) -> list[tuple[str, bool]]:
    message = normalise(text)
    return [(" ".join(message.keys[part.first : part.last]), part.is_question) for part in sentences(message)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("...", []),
        ("Stop", [("stop", False)]),
        ("Stop. Now!", [("stop", False), ("now", False)]),
        ("Who is this? Stop", [("who is this", True), ("stop", False)]),
        ("What?!", [("what", True)]),
        ("What!?", [("what", True)]),
        ("one\ntwo\r\nthree", [("one", False), ("two", False), ("three", False)]),
        ("one; two: three, four", [("one", False), ("two three four", False)]),
        ("S.T.O.P. now", [("s t o p", False), ("now", False)]),
        ("v3.5 is out", [("v3 5 is out", False)]),
        ("wait\u2026 what\uff1f", [("wait", False), ("what", True)]),
        ("one - two", [("one", False), ("two", False)]),
        ("opt-out", [("opt out", False)]),
        ("\u9000\u8ba2\u3002\u8c22\u8c22", [("\u9000\u8ba2", False), ("\u8c22\u8c22", False)]),
        ("\u062a\u0648\u0642\u0641\u061f \u0627", [("\u062a\u0648\u0642\u0641", True), ("\u0627", False)]),
        ('"Stop." she wrote', [("stop", False), ("she wrote", False)]),
        ("!!! stop", [("stop", False)]),
    ],
)
def test_a_text_is_split_at_its_ends(text: str, expected: list[tuple[str, bool]]) -> None:
    assert split(text) == expected


@settings(deadline=None)
@given(st.text(alphabet="ab .?!\n-;\u3002") | st.text())
def test_the_sentences_are_all_words_in_order_and_none_twice(text: str) -> None:
    message = normalise(text)
    at = 0
    for part in sentences(message):
        assert part.first == at < part.last
        at = part.last
    assert at == len(message.keys)


def test_what_comes_after_the_cap_is_not_looked_at() -> None:
    text = "a " * (CAP // 2) + "?"
    assert [part.is_question for part in sentences(normalise(text))] == [False]
