"""Typing errors of keywords, guarded by the real words that they could be (R23)."""

import string
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import product

from gateway.keywords.reading import ReadingClass
from gateway.keywords.words import Word

SHORTEST = 4  # letters; a shorter word has too many neighbours that are words
_LONG = 8  # letters from which two slips still leave no doubt
_SLIPS_IN_LONG = 2
# A bare "yes" means nothing by itself, so a misspelled one means less.
_CLASSES = frozenset({ReadingClass.OPT_OUT, ReadingClass.OPT_IN, ReadingClass.HELP})
# Drawn alike or typed for a letter: "ST0P", "5TOP", "CANCE1".
_DIGITS = {"0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g"}
_MOST_DIGITS = 3


def typos_of(words: Mapping[str, Word], real_words: Collection[str]) -> Mapping[str, str]:
    """Return the words that are one slip away from one keyword, with that keyword.

    A slip is a letter left out, put in, changed or swapped with its neighbour (Damerau). Left out are real
    words, keywords, and what could be of two classes.
    """
    found: dict[str, str] = {}
    unsure: set[str] = set()
    for spelling, word in _correctable(words):
        for typo in slips(spelling):
            other = found.setdefault(typo, spelling)
            if words[other].klass is not word.klass:
                unsure.add(typo)
    taken = unsure | set(words) | set(real_words)
    return {typo: word for typo, word in found.items() if typo not in taken}


def long_words(words: Mapping[str, Word]) -> tuple[str, ...]:
    """Return the keywords so long that two slips are forgiven."""
    return tuple(spelling for spelling, _ in _correctable(words) if len(spelling) >= _LONG)


def nearest_long(typed: str, candidates: Iterable[str]) -> str | None:
    """Return the long keyword that is at most two slips away, None for none."""
    if len(typed) < _LONG - _SLIPS_IN_LONG:
        return None
    near = (
        word for word in candidates if abs(len(word) - len(typed)) <= _SLIPS_IN_LONG and word[0] == typed[0]
    )
    return next((word for word in near if distance(word, typed) <= _SLIPS_IN_LONG), None)


def is_slip(typed: str, spelling: str, word: Word) -> bool:
    """Tell whether what was typed would be read as this spelling of the word, were it no real word."""
    if typed == spelling or not any(_correctable({spelling: word})):
        return False
    if distance(typed, spelling) == 1:
        return True
    return len(spelling) >= _LONG and nearest_long(typed, [spelling]) is not None


def slips(word: str) -> Iterator[str]:
    """Yield every string that is one slip away from the word."""
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        for letter in string.ascii_lowercase:
            yield before + letter + after
            if after and letter != after[0]:
                yield before + letter + after[1:]
        if after:
            yield before + after[1:]
        if len(after) > 1 and after[0] != after[1]:
            yield before + after[1] + after[0] + after[2:]


def distance(one: str, other: str) -> int:
    """Return the number of slips between two words (optimal string alignment)."""
    before: list[int] = []
    current = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        earlier, before = before, current
        current = [i]
        for j, against in enumerate(other, start=1):
            cost = min(before[j] + 1, current[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, earlier[j - 2] + 1)
            current.append(cost)
    return current[-1]


def with_letters(key: str) -> Iterator[str]:
    """Yield what a word with digits among its letters may stand for."""
    if key.isdecimal() or sum(map(str.isdecimal, key)) > _MOST_DIGITS:
        return
    for letters in product(*(_DIGITS.get(character, character) for character in key)):
        yield "".join(letters)


def _correctable(words: Mapping[str, Word]) -> Iterator[tuple[str, Word]]:
    for spelling, word in words.items():
        if word.klass in _CLASSES and len(spelling) >= SHORTEST and spelling.isascii() and spelling.isalpha():
            yield spelling, word
