"""The notation in which phrases are written in a language file.

    stop|quit texting [me]      words in order; a|b one of them; [...] may be missing
    (let me be|go away) now     one of several, each of one or more words
    <stop> sending <texts>|it   any entry of the table [sets], which may have several words
    remove ... list             up to three words between, any
    not * here                  one word, any
    ^ stop it $                 ^ nothing before it in its sentence, $ nothing after it; fillers do not count
    can i cancel ?              $, and the sentence is a question
    stop it , you're funny      in a guard only: there may be a comma, which otherwise ends what a guard reaches

Case, accents and punctuation do not matter. Fillers ("please", "now", an oath) may stand anywhere.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

from gateway.keywords.normalise import normalise

GAP = 3  # words that "..." spans at most
_TOKEN = re.compile(r"\.\.\.|[()\[\]^$?|]|<[^<>\s]*>|[^\s()\[\]^$?|<>]+")
_BRACKETS = {"(": ")", "[": "]"}
_CLOSING = frozenset({")", "]", ""})


class Ending(Enum):
    """What must follow a phrase in its sentence."""

    ANY = ""
    END = "$"
    QUESTION = "?"


@dataclass(frozen=True, slots=True)
class Words:
    """One of several words."""

    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Gap:
    """From `least` to `most` words of any kind."""

    least: int = 0
    most: int = GAP


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences; none of them, where it is optional."""

    options: tuple["Sequence", ...]
    is_optional: bool = False


Item: TypeAlias = Words | Gap | Choice
Sequence: TypeAlias = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A parsed phrase."""

    items: Sequence
    at_start: bool = False
    ending: Ending = Ending.ANY


class PhraseError(ValueError):
    """A phrase that cannot be read. The message says why."""


def parse_phrase(text: str, sets: Mapping[str, tuple[str, ...]]) -> Phrase:
    """Return the phrase. Raises `PhraseError` for a wrong notation, an unknown set and an empty phrase."""
    tokens = _TOKEN.findall(text)
    at_start = tokens[:1] == ["^"]
    ending = Ending(tokens[-1]) if tokens[-1:] in (["$"], ["?"]) else Ending.ANY
    parser = _Parser(tokens[at_start : len(tokens) - (ending is not Ending.ANY)], sets)
    items = parser.phrase()
    if all(isinstance(item, Gap) or (isinstance(item, Choice) and item.is_optional) for item in items):
        raise PhraseError("no word in it is required")
    if isinstance(items[0], Gap) or items[-1] == Gap():
        raise PhraseError('"..." stands between words, "*" not before the first')
    return Phrase(items, at_start, ending)


class _Parser:
    def __init__(self, tokens: list[str], sets: Mapping[str, tuple[str, ...]]) -> None:
        self.tokens = tokens
        self.at = 0
        self._sets = sets

    def phrase(self) -> Sequence:
        """Read all tokens. Here "|" joins its two neighbours."""
        items: list[Item] = []
        while self._next not in _CLOSING:
            options = [self._item()]
            while self._next == "|":
                self.at += 1
                options.append(self._item())
            items.extend(options[0] if len(options) == 1 else (_joined(options),))
        if self._next:
            raise PhraseError(f'"{self._next}" closes nothing')
        return tuple(items)

    @property
    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _item(self) -> Sequence:
        piece = self._next
        self.at += 1
        if piece in _BRACKETS:
            return (self._bracketed(_BRACKETS[piece]),)
        if piece == "...":
            return (Gap(),)
        if piece == "*":
            return (Gap(1, 1),)
        if piece in {"^", "$", "?"}:
            raise PhraseError(f'"{piece}" stands at the edge only')
        if piece in {"|", *_CLOSING}:
            raise PhraseError("an empty choice")
        if piece == ",":
            raise PhraseError("a comma stands between the words of a guard only")
        return (self._set(piece[1:-1]),) if piece.startswith("<") else _words(piece)

    def _bracketed(self, closing: str) -> Choice:
        """Read up to the closing bracket. Here "|" separates whole sequences."""
        options: list[list[Item]] = [[]]
        while self._next not in _CLOSING:
            if self._next == "|":
                self.at += 1
                options.append([])
            else:
                options[-1].extend(self._item())
        if self._next != closing:
            raise PhraseError(f'"{closing}" is missing')
        self.at += 1
        if not all(options):
            raise PhraseError("an empty choice")
        return Choice(tuple(map(tuple, options)), is_optional=closing == "]")

    def _set(self, name: str) -> Item:
        if name not in self._sets:
            raise PhraseError(f"no set <{name}> in [sets]; known are {', '.join(self._sets) or 'none'}")
        if not self._sets[name]:
            raise PhraseError(f"the set <{name}> is empty")
        return _any_of(self._sets[name])


@lru_cache(maxsize=4096)
def _any_of(texts: tuple[str, ...]) -> Item:
    """Return one item for a set; kept, since many phrases use the same ones."""
    return _joined([_words(text) for text in texts])


def _joined(options: Iterable[Sequence]) -> Item:
    """Return one item for any of the options; single words become one state of the machine."""
    singles: frozenset[str] = frozenset()
    longer: list[Sequence] = []
    for option in options:
        if len(option) == 1 and isinstance(option[0], Words):
            singles |= option[0].keys
        else:
            longer.append(option)
    if not longer:
        return Words(singles)
    return Choice((*(((Words(singles),),) if singles else ()), *longer))


@lru_cache(maxsize=16_384)  # few words make up most phrases
def _words(text: str) -> tuple[Words, ...]:
    keys = normalise(text).keys or ((text,) if text == "#" else ())
    if not keys:
        raise PhraseError(f'"{text}" has no letter or digit')
    return tuple(Words(frozenset({key})) for key in keys)
