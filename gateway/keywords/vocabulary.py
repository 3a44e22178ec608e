"""All that one reader knows: the words of its languages and programs, indexed for matching."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from gateway.keywords.lexicon import Fillers, Lexicon
from gateway.keywords.protected import PROTECTED, PROTECTED_BY, PROTECTED_LANGUAGE
from gateway.keywords.reading import ReadingClass
from gateway.keywords.words import Word, add_word, spelled

_STRETCHED = re.compile(r"(.)\1\1")
_RUN = re.compile(r"(.)\1+")


class Role(Enum):
    """What a part of a message is."""

    KEYWORD = auto()
    NAME = auto()  # of a program, after a keyword
    NEGATION = auto()
    REACH_ALL = auto()  # a filler that reaches every program
    FILLER = auto()


@dataclass(frozen=True, slots=True)
class Part:
    """Some neighbouring words of a message that we know. `first` and `last` count words.

    A filler with a word is a keyword only where no other keyword is: a program may name "OK" or "texts".
    """

    role: Role
    first: int
    last: int
    word: Word | None = None
    programs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Immutable; build it with `of` and `extended`."""

    words: Mapping[str, Word]  # by spelling
    names: Mapping[str, frozenset[str]]  # slugs of the programs that a phrase names
    fillers: Fillers
    tokens: Mapping[str, str]  # every single word that we know, also by its squeezed form
    longest: int  # words in the longest phrase

    @classmethod
    def of(cls, lexicons: Iterable[Lexicon]) -> "Vocabulary":
        """Join lexicons and the protected words. Raises `ConfigurationError` for a word of two classes (R10)."""
        words: dict[str, Word] = {}
        fillers = Fillers()
        for lexicon in lexicons:
            fillers |= lexicon.fillers
            for word in lexicon.words:
                add_word(words, word)
        for word in _protected_words():
            add_word(words, word)
        return cls._indexed(words, {}, fillers)

    def extended(self, words: Mapping[str, Word], names: Mapping[str, frozenset[str]]) -> "Vocabulary":
        """Return a vocabulary with these words and names instead, which must include the old ones."""
        return self._indexed(words, names, self.fillers)

    def resolved(self, keys: Sequence[str]) -> tuple[str, ...]:
        """Return the words with stretched ones in their usual form: "stoppp" is "stop" (R13)."""
        return tuple(map(self._resolved, keys))

    def parts(self, keys: Sequence[str]) -> tuple[Part, ...] | None:
        """Split resolved words into known parts, the longest first; None when a word is not known there."""
        parts: list[Part] = []
        at = 0
        opened = False
        while at < len(keys):
            part = self._part(keys, at, opened=opened)
            if part is None:
                return None
            parts.append(part)
            opened = opened or part.role is Role.KEYWORD
            at = part.last + 1
        return tuple(parts)

    def is_taken(self, phrase: str) -> bool:
        """Tell whether a phrase is a keyword, a filler or a guard, and so can name no program."""
        return phrase in self.words or phrase in self.fillers.all_phrases()

    @classmethod
    def _indexed(
        cls, words: Mapping[str, Word], names: Mapping[str, frozenset[str]], fillers: Fillers
    ) -> "Vocabulary":
        phrases = [*words, *sorted(fillers.all_phrases()), *names]
        longest = max(phrase.count(" ") + 1 for phrase in phrases)
        return cls(words, names, fillers, _tokens(phrases), longest)

    def _resolved(self, key: str) -> str:
        if self.tokens.get(key) == key or not _STRETCHED.search(key):
            return key
        return self.tokens.get(_squeezed(key), key)

    def _part(self, keys: Sequence[str], at: int, *, opened: bool) -> Part | None:
        if keys[at] not in self.tokens:
            return None
        for end in range(min(at + self.longest, len(keys)), at, -1):
            phrase = " ".join(keys[at:end])
            if role := self._role(phrase, opened=opened):
                programs = self.names.get(phrase, frozenset())
                return Part(role, at, end - 1, self.words.get(phrase), programs)
        return None

    def _role(self, phrase: str, *, opened: bool) -> Role | None:
        fillers = self.fillers
        if phrase in fillers.anywhere or (opened and phrase in fillers.after):
            return Role.FILLER
        if opened and phrase in fillers.reach_all:
            return Role.REACH_ALL
        if phrase in self.words:
            return Role.KEYWORD
        if opened and phrase in self.names:
            return Role.NAME
        return Role.NEGATION if phrase in fillers.negations else None


def _protected_words() -> Iterable[Word]:
    for text in PROTECTED:
        yield Word(text, ReadingClass.OPT_OUT, PROTECTED_LANGUAGE, spelled(text), PROTECTED_BY)


def _tokens(phrases: Iterable[str]) -> Mapping[str, str]:
    """Index the single words of all phrases. The first owner of a squeezed form keeps it: keywords come first."""
    singles = [token for phrase in phrases for token in phrase.split(" ")]
    tokens = {token: token for token in singles}
    for token in singles:
        tokens.setdefault(_squeezed(token), token)
    return tokens


def _squeezed(key: str) -> str:
    return _RUN.sub(r"\1", key)
