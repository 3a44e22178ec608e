"""Why a text is read as it is: each stage with its outcome, each phrase found, and what held it back."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.keywords.interpreter import Outcome, Reader
from gateway.keywords.normalise import Normalised
from gateway.keywords.phrase_stage import Found, counts, holder, phrases_in
from gateway.keywords.phrases import PhraseKind
from gateway.keywords.reading import Context, Reading
from gateway.keywords.vocabulary import Vocabulary
from gateway.keywords.wrapper_stage import Unwrapped

PHRASES = "phrases"  # the stage whose phrases are told one by one


@dataclass(frozen=True, slots=True)
class Step:
    """One stage. `keys` are the words as they came to it; `left` those that it left, where it took some off."""

    stage: str
    keys: tuple[str, ...]
    reading: Reading | None
    left: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A phrase that holds others back."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class SeenPhrase:
    """A phrase or guard that stands in the text. `span` counts code points of the raw text."""

    kind: PhraseKind
    text: str  # the notation in its file
    language: str
    place: str  # "en.toml:130"
    span: tuple[int, int]
    held_by: Guard | None
    counts: bool  # False: it means something in a reply to advertising only
    decided: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """The reading and the way to it."""

    reading: Reading
    steps: tuple[Step, ...]
    phrases: tuple[SeenPhrase, ...]  # in the order of the text; none when an earlier stage was certain


class _Watch:
    """Takes down what the stages do."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.free_text: Normalised | None = None

    def __call__(self, stage: str, message: Normalised, outcome: Outcome) -> None:
        if stage == PHRASES:
            self.free_text = message
        if isinstance(outcome, Unwrapped):
            self.steps.append(Step(stage, message.keys, outcome.instead, outcome.message.keys))
            return
        self.steps.append(Step(stage, message.keys, outcome))


def explain(reader: Reader, text: str, context: Context) -> Explanation:
    """Return the reader's reading of the text, and how it came about."""
    watch = _Watch()
    reading = reader.watched(text, context, watch)
    seen: Iterator[SeenPhrase] = iter(())
    if watch.free_text is not None:
        seen = _phrases(watch.free_text, reader.vocabulary, context, reading)
    return Explanation(reading, tuple(watch.steps), tuple(sorted(seen, key=lambda phrase: phrase.span)))


def _phrases(
    message: Normalised, vocabulary: Vocabulary, context: Context, reading: Reading
) -> Iterator[SeenPhrase]:
    matches = phrases_in(message, vocabulary)
    for match in dict.fromkeys(matches):
        guard = holder(match, matches)
        span = message.span(match.first, match.last)
        rule = match.label
        yield SeenPhrase(
            rule.kind,
            rule.text,
            rule.language,
            rule.place,
            span,
            held_by=_guard(guard) if guard else None,
            counts=counts(match, context),
            decided=(rule.text, span) == (reading.keyword, reading.span),
        )


def _guard(match: Found) -> Guard:
    return Guard(match.label.text, match.label.place)
