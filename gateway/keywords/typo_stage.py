"""Stage 5: a keyword with a slip of the finger, and fillers, and nothing else (R23)."""

from dataclasses import replace

from gateway.keywords.keyword_stage import read_keywords
from gateway.keywords.normalise import Normalised
from gateway.keywords.reading import Band, Context, Reading
from gateway.keywords.rules import Rule
from gateway.keywords.typos import distance, nearest_long
from gateway.keywords.vocabulary import Vocabulary

_MOST_WORDS = 6
_MOST_JOINED = 3  # words of a keyword that was typed apart


def read_typos(message: Normalised, vocabulary: Vocabulary, context: Context) -> Reading | None:
    """Read a message in which one word is a keyword but for a slip; never more than probable."""
    if not 0 < len(message.keys) <= _MOST_WORDS:
        return None
    corrected = _with_one_meant(message, vocabulary) or _joined(message, vocabulary)
    reading = read_keywords(corrected, vocabulary, context) if corrected else None
    if reading is None or reading.band is not Band.CERTAIN:
        return None
    return replace(reading, band=Band.PROBABLE, rule=Rule.TYPO)


def _with_one_meant(message: Normalised, vocabulary: Vocabulary) -> Normalised | None:
    keys = message.keys
    unknown = [at for at, key in enumerate(keys) if key not in vocabulary.keyword_tokens]
    meant = _meant(keys[unknown[0]], vocabulary) if len(unknown) == 1 else None
    if meant is None:
        return None
    return replace(message, keys=(*keys[: unknown[0]], meant, *keys[unknown[0] + 1 :]))


def _joined(message: Normalised, vocabulary: Vocabulary) -> Normalised | None:
    """Read "opt uot" as the keyword of two words that it is but for a slip."""
    keys = message.keys
    meant = vocabulary.typos.get("".join(keys)) if 1 < len(keys) <= _MOST_JOINED else None
    if meant is None or " " not in vocabulary.words[meant].text:
        return None
    return replace(
        message, keys=(meant,), words=("".join(message.words),), spans=(message.span(0, len(keys) - 1),)
    )


def _meant(key: str, vocabulary: Vocabulary) -> str | None:
    if key in vocabulary.typos:
        return vocabulary.typos[key]
    if key in vocabulary.grammar.real_words:
        return None
    slips = {word: distance(word, key) for word in vocabulary.long_words if nearest_long(key, (word,))}
    near = [word for word, number in slips.items() if number == min(slips.values())]
    # What could be a word of two classes is of neither: "amelden" for "anmelden" or "abmelden".
    return near[0] if len({vocabulary.words[word].klass for word in near}) == 1 else None
