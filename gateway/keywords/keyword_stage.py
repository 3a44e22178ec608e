"""Stage 4: messages that consist of keywords, fillers and the words of programs, and of nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.keywords.normalise import Normalised
from gateway.keywords.reading import Band, Context, Reach, Reading, ReadingClass
from gateway.keywords.rules import Rule
from gateway.keywords.vocabulary import Part, Role, Vocabulary
from gateway.keywords.words import Word

_CONSENTING = frozenset({ReadingClass.OPT_IN, ReadingClass.OPT_IN_CONFIRM})


@dataclass(frozen=True, slots=True)
class _Decision:
    klass: ReadingClass
    band: Band
    rule: Rule


def read_keywords(message: Normalised, vocabulary: Vocabulary, context: Context) -> Reading | None:
    """Read a message of known words only; None when any other word is in it, or no keyword.

    Several words of one class are that class (R13). Two directions, or a negation beside a keyword, decide
    nothing (R9). Confirming words are words only while a double opt-in waits for one (R7).
    """
    joined = _joined_letters(message, vocabulary)
    parts = vocabulary.parts(joined.keys) or ()
    deciding = _deciding(parts)
    words = [part.word for part in deciding if part.word]
    classes = {_class(word, context) for word in words}
    if not words or (ReadingClass.OPT_IN_CONFIRM in classes and not context.pending_opt_in):
        return None
    decision = _decide(
        classes, deciding, is_plain=not joined.is_corrected and " ".join(joined.keys) in vocabulary.words
    )
    if decision is None:
        return None
    span = joined.span(deciding[0].first, deciding[-1].last)
    if decision.klass is ReadingClass.OTHER:
        return Reading(decision.klass, decision.band, rule=decision.rule, span=span)
    word = next(word for word in words if _class(word, context) is decision.klass)
    return _reading(decision, word, deciding, span)


def _joined_letters(message: Normalised, vocabulary: Vocabulary) -> Normalised:
    """Read "S.T.O.P." as one word, where the letters make one that we know (R4)."""
    keys = message.keys
    if any(len(key) > 1 for key in keys) or "".join(keys) not in vocabulary.words:
        return message
    span = message.span(0, len(keys) - 1)
    return Normalised(message.raw, ("".join(message.words),), ("".join(keys),), (span,))


def _deciding(parts: Sequence[Part]) -> list[Part]:
    """Leave the fillers out. A filler that is also a keyword stays one where no other keyword is."""
    if any(part.role is Role.KEYWORD for part in parts):
        return [_without_word(part) for part in parts if part.role is not Role.FILLER]
    return [part for part in parts if part.word or part.role is not Role.FILLER]


def _without_word(part: Part) -> Part:
    return part if part.role is Role.KEYWORD or not part.word else replace(part, word=None)


def _class(word: Word, context: Context) -> ReadingClass:
    if word.klass is ReadingClass.OPT_IN and context.pending_opt_in:
        return ReadingClass.OPT_IN_CONFIRM
    return word.klass


def _decide(classes: set[ReadingClass], parts: Sequence[Part], *, is_plain: bool) -> _Decision | None:
    opts_out = ReadingClass.OPT_OUT in classes
    consents = not classes.isdisjoint(_CONSENTING)
    is_negated = any(part.role is Role.NEGATION for part in parts)
    if (opts_out and consents) or (is_negated and (opts_out or consents)):
        return _Decision(ReadingClass.OTHER, Band.UNCLEAR, Rule.BOTH_DIRECTIONS)
    if is_negated:
        return None
    if len(classes) > 1:
        # Beside HELP: an opt-out is acted on, since a miss costs more; a consent is not taken from it.
        klass = ReadingClass.OPT_OUT if opts_out else ReadingClass.HELP
        return _Decision(klass, Band.PROBABLE, Rule.KEYWORDS_MIXED)
    return _Decision(next(iter(classes)), Band.CERTAIN, Rule.KEYWORD if is_plain else Rule.KEYWORD_LOOSE)


def _reading(decision: _Decision, word: Word, parts: Sequence[Part], span: tuple[int, int]) -> Reading | None:
    names = {part.programs for part in parts if part.role is Role.NAME}
    says_all = any(part.role is Role.REACH_ALL or (part.word and part.word.reaches_all) for part in parts)
    if decision.klass is ReadingClass.OPT_OUT:
        reach, program = _reach_of_opt_out(names, says_all=says_all)
    elif len(names) > 1:
        return None
    else:
        reach, program = _reach(names, decision.klass, word, says_all=says_all)
    return Reading(
        klass=decision.klass,
        band=decision.band,
        reach=reach,
        program=program,
        rule=Rule.KEYWORD_PROGRAM if names and decision.band is Band.CERTAIN else decision.rule,
        language=word.language,
        keyword=word.text,
        span=span,
    )


def _reach_of_opt_out(names: set[frozenset[str]], *, says_all: bool) -> tuple[Reach, str | None]:
    """Of two ways to understand an opt-out take the wider one: a missed part of it costs more."""
    if says_all or len(names) > 1:
        return Reach.ALL, None
    return _named(names)


def _reach(
    names: set[frozenset[str]], klass: ReadingClass, word: Word, *, says_all: bool
) -> tuple[Reach, str | None]:
    """Of two ways to understand any other word take the narrower one: consent must be unambiguous."""
    if names:
        return _named(names)
    if word.program and klass is not ReadingClass.OPT_IN_CONFIRM:
        return Reach.NAMED, word.program
    is_all = says_all and klass is ReadingClass.OPT_IN
    return (Reach.ALL if is_all else Reach.DEFAULT), None


def _named(names: set[frozenset[str]]) -> tuple[Reach, str | None]:
    """Return the one program; a phrase that names several says no more than the keyword alone."""
    programs = next(iter(names), frozenset())
    if len(programs) == 1:
        return Reach.NAMED, next(iter(programs))
    return Reach.DEFAULT, None
