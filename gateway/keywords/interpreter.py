"""Text -> reading. Deterministic, offline, in linear time."""

import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from gateway.errors import ConfigurationError
from gateway.keywords.keyword_stage import read_keywords
from gateway.keywords.lexicon import Lexicon, shipped_lexicons
from gateway.keywords.normalise import Normalised, normalise
from gateway.keywords.phrase_stage import read_phrases
from gateway.keywords.programs import ProgramWords, with_programs
from gateway.keywords.protected import PROTECTED_LANGUAGE
from gateway.keywords.reading import Band, Context, Reading, ReadingClass
from gateway.keywords.tags import broader
from gateway.keywords.texts import Texts
from gateway.keywords.typo_stage import read_typos
from gateway.keywords.verdict_stage import weigh
from gateway.keywords.vocabulary import Vocabulary
from gateway.keywords.wrapper_stage import Unwrapped, unwrap

# What a stage makes of a message: a reading; the part of it that the later stages should read, when it
# took off a wrapper; or nothing, when it cannot tell.
Outcome = Reading | Unwrapped | None
# Told of each stage: its name, the message as it got it, and its outcome.
Watch = Callable[[str, Normalised, Outcome], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """One way to read a message. `read` is pure and takes linear time."""

    name: str
    read: Callable[[Normalised, Vocabulary, Context], Outcome]


# In the order in which they are asked. The first certain reading ends it. The provider's verdict is weighed
# after them (`verdict_stage`).
STAGES = (
    Stage("wrappers", unwrap),
    Stage("keywords", read_keywords),
    Stage("typos", read_typos),
    Stage("phrases", read_phrases),
)

_NORMALISE = "normalise"
_NO_CONTEXT = Context()
_BANDS = (Band.UNCLEAR, Band.PROBABLE, Band.CERTAIN)
# Longer than any single keyword with its punctuation; keeps the quick way from copying long texts.
_QUICK_LENGTH = 64
_TAIL = string.punctuation + string.whitespace


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the messages to one sender, whose programs it knows. Immutable; made once, used for long."""

    vocabulary: Vocabulary
    stages: tuple[Stage, ...]
    quick: tuple[Mapping[str, Reading], Mapping[str, Reading]]  # whole messages; without, with pending opt-in

    def read(self, text: str, context: Context = _NO_CONTEXT) -> Reading:
        """Return what the text means. Never raises; same text and context, same reading."""
        if context.verdict is None and len(text) <= _QUICK_LENGTH:
            reading = self.quick[context.pending_opt_in].get(text.rstrip(_TAIL).lower())
            if reading is not None:
                return reading
        return weigh(self._own(text, context), context.verdict)

    def watched(self, text: str, context: Context, watch: Watch) -> Reading:
        """Return the same reading, and tell `watch` of each stage on the way."""
        return weigh(_read_by(self.stages, self.vocabulary, text, context, watch), context.verdict)

    def _own(self, text: str, context: Context) -> Reading:
        return _read_by(self.stages, self.vocabulary, text, context)


class Interpreter:
    """The languages that the gateway knows, and the readers made from them."""

    def __init__(self, lexicons: Iterable[Lexicon], *, stages: Sequence[Stage] = STAGES) -> None:
        """Take lexicons; a later one of the same language adds to the earlier."""
        self._stages = tuple(stages)
        self._lexicons: dict[str, Lexicon] = {}
        self._vocabularies: dict[tuple[str, ...], Vocabulary] = {}
        for lexicon in lexicons:
            known = self._lexicons.get(lexicon.language)
            self._lexicons[lexicon.language] = known.extended(lexicon) if known else lexicon

    @classmethod
    @cache
    def shipped(cls) -> "Interpreter":
        """Return the interpreter of the shipped languages. Reads files; raises `ConfigurationError`.

        One for the process: what it has worked out for one set of languages serves all who read them.
        """
        return cls(shipped_lexicons())

    @property
    def languages(self) -> tuple[str, ...]:
        """The tags of the known languages, in order."""
        return tuple(sorted(self._lexicons))

    @property
    def texts(self) -> Texts:
        """What we answer, in all known languages."""
        return Texts({tag: lexicon.texts for tag, lexicon in self._lexicons.items()})

    def for_programs(self, programs: Sequence[ProgramWords]) -> Reader:
        """Return the reader for one sender with these programs; without any, it reads English.

        The languages of all of them are read, and the protected words always. Raises `ConfigurationError`,
        with the place, for an unknown language and for every word that would have two meanings here.
        """
        vocabulary = with_programs(self._vocabulary(self._chosen(programs)), programs)
        quick = tuple(
            _quick(self._stages, vocabulary, Context(pending_opt_in=pending)) for pending in (False, True)
        )
        return Reader(vocabulary, self._stages, (quick[0], quick[1]))

    def _vocabulary(self, lexicons: Sequence[Lexicon]) -> Vocabulary:
        """Join the lexicons once for all readers that share them."""
        tags = tuple(lexicon.language for lexicon in lexicons)
        if tags not in self._vocabularies:
            self._vocabularies[tags] = Vocabulary.of(lexicons)
        return self._vocabularies[tags]

    def _chosen(self, programs: Sequence[ProgramWords]) -> list[Lexicon]:
        tags = [(tag, program) for program in programs for tag in program.languages]
        chosen: dict[str, Lexicon] = {}
        for tag, program in tags:
            found = self._of_tag(tag)
            if not found:
                known = ", ".join(self.languages)
                raise ConfigurationError(
                    f'{program.place(tag, key="languages")}: unknown language "{tag}"; known are {known}'
                )
            chosen.update((lexicon.language, lexicon) for lexicon in found)
        return list(chosen.values()) or self._of_tag(PROTECTED_LANGUAGE)

    def _of_tag(self, tag: str) -> list[Lexicon]:
        """Return the lexicons of a tag: the region's own words come on top of the language's: "en-au", "en"."""
        return [self._lexicons[name] for name in broader(tag) if name in self._lexicons]


def _read_by(
    stages: Sequence[Stage], vocabulary: Vocabulary, text: str, context: Context, watch: Watch | None = None
) -> Reading:
    message = vocabulary.resolved(normalise(text))
    passed: tuple[str, ...] = (_NORMALISE,)
    best: Reading | None = None
    for stage in stages:
        passed = (*passed, stage.name)
        outcome = stage.read(message, vocabulary, context)
        if watch:
            watch(stage.name, message, outcome)
        if isinstance(outcome, Unwrapped):
            message, best = outcome.message, outcome.instead
        elif outcome is not None and (best is None or _is_surer(outcome, best)):
            best = replace(outcome, stages=passed)
            if best.band is Band.CERTAIN:
                return best
    return best or Reading(ReadingClass.OTHER, stages=passed)


def _is_surer(new: Reading, old: Reading) -> bool:
    if old.klass is ReadingClass.AUTO_REPLY:
        return new.klass is not ReadingClass.OTHER  # a device that says STOP opts out (R16)
    return _BANDS.index(new.band) > _BANDS.index(old.band)


def _quick(stages: Sequence[Stage], vocabulary: Vocabulary, context: Context) -> Mapping[str, Reading]:
    """Read every keyword beforehand, in the way in which all texts are read."""
    return {phrase: _read_by(stages, vocabulary, phrase, context) for phrase in vocabulary.words}
