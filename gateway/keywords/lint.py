"""What is wrong with a language file, and what in it does nothing. Only what is certain is told."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import ConfigurationError
from gateway.keywords.lexicon import Lexicon, read_lexicon
from gateway.keywords.phrase_syntax import Phrase
from gateway.keywords.phrases import PhraseKind, PhraseRule
from gateway.keywords.reading import ReadingClass
from gateway.keywords.source import Source
from gateway.keywords.tags import broader
from gateway.keywords.texts import TextKey
from gateway.keywords.typos import is_slip
from gateway.keywords.vocabulary import Vocabulary
from gateway.keywords.words import Word

# A name of usual length, and what the settings put into a reply unless told otherwise.
_SAMPLE = {
    "name": "N" * 20,
    "contact": "help@example.com",
    "frequency": "Msg frequency varies.",
    "rates": "Msg & data rates may apply.",
}
_TO_LEAVE, _TO_RETURN = (ReadingClass.OPT_OUT,), (ReadingClass.OPT_IN,)
_TO_CONFIRM, _FOR_HELP = (ReadingClass.OPT_IN_CONFIRM, ReadingClass.OPT_IN), (ReadingClass.HELP,)
# What a reply must tell the person to write (47 CFR 64.1200(a)(12); CTIA, Short Code Monitoring Handbook).
_NAMED = {
    TextKey.OPT_OUT: (_TO_RETURN,),
    TextKey.OPT_OUT_NAMELESS: (_TO_RETURN,),
    TextKey.OPT_IN: (_TO_LEAVE, _FOR_HELP),
    TextKey.OPT_IN_PENDING: (_TO_CONFIRM, _TO_LEAVE),
    TextKey.HELP: (_TO_LEAVE,),
    TextKey.CLARIFY: (_TO_LEAVE, _TO_RETURN),
    TextKey.CLARIFY_NAMELESS: (_TO_LEAVE, _TO_RETURN),
}
_SET = re.compile(r"<([^<>\s]+)>")


class Grade(StrEnum):
    """How much a remark matters."""

    FAULT = "fault"  # the file cannot be used so
    NOTE = "note"  # it can, but this does nothing, or less than it seems to


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to look at. `place` is "file:line"."""

    grade: Grade
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class _File:
    source: Source
    lexicon: Lexicon
    vocabulary: Vocabulary  # with the languages that it adds to

    def note(self, message: str, table: str, *, key: str = "", word: str = "") -> Remark:
        return Remark(Grade.NOTE, self.source.place(table, key=key, word=word), message)


def lint(name: str, text: str, known: Sequence[Lexicon], segments: Callable[[str], int]) -> list[Remark]:
    """Return all remarks on the file's text, one fault at most: what comes after it is not looked at.

    `known` are the other languages; the file adds to that of its own tag. `segments` tells how many SMS a
    reply needs.
    """
    try:
        lexicon = _read(name, text, known)
        base = [other for other in known if other.language in set(broader(lexicon.language))]
        vocabulary = Vocabulary.of([*base, lexicon])
    except ConfigurationError as error:
        place, _, message = str(error).partition(": ")
        return [Remark(Grade.FAULT, place, message)]
    file = _File(Source.of(name, text), lexicon, vocabulary)
    looks = (_repeated_words, _useless_phrases, _unused_sets, _idle_real_words)
    return [remark for look in looks for remark in look(file)] + list(_texts(file, segments))


def _read(name: str, text: str, known: Iterable[Lexicon]) -> Lexicon:
    lexicon = read_lexicon(name, text, is_addition=True)
    is_addition = any(lexicon.language == other.language for other in known)
    return lexicon if is_addition else read_lexicon(name, text)


def _repeated_words(file: _File) -> Iterator[Remark]:
    seen: dict[str, str] = {}
    for word in file.lexicon.words:
        twice = next((form for form in word.spellings if form in seen), None)
        if twice is not None:
            yield Remark(Grade.NOTE, word.place, f'"{word.text}" stands at {seen[twice]} already')
        seen.update((form, word.place) for form in word.spellings if form not in seen)


def _useless_phrases(file: _File) -> Iterator[Remark]:
    """Find phrases that say the same as another one, or as a guard, which then always holds them back."""
    guards = {rule.phrase: rule for rule in file.lexicon.phrases if rule.kind is PhraseKind.GUARD}
    seen: dict[Phrase, PhraseRule] = {}
    for rule in file.lexicon.phrases:
        other = seen.setdefault(rule.phrase, rule)
        guard = guards.get(rule.phrase)
        if guard is not None and guard is not rule and rule.kind is not PhraseKind.GUARD:
            yield _on(rule, f"never counts: the guard at {guard.place} says the same")
        elif other is not rule and (rule.kind is PhraseKind.GUARD) == (other.kind is PhraseKind.GUARD):
            yield _on(rule, f"says the same as {other.place}, of {other.kind}")


def _on(rule: PhraseRule, message: str) -> Remark:
    return Remark(Grade.NOTE, rule.place, f'phrase "{rule.text}" {message}')


def _unused_sets(file: _File) -> Iterator[Remark]:
    used = {name for rule in file.lexicon.phrases for name in _SET.findall(rule.text)}
    for name in file.lexicon.sets:
        if name not in used:
            yield file.note(f"no phrase uses the set <{name}>", "sets", key=name)


def _idle_real_words(file: _File) -> Iterator[Remark]:
    words = file.vocabulary.words.items()
    idle = [
        text
        for text in sorted(file.lexicon.real_words)
        if not any(is_slip(text, spelling, word) for spelling, word in words)
    ]
    if idle:
        message = f"these are no slips of any keyword, and guard nothing: {', '.join(idle)}"
        yield file.note(message, "typos", key="real_words")


def _texts(file: _File, segments: Callable[[str], int]) -> Iterator[Remark]:
    for key, text in file.lexicon.texts.items():
        number = segments(text.format_map(_SAMPLE))
        if number > 1:
            yield file.note(f"needs {number} SMS with a name of 20 characters", "texts", key=key)
        for classes in _NAMED[TextKey(key)]:
            if not _names_word(text, classes, file.vocabulary.words):
                wanted = " or ".join(classes)
                yield file.note(f"names no keyword of {wanted} in capital letters", "texts", key=key)


def _names_word(text: str, classes: Sequence[ReadingClass], words: Mapping[str, Word]) -> bool:
    return any(
        form.upper() in text
        for spelling, word in words.items()
        if word.klass in classes
        for form in (spelling, word.text)
    )
