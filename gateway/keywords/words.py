"""A keyword with its class and spellings, and the refusal of a word that would have two classes."""

from dataclasses import dataclass, replace
from itertools import product

from gateway.errors import ConfigurationError
from gateway.keywords.normalise import normalise
from gateway.keywords.protected import PROTECTED, PROTECTED_BY
from gateway.keywords.reading import ReadingClass

# The classes that a keyword can have, by their names in TOML.
KEYWORD_CLASSES = {
    klass.value: klass
    for klass in (
        ReadingClass.OPT_OUT,
        ReadingClass.OPT_IN,
        ReadingClass.OPT_IN_CONFIRM,
        ReadingClass.HELP,
    )
}
# Each joint doubles the number of spellings; nobody types a longer keyword apart and together at will.
_MAX_JOINTS = 5


@dataclass(frozen=True, slots=True)
class Word:
    """A keyword of a lexicon or of a program, in every spelling that counts as the same (R3)."""

    text: str  # the canonical form: "opt out"
    klass: ReadingClass
    language: str
    spellings: tuple[str, ...]
    place: str  # where it is configured, for messages
    program: str | None = None  # slug of the only program that names it; None: a word of the language
    reaches_all: bool = False


def spelled(text: str) -> tuple[str, ...]:
    """Return the text's words joined by a blank or by nothing at each joint; () when it has no words.

    The matching forms of "Opt-Out" are "opt out" and "optout". Beyond five joints only all or none are joined.
    """
    keys = normalise(text).keys
    if not keys:
        return ()
    joints = len(keys) - 1
    if joints > _MAX_JOINTS:
        return " ".join(keys), "".join(keys)
    joinings = product((" ", ""), repeat=joints)
    return tuple("".join(_interleaved(keys, joining)) for joining in joinings)


def canonical(text: str) -> str:
    """Return the form in which a keyword is recorded: folded case, single blanks, accents kept."""
    return " ".join(normalise(text).words)


def add_word(index: dict[str, Word], word: Word) -> None:
    """Enter the word under each of its spellings.

    Raises `ConfigurationError` when a spelling has another class already. One change is allowed: a program
    may name as its opt-in keyword what else is only a confirming word (R7).
    """
    for spelling in word.spellings:
        index[spelling] = _settled(index.get(spelling), word)


def clash(word: Word, klass: ReadingClass, place: str) -> ConfigurationError:
    """Return the error for a word that is a word of `klass` already, because of what stands at `place`."""
    is_protected = any(form in spelled(text) for text in PROTECTED for form in word.spellings)
    reason = f"protected by {PROTECTED_BY}" if is_protected else place
    return ConfigurationError(
        f'{word.place}: "{word.text}" cannot be a word of {word.klass}: it is a word of {klass} ({reason})'
    )


def _interleaved(keys: tuple[str, ...], joining: tuple[str, ...]) -> list[str]:
    return [part for pair in zip(keys, (*joining, ""), strict=True) for part in pair]


def _settled(old: Word | None, new: Word) -> Word:
    if old is None:
        return new
    if old.klass is new.klass:
        return _shared(old, new)
    if new.program and (old.klass, new.klass) == (ReadingClass.OPT_IN_CONFIRM, ReadingClass.OPT_IN):
        return new
    if new.program and (old.klass, new.klass) == (ReadingClass.OPT_IN, ReadingClass.OPT_IN_CONFIRM):
        return old
    raise clash(new, old.klass, old.place)


def _shared(old: Word, new: Word) -> Word:
    """Keep the older word; one that two programs name is no longer the word of a single program."""
    if old.program is None or old.program == new.program:
        return old
    return replace(old, program=None)
