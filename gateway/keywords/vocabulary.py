"""All that one reader knows: the words of its languages and programs, indexed for matching."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeVar

from gateway.keywords.lexicon import Fillers, Lexicon
from gateway.keywords.normalise import Normalised
from gateway.keywords.phrase_machine import PhraseMachine
from gateway.keywords.phrases import PhraseKind, PhraseRule
from gateway.keywords.protected import COURTESIES, EVERYWHERE, PROTECTED, PROTECTED_BY, PROTECTED_LANGUAGE
from gateway.keywords.reading import ReadingClass
from gateway.keywords.typos import long_words, typos_of, with_letters
from gateway.keywords.words import Word, add_word, spelled
from gateway.keywords.wrappers import ReactionForm, Wrappers

Key = TypeVar("Key")
Value = TypeVar("Value")

_STRETCHED = re.compile(r"(.)\1\1")
_ODD = re.compile(r"[0-9]|(.)\1\1")
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
class Grammar:
    """What the languages of a reader say beyond keywords. Made once for all readers of these languages."""

    machine: PhraseMachine[PhraseRule]
    wrappers: Wrappers
    reactions: Mapping[tuple[str, str], tuple[ReactionForm, ...]]  # by their first and last word, "" for none
    objects: frozenset[tuple[str, ...]]  # what stands in place of a quote: "an image"
    signatures: Mapping[str, tuple[tuple[str, ...], ...]]  # by their first word
    real_words: frozenset[str]

    @classmethod
    def of(cls, lexicons: Sequence[Lexicon]) -> "Grammar":
        """Join what the lexicons hold."""
        wrappers = Wrappers()
        for lexicon in lexicons:
            wrappers |= lexicon.wrappers
        return cls(
            PhraseMachine(
                (rule.phrase, rule, rule.kind is not PhraseKind.GUARD)
                for lexicon in lexicons
                for rule in lexicon.phrases
            ),
            wrappers,
            _grouped((_edges(form), form) for form in wrappers.reactions),
            frozenset(wrappers.objects),
            _grouped((words[0], words) for words in wrappers.signatures),
            frozenset().union(*(lexicon.real_words for lexicon in lexicons)),
        )


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Immutable; build it with `of` and `extended`."""

    words: Mapping[str, Word]  # by spelling
    names: Mapping[str, frozenset[str]]  # slugs of the programs that a phrase names
    fillers: Fillers
    keyword_tokens: frozenset[str]  # the single words of keywords, fillers and names
    tokens: Mapping[str, str]  # every single word that we know, also by its squeezed form
    longest: int  # words in the longest phrase of keywords, fillers and names
    grammar: "Grammar"
    filler_starts: frozenset[str]  # first words of the fillers that stand anywhere
    typos: Mapping[str, str]  # keyword by its misspelling
    long_words: tuple[str, ...]

    @classmethod
    def of(cls, lexicons: Sequence[Lexicon]) -> "Vocabulary":
        """Join lexicons and the protected words. Raises `ConfigurationError` for a word of two classes (R10)."""
        words: dict[str, Word] = {}
        fillers = Fillers()
        for lexicon in lexicons:
            fillers |= lexicon.fillers
            for word in lexicon.words:
                add_word(words, word)
        for word in _protected_words():
            add_word(words, word)
        for word in _words_everywhere():
            words.setdefault(word.text, word)
        fillers |= Fillers(anywhere=frozenset(COURTESIES) - words.keys())
        return cls._indexed(words, {}, fillers, Grammar.of(lexicons))

    def extended(self, words: Mapping[str, Word], names: Mapping[str, frozenset[str]]) -> "Vocabulary":
        """Return a vocabulary with these words and names instead, which must include the old ones."""
        return self._indexed(words, names, self.fillers, self.grammar)

    def resolved(self, message: Normalised) -> Normalised:
        """Return the message with stretched words in their usual form, and digits that stand for letters read so.

        "stoppp" is "stop" (R13), "ST0P" is "stop" (R23).
        """
        if not _ODD.search(" ".join(message.keys)):
            return message
        keys = tuple(map(self._resolved, message.keys))
        return replace(message, keys=keys, is_corrected=keys != message.keys)

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

    def filler_places(self, keys: Sequence[str], first: int, last: int) -> set[int]:
        """Return the places of the words, from `first` up to `last`, that are fillers wherever they stand."""
        found: set[int] = set()
        for at in range(first, last):
            if keys[at] in self.filler_starts:
                found.update(self._filler(keys, at, last))
        return found

    def _filler(self, keys: Sequence[str], at: int, last: int) -> range:
        for end in range(min(at + self.longest, last), at, -1):
            if " ".join(keys[at:end]) in self.fillers.anywhere:
                return range(at, end)
        return range(0)

    @classmethod
    def _indexed(
        cls,
        words: Mapping[str, Word],
        names: Mapping[str, frozenset[str]],
        fillers: Fillers,
        grammar: "Grammar",
    ) -> "Vocabulary":
        phrases = [*words, *sorted(fillers.all_phrases()), *names]
        longest = max(phrase.count(" ") + 1 for phrase in phrases)
        singles = frozenset(token for phrase in phrases for token in phrase.split(" "))
        return cls(
            words,
            names,
            fillers,
            singles,
            _tokens([*phrases, *sorted(grammar.machine.words)]),
            longest,
            grammar,
            frozenset(phrase.partition(" ")[0] for phrase in fillers.anywhere),
            typos_of(words, grammar.real_words | singles | grammar.machine.words),
            long_words(words),
        )

    def _resolved(self, key: str) -> str:
        if key in self.tokens:
            return key
        if not key.isalpha() and not key.isdecimal():
            return next((word for word in with_letters(key) if word in self.keyword_tokens), key)
        if _STRETCHED.search(key):
            return self.tokens.get(_squeezed(key), key)
        return key

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


def _edges(form: ReactionForm) -> tuple[str, str]:
    return form.before[0] if form.before else "", form.after[-1] if form.after else ""


def _grouped(pairs: Iterable[tuple[Key, Value]]) -> Mapping[Key, tuple[Value, ...]]:
    groups: dict[Key, tuple[Value, ...]] = {}
    for key, value in pairs:
        groups[key] = (*groups.get(key, ()), value)
    return groups


def _protected_words() -> Iterable[Word]:
    for text in PROTECTED:
        yield Word(text, ReadingClass.OPT_OUT, PROTECTED_LANGUAGE, spelled(text), PROTECTED_BY)


def _words_everywhere() -> Iterable[Word]:
    for klass, texts in EVERYWHERE.items():
        for text in texts:
            yield Word(text, klass, PROTECTED_LANGUAGE, (text,), "read in every language")


def _tokens(phrases: Iterable[str]) -> Mapping[str, str]:
    """Index the single words of all phrases. The first owner of a squeezed form keeps it: keywords come first."""
    singles = [token for phrase in phrases for token in phrase.split(" ")]
    tokens = {token: token for token in singles}
    for token in singles:
        tokens.setdefault(_squeezed(token), token)
    return tokens


def _squeezed(key: str) -> str:
    return _RUN.sub(r"\1", key)
