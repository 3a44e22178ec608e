"""Stage 1: a copy of the text in which only its words are left, each with its place in the raw text."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# A longer text is read by its first 2,000 code points, so that nobody can buy our time with length (R26).
CAP = 2_000

_APOSTROPHES = "'`\u00b4\u02b9\u02bc\u2018\u2019\u201b\u2032\uff07"
_STRAIGHT = dict.fromkeys(map(ord, _APOSTROPHES), "'")
# Letters by category, yet drawn as nothing: Hangul fillers, and the variation selectors (marks).
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u034f")
_SELECTORS = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF), (0x180B, 0x180D))
# Cyrillic and Greek letters that are drawn like Latin ones. Used only in a word that has Latin letters
# as well, which no real word does: STOP with a Cyrillic O.
_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјкморстухԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορτυ",
    "ABESIJKMHOPCTYXaesijkmopctyxdhqwABEZHIKMNOPTYXaikvoptu",
)
# Letters of Latin script whose stroke or missing dot is no mark to Unicode: "wy\u0142\u0105cz" is typed "wylacz".
_STROKES = str.maketrans("\u0142\u0111\u00f8\u0127\u0167\u0131", "ldohti")

# The two grammars below say the same: a word is a run of word characters, apostrophes allowed inside.
_PLAIN_WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")
_WORD, _MARK, _DROPPED, _APOSTROPHE, _GAP = "wmdag"
_SHAPED_WORD = re.compile(r"w(?:[wmd]*[wm])?(?:d*ad*w(?:[wmd]*[wm])?)*")


@dataclass(frozen=True, slots=True)
class Normalised:
    """The words of a text, in order. The raw text is kept as it came."""

    raw: str
    words: tuple[str, ...]  # NFKC, case-folded, without format characters, straight apostrophes
    keys: tuple[str, ...]  # the same without diacritics on Latin letters: for keywords only (R2)
    spans: tuple[tuple[int, int], ...]  # code points of the raw text, one pair a word
    is_corrected: bool = False  # a key is not as typed: stretched letters, digits for letters

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Return the code points of the raw text from word `first` to word `last`, both included."""
        return self.spans[first][0], self.spans[last][1]


def normalise(text: str) -> Normalised:
    """Return the words of the text's first `CAP` code points, in linear time (R1 to R4, R26)."""
    head = text[:CAP]
    if head.isascii():
        return _plain(text, head.lower().replace("`", "'"))
    shape = "".join(map(_kind, head))
    spans = tuple(match.span() for match in _SHAPED_WORD.finditer(shape))
    words = tuple(_word(head[start:end]) for start, end in spans)
    return Normalised(text, words, tuple(map(_folded, words)), spans)


def _plain(text: str, lower: str) -> Normalised:
    matches = list(_PLAIN_WORD.finditer(lower))
    words = tuple(match.group() for match in matches)
    return Normalised(text, words, words, tuple(match.span() for match in matches))


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    if character in _APOSTROPHES:
        return _APOSTROPHE
    if _is_unseen(character):
        return _DROPPED
    if unicodedata.category(character) in {"Mn", "Mc"}:
        return _MARK
    # Circled and squared letters become one letter; signs such as the trade mark become several.
    plain = unicodedata.normalize("NFKC", character)
    is_letter = character.isalnum() or (len(plain) == 1 and plain.isalnum())
    return _WORD if is_letter else _GAP


def _is_unseen(character: str) -> bool:
    """Tell format characters (zero-width, bidi, soft hyphen, tags), selectors and fillers."""
    if unicodedata.category(character) == "Cf" or character in _INVISIBLE:
        return True
    return any(first <= ord(character) <= last for first, last in _SELECTORS)


def _word(run: str) -> str:
    seen = "".join(character for character in run if _kind(character) != _DROPPED)
    composed = unicodedata.normalize("NFKC", seen.translate(_STRAIGHT))
    if any(character.isascii() and character.isalpha() for character in composed):
        composed = composed.translate(_LOOKALIKES)
    return unicodedata.normalize("NFKC", composed.casefold())


def _folded(word: str) -> str:
    """Drop the marks on Latin letters. In other scripts a mark makes another letter or word."""
    if word.isascii():
        return word
    kept: list[str] = []
    for character in unicodedata.normalize("NFD", word).translate(_STROKES):
        if unicodedata.combining(character) and kept and kept[-1].isascii():
            continue
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))
