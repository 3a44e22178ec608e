"""The machine finds what a slow and plain reader of the notation finds."""

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.keywords import phrase_machine
from gateway.keywords.phrase_machine import PhraseMachine
from gateway.keywords.phrase_syntax import Choice, Ending, Gap, Item, Phrase, Words, parse_phrase
from gateway.keywords.sentences import Sentence

LETTERS = "abc"
WORDS = st.lists(st.sampled_from([*LETTERS, "x", "please"]), max_size=7)


def items(depth: int = 2) -> st.SearchStrategy[Item]:
    word = st.sets(st.sampled_from(LETTERS), min_size=1, max_size=2).map(lambda keys: Words(frozenset(keys)))
    simple = word | st.just(Gap()) | st.just(Gap(1, 1))
    if not depth:
        return word
    option = st.lists(items(depth - 1) | simple, min_size=1, max_size=2).map(tuple)
    choice = st.builds(Choice, st.lists(option, min_size=1, max_size=2).map(tuple), st.booleans())
    return simple | choice


def is_certain(item: Item) -> bool:
    return isinstance(item, Words)


# As the parser lets them through: neither the first nor the last item is open.
PHRASES = st.builds(
    lambda first, inner, last, at_start, ending: Phrase((first, *inner, *last), at_start, ending),
    items(0),
    st.lists(items(), max_size=3),
    st.lists(items(0), max_size=1),
    st.booleans(),
    st.sampled_from(Ending),
).filter(lambda phrase: is_certain(phrase.items[-1]))
PROBES = st.tuples(WORDS, st.booleans())


def ends_of(sequence: Sequence[Item], words: Sequence[str], skips: set[int], at: int) -> Iterator[int]:
    """Yield, by trying everything, the index after the last word that the items take from `at` on."""
    if not sequence:
        yield at
        return
    first, rest = sequence[0], sequence[1:]
    for reached in item_ends(first, words, skips, at):
        yield from ends_of(rest, words, skips, reached)


def item_ends(item: Item, words: Sequence[str], skips: set[int], at: int) -> Iterator[int]:
    if isinstance(item, Choice):
        if item.is_optional:
            yield at
        for option in item.options:
            yield from ends_of(option, words, skips, at)
        return
    least, most = (1, 1) if isinstance(item, Words) else (item.least, item.most)
    yield from taken(item, words, skips, at, least, most)


def taken(item: Item, words: Sequence[str], skips: set[int], at: int, least: int, most: int) -> Iterator[int]:
    if least <= 0:
        yield at
    if most == 0:
        return
    for place in range(at, len(words)):
        if not isinstance(item, Words) or words[place] in item.keys:
            yield from taken(item, words, skips, place + 1, least - 1, most - 1)
        if place not in skips:
            return


def naive(phrase: Phrase, words: Sequence[str], skips: set[int], *, is_question: bool) -> bool:
    """Tell whether the phrase stands in the words."""
    for begun in range(len(words)):
        if phrase.at_start and any(place not in skips for place in range(begun)):
            return False
        for end in ends_of(phrase.items, words, skips, begun):
            is_last = all(place in skips for place in range(end, len(words)))
            if phrase.ending is Ending.ANY:
                return True
            if is_last and (phrase.ending is Ending.END or is_question):
                return True
    return False


@settings(max_examples=400, deadline=None)
@given(PHRASES, PROBES)
def test_search_finds_what_trying_everything_finds(phrase: Phrase, probe: tuple[list[str], bool]) -> None:
    words, is_question = probe
    skips = {at for at, word in enumerate(words) if word == "please"}
    sentence = Sentence(0, len(words), is_question)
    found = PhraseMachine([(phrase, "it", True)]).search(words, skips, sentence)
    assert bool(found) is naive(phrase, words, skips, is_question=is_question)
    for match in found:
        assert 0 <= match.first <= match.last < len(words)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(PHRASES, st.booleans()), max_size=4), st.lists(PROBES, max_size=4))
def test_finds_tells_whether_search_finds_a_goal(
    phrases: list[tuple[Phrase, bool]], probes: list[tuple[list[str], bool]]
) -> None:
    machine = PhraseMachine((phrase, is_goal, is_goal) for phrase, is_goal in phrases)
    for words, is_question in probes:  # of one machine, whose memory of earlier ones changes nothing
        skips = {at for at, word in enumerate(words) if word == "please"}
        sentence = Sentence(0, len(words), is_question)
        found = machine.search(words, skips, sentence)
        assert machine.finds(words, skips, sentence) is any(match.label for match in found)


def test_what_was_learned_of_a_filler_is_not_taken_for_another_word() -> None:
    machine = PhraseMachine([(parse_phrase("a b", {}), "it", True)])
    for text in ("a please b", "a x b", "a please b"):
        words = text.split()
        assert machine.finds(words, {1} if "please" in words else set(), Sentence(0, 3)) is ("x" not in words)


def test_a_full_memory_is_emptied_and_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrase_machine, "_MOST_NODES", 2)
    machine = PhraseMachine([(parse_phrase("^ a b c", {}), "it", True)])
    for words in product("abcx", repeat=4):
        sentence = Sentence(0, len(words))
        assert machine.finds(words, set(), sentence) is bool(machine.search(words, set(), sentence))
        assert len(machine._nodes) <= 4
        assert machine._first in machine._nodes.values()


def found(notation: str, text: str, *, is_question: bool = False) -> list[str]:
    words = text.split()
    skips = {at for at, word in enumerate(words) if word == "please"}
    machine = PhraseMachine([(parse_phrase(notation, {}), "it", True)])
    matches = machine.search(words, skips, Sentence(0, len(words), is_question))
    return [" ".join(words[match.first : match.last + 1]) for match in matches]


@pytest.mark.parametrize(
    ("notation", "text", "expected"),
    [
        ("a b", "x a b x", ["a b"]),
        ("a b", "a x b", []),
        ("a b", "a please b", ["a please b"]),
        ("a [x] b", "a b a x b", ["a b", "a x b"]),
        ("a ... b", "a b", ["a b"]),
        ("a ... b", "a 1 2 3 b", ["a 1 2 3 b"]),
        ("a ... b", "a 1 2 3 4 b", []),
        ("a *", "a", []),
        ("a *", "a 1 2", ["a 1"]),
        ("^ a", "please a", ["a"]),
        ("^ a", "x a", []),
        ("a $", "a please", ["a"]),
        ("a $", "a x", []),
        ("(a b|c) x", "c x a b x", ["c x", "a b x"]),
    ],
)
def test_what_a_notation_finds(notation: str, text: str, expected: list[str]) -> None:
    assert found(notation, text) == expected


def test_a_question_is_asked_at_its_end_only() -> None:
    assert found("can i ?", "can i", is_question=True) == ["can i"]
    assert found("can i ?", "can i") == []
    assert found("can i ?", "can i go", is_question=True) == []


def test_only_the_words_of_the_sentence_are_looked_at() -> None:
    machine = PhraseMachine([(parse_phrase("a b", {}), "it", True)])
    for first, last, number in ((0, 2, 0), (1, 3, 1), (2, 4, 0)):
        sentence = Sentence(first, last)
        assert len(machine.search(["x", "a", "b", "y"], set(), sentence)) == number
        assert machine.finds(["x", "a", "b", "y"], set(), sentence) is bool(number)
