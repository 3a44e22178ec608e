"""Stage 5: a keyword with a slip of the finger, and fillers, and nothing else (R23)."""

from dataclasses import replace

from gateway.keywords.keyword_stage import read_keywords
from gateway.keywords.normalise import Normalised
from gateway.keywords.reading import Band, Context, Reading
from gateway.keywords.rules import Rule
from gateway.keywords.typos import nearest_long
from gateway.keywords.vocabulary import Vocabulary

_MOST_WORDS = 6


def read_typos(message: Normalised, vocabulary: Vocabulary, context: Context) -> Reading | None:
    """Read a message in which one word is a keyword but for a slip; never more than probable."""
    if not 0 < len(message.keys) <= _MOST_WORDS:
        return None
    keys = message.keys
    unknown = [at for at, key in enumerate(keys) if key not in vocabulary.keyword_tokens]
    if len(unknown) != 1:
        return None
    meant = _meant(keys[unknown[0]], vocabulary)
    if meant is None:
        return None
    corrected = (*keys[: unknown[0]], meant, *keys[unknown[0] + 1 :])
    reading = read_keywords(replace(message, keys=corrected), vocabulary, context)
    if reading is None or reading.band is not Band.CERTAIN:
        return None
    return replace(reading, band=Band.PROBABLE, rule=Rule.TYPO)


def _meant(key: str, vocabulary: Vocabulary) -> str | None:
    if key in vocabulary.typos:
        return vocabulary.typos[key]
    return None if key in vocabulary.grammar.real_words else nearest_long(key, vocabulary.long_words)
