"""The sentences of a normalised text: runs of words, and how each ends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.keywords.normalise import CAP, Normalised

# What ends a sentence, taken together with what follows it. A full stop inside "S.T.O.P." or "3.5" has no
# blank after it, and a comma ends none.
_ENDING = re.compile(
    r"(?:[!?\n\uff01\uff1f\u3002\u061f]|[.;\u2026](?=[\s\"'\u201d\u00bb)\]]|\Z)|\s[-\u2013\u2014]+\s)"
    r"[\s!?.\uff01\uff1f\u061f]*"
)
_QUESTIONS = frozenset("?\uff1f\u061f")


@dataclass(frozen=True, slots=True)
class Sentence:
    """The words from `first` up to, not including, `last`."""

    first: int
    last: int
    is_question: bool = False


def sentences(message: Normalised) -> Iterator[Sentence]:
    """Yield the sentences in order; the words of a long text are those of its first `CAP` code points."""
    spans = message.spans
    first = at = 0
    for ending in _ENDING.finditer(message.raw, 0, CAP):
        place = ending.start()
        while at < len(spans) and spans[at][1] <= place:
            at += 1
        if at > first:
            yield Sentence(first, at, not _QUESTIONS.isdisjoint(ending.group()))
            first = at
    if first < len(spans):
        yield Sentence(first, len(spans))
