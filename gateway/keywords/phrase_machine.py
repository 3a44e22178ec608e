"""Finds phrases in a text in one pass, in time linear in its words.

A position automaton (Glushkov's): a state for every word of every phrase, and no empty moves. `search`
follows all states that are open at once, so nothing is tried twice, whatever the text (R26).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.keywords.phrase_syntax import Choice, Ending, Gap, Item, Phrase, Words
from gateway.keywords.sentences import Sentence

Label = TypeVar("Label")

_ANYWHERE, _AT_START = 0, 1  # the states before the first word of a phrase
_UNKNOWN = ""  # stands for every word that no phrase names
_GOAL_ANYWHERE, _GOAL_END, _GOAL_QUESTION = (
    1,
    2,
    6,
)  # bits: a goal reached, or reached if the sentence ends so
_REACHES = {Ending.ANY: 1, Ending.END: 2, Ending.QUESTION: 4}
_MOST_NODES = 20_000
_NOTHING: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Match(Generic[Label]):
    """A phrase found: the words from `first` to `last`, both included."""

    label: Label
    first: int
    last: int


class _Node:
    """A set of states that are open together, and the nodes to which words lead from it, as far as known."""

    __slots__ = ("at_start", "moves", "open_states", "over_fillers", "reaches")

    def __init__(self, open_states: frozenset[int], *, at_start: bool, reaches: int) -> None:
        self.open_states = open_states
        self.at_start = at_start
        self.reaches = reaches
        self.moves: dict[str, _Node] = {}
        self.over_fillers: dict[str, _Node] = {}


class PhraseMachine(Generic[Label]):
    """The phrases of a reader, each with the label that its matches carry, and whether it is a goal.

    Immutable once made, but for nodes that it remembers: they save time and change no answer.
    """

    def __init__(self, phrases: Iterable[tuple[Phrase, Label, bool]]) -> None:
        self._follow: list[set[int]] = [set(), set()]  # states after each, by the words that these want
        self._gaps: list[set[int]] = [set(), set()]  # states after each, by any word
        self._wanted: dict[str, set[int]] = {}  # states that a word leads to, from a state before them
        self._shared: dict[tuple[frozenset[int], Words | Gap], frozenset[int]] = {}
        self._accepts: dict[int, list[tuple[Ending, Label]]] = {}
        self._reaches: dict[int, int] = {}
        for phrase, label, is_goal in phrases:
            self._add(phrase, label, is_goal=is_goal)
        self._shared = {}  # needed to build only
        self.words = frozenset(self._wanted)
        self._nodes: dict[tuple[frozenset[int], bool], _Node] = {}
        self._first = self._node(frozenset(), at_start=True)

    def finds(self, words: Sequence[str], skips: Collection[int], sentence: Sentence) -> bool:
        """Tell whether a goal is among the matches in the sentence, much faster than `search` finds it."""
        node, known = self._first, self.words
        for at in range(sentence.first, sentence.last):
            word = words[at] if words[at] in known else _UNKNOWN
            moves = node.over_fillers if at in skips else node.moves
            node = moves.get(word) or self._move(node, word, is_filler=at in skips)
            if node.reaches & _GOAL_ANYWHERE:
                return True
        return bool(node.reaches & (_GOAL_QUESTION if sentence.is_question else _GOAL_END))

    def search(self, words: Sequence[str], skips: Collection[int], sentence: Sentence) -> list[Match[Label]]:
        """Return all matches in one sentence.

        A word whose index is in `skips` is a filler: it may stand anywhere, and may be a word of a phrase too.
        """
        found: list[Match[Label]] = []
        open_states: dict[int, int] = {}  # state -> index of the first word
        at_start = True
        ended_at = sentence.first
        for at in range(sentence.first, sentence.last):
            following = self._step(open_states, words[at], at, at_start=at_start)
            self._collect(following, at, found)
            if at in skips:
                open_states = {**open_states, **following}
            else:
                open_states, at_start, ended_at = following, False, at
        self._collect_ended(open_states, ended_at, found, is_question=sentence.is_question)
        return found

    def _move(self, node: _Node, word: str, *, is_filler: bool) -> _Node:
        """Work out where the word leads, and remember it."""
        if len(self._nodes) > _MOST_NODES:
            self._nodes = {}
            self._first = self._node(frozenset(), at_start=True)
        states = frozenset(self._step(dict.fromkeys(node.open_states, 0), word, 0, at_start=node.at_start))
        if is_filler:
            following = self._node(states | node.open_states, at_start=node.at_start)
            node.over_fillers[word] = following
        else:
            following = self._node(states, at_start=False)
            node.moves[word] = following
        return following

    def _node(self, states: frozenset[int], *, at_start: bool) -> _Node:
        key = states, at_start
        if key not in self._nodes:
            reaches = 0
            for state in states:
                reaches |= self._reaches.get(state, 0)
            self._nodes[key] = _Node(states, at_start=at_start, reaches=reaches)
        return self._nodes[key]

    def _step(self, open_states: dict[int, int], word: str, at: int, *, at_start: bool) -> dict[int, int]:
        following: dict[int, int] = {}
        wanted, follow, gaps = self._wanted.get(word, _NOTHING), self._follow, self._gaps
        for state, begun in open_states.items():
            for target in follow[state] & wanted:
                following.setdefault(target, begun)
            for target in gaps[state]:
                following.setdefault(target, begun)
        for target in follow[_ANYWHERE] & wanted:
            following.setdefault(target, at)
        if at_start:
            for target in follow[_AT_START] & wanted:
                following.setdefault(target, at)
        return following

    def _collect(self, states: dict[int, int], at: int, found: list[Match[Label]]) -> None:
        for state, begun in states.items():
            for ending, label in self._accepts.get(state, ()):
                if ending is Ending.ANY:
                    found.append(Match(label, begun, at))

    def _collect_ended(
        self, states: dict[int, int], at: int, found: list[Match[Label]], *, is_question: bool
    ) -> None:
        for state, begun in states.items():
            for ending, label in self._accepts.get(state, ()):
                if ending is Ending.END or (ending is Ending.QUESTION and is_question):
                    found.append(Match(label, begun, max(at, begun)))

    def _add(self, phrase: Phrase, label: Label, *, is_goal: bool) -> None:
        states = frozenset({_AT_START if phrase.at_start else _ANYWHERE})
        for item in phrase.items:
            states = self._link(item, states)
        for state in states:
            self._accepts.setdefault(state, []).append((phrase.ending, label))
            if is_goal:
                self._reaches[state] = self._reaches.get(state, 0) | _REACHES[phrase.ending]

    def _link(self, item: Item, sources: frozenset[int]) -> frozenset[int]:
        """Let the item follow the sources, and return the states after it. Phrases share what they begin with."""
        if isinstance(item, Choice):
            return self._linked_choice(item, sources)
        if (sources, item) not in self._shared:
            linked = self._linked_gap if isinstance(item, Gap) else self._linked_words
            self._shared[sources, item] = linked(item, sources)  # type: ignore[arg-type]  # each gets its own kind
        return self._shared[sources, item]

    def _linked_words(self, item: Words, sources: frozenset[int]) -> frozenset[int]:
        target = self._new()
        for source in sources:
            self._follow[source].add(target)
        for word in item.keys:
            self._wanted.setdefault(word, set()).add(target)
        return frozenset({target})

    def _linked_gap(self, gap: Gap, sources: frozenset[int]) -> frozenset[int]:
        reached = frozenset() if gap.least else sources
        for _ in range(gap.most):
            target = self._new()
            for source in sources:
                self._gaps[source].add(target)
            sources = frozenset({target})
            reached |= sources
        return reached

    def _linked_choice(self, choice: Choice, sources: frozenset[int]) -> frozenset[int]:
        reached = sources if choice.is_optional else frozenset()
        for option in choice.options:
            states = sources
            for item in option:
                states = self._link(item, states)
            reached |= states
        return reached

    def _new(self) -> int:
        self._follow.append(set())
        self._gaps.append(set())
        return len(self._follow) - 1
