"""Stage 6: free text, by the phrases of its languages and the guards that hold them back (R17 to R22)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from gateway.keywords.keyword_stage import read_keywords
from gateway.keywords.normalise import Normalised
from gateway.keywords.phrase_machine import Match
from gateway.keywords.phrases import NUMBER, PhraseKind, PhraseRule
from gateway.keywords.reading import Band, Context, Reach, Reading, ReadingClass
from gateway.keywords.rules import Rule
from gateway.keywords.sentences import Sentence, sentences
from gateway.keywords.vocabulary import Part, Role, Vocabulary

_MOST_KEYWORD_SENTENCE = 6  # words; a longer sentence is no keyword with fillers
_SHORTEST_NUMBER = 3  # digits


@dataclass(frozen=True, slots=True)
class _Meaning:
    klass: ReadingClass
    rule: Rule
    band: Band = Band.PROBABLE
    reach: Reach = Reach.DEFAULT
    replies_only: bool = False  # counts only where our last message was marketing and recent


# In the order in which they win: what ends messages first, since its miss costs most.
_MEANINGS = {
    PhraseKind.ECHO: _Meaning(ReadingClass.OPT_OUT, Rule.ECHO, Band.CERTAIN),
    PhraseKind.OPT_OUT_ALL: _Meaning(ReadingClass.OPT_OUT, Rule.PHRASE, reach=Reach.ALL),
    PhraseKind.OPT_OUT_MARKETING: _Meaning(ReadingClass.OPT_OUT, Rule.PHRASE, reach=Reach.MARKETING),
    PhraseKind.OPT_OUT: _Meaning(ReadingClass.OPT_OUT, Rule.PHRASE),
    PhraseKind.OPT_OUT_REPLY: _Meaning(ReadingClass.OPT_OUT, Rule.PHRASE_REPLY, replies_only=True),
    PhraseKind.WRONG_NUMBER: _Meaning(ReadingClass.WRONG_NUMBER, Rule.WRONG_NUMBER),
    PhraseKind.WRONG_NUMBER_REPLY: _Meaning(ReadingClass.WRONG_NUMBER, Rule.WRONG_NUMBER, replies_only=True),
    PhraseKind.REFUSAL: _Meaning(ReadingClass.REFUSAL, Rule.REFUSAL, replies_only=True),
    PhraseKind.OPT_IN: _Meaning(ReadingClass.OPT_IN, Rule.PHRASE),
    PhraseKind.HELP: _Meaning(ReadingClass.HELP, Rule.PHRASE),
    PhraseKind.OTHER_CHANNEL: _Meaning(ReadingClass.OTHER, Rule.OTHER_CHANNEL, Band.CERTAIN),
    PhraseKind.AUTO_REPLY: _Meaning(ReadingClass.AUTO_REPLY, Rule.AUTO_REPLY),
    PhraseKind.UNCLEAR: _Meaning(ReadingClass.OPT_OUT, Rule.PHRASE, Band.UNCLEAR, replies_only=True),
}
_ORDER = {kind: place for place, kind in enumerate(_MEANINGS)}
_HOLDING = frozenset({PhraseKind.GUARD, PhraseKind.OTHER_CHANNEL})

Found: TypeAlias = Match[PhraseRule]


def read_phrases(message: Normalised, vocabulary: Vocabulary, context: Context) -> Reading | None:
    """Read free text: the phrase that stands and matters most, else what held it back, else nothing."""
    words = _resolved(message, vocabulary)
    parts = tuple(sentences(message))
    found = [match for part in parts for match in _search(words, vocabulary, part)]
    matches = _without_broken(message, found)
    standing = _standing(matches)
    best = min(_counting(standing, context), key=_rank, default=None)
    by_keyword = _keyword_sentence(message, vocabulary, context, parts)
    if best is None or (by_keyword and _MEANINGS[best.label.kind].klass is not ReadingClass.OPT_OUT):
        held = _held(message, matches) or _negated_keyword(message, vocabulary)
        return by_keyword or held
    if _contradicted(best, standing) or _says_start_too(best, words, vocabulary):
        return Reading(ReadingClass.OTHER, Band.UNCLEAR, rule=Rule.BOTH_DIRECTIONS, span=_span(message, best))
    return _reading(message, best, _named(message, words, vocabulary, best))


def phrases_in(message: Normalised, vocabulary: Vocabulary) -> list[Found]:
    """Return every phrase and guard in the message, also those that decide nothing."""
    words = _resolved(message, vocabulary)
    machine = vocabulary.grammar.machine
    found = [
        match
        for part in sentences(message)
        for match in machine.search(words, vocabulary.filler_places(words, part.first, part.last), part)
    ]
    return _without_broken(message, found)


def holder(match: Found, matches: Iterable[Found]) -> Found | None:
    """Return the guard among the matches that holds this one back, None for none."""
    if match.label.kind is PhraseKind.GUARD:
        return None
    guards = (other for other in matches if other.label.kind in _HOLDING)
    return next((guard for guard in guards if _holds(guard, match)), None)


def counts(match: Found, context: Context) -> bool:
    """Tell whether the phrase means anything in this context: some do only in a reply to advertising."""
    if match.label.kind is PhraseKind.GUARD:
        return True
    return context.marketing or not _MEANINGS[match.label.kind].replies_only


def _resolved(message: Normalised, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the words without typing errors; a number is a number."""
    tokens = vocabulary.tokens
    return tuple([key if key in tokens else _corrected(key, vocabulary.typos) for key in message.keys])


def _corrected(key: str, typos: Mapping[str, str]) -> str:
    if key.isdecimal() and len(key) >= _SHORTEST_NUMBER:
        return NUMBER
    return typos.get(key, key)


def _search(words: Sequence[str], vocabulary: Vocabulary, sentence: Sentence) -> list[Found]:
    skips = vocabulary.filler_places(words, sentence.first, sentence.last)
    machine = vocabulary.grammar.machine
    if not machine.finds(words, skips, sentence):
        return []
    return machine.search(words, skips, sentence)


def _without_broken(message: Normalised, matches: Sequence[Found]) -> list[Found]:
    """Leave out guards with a comma inside: "no, stop" negates nothing, "no stop" may.

    One that is written with a comma stays: "can't make it, please cancel".
    """
    if "," not in message.raw:
        return list(matches)
    return [
        match
        for match in matches
        if match.label.kind is not PhraseKind.GUARD
        or match.label.crosses_commas
        or not _has_comma(message, match)
    ]


def _has_comma(message: Normalised, match: Found) -> bool:
    return any(_is_comma_after(message, at) for at in range(match.first, match.last))


def _is_comma_after(message: Normalised, at: int) -> bool:
    spans = message.spans
    return "," in message.raw[spans[at][1] : spans[at + 1][0]]


def _standing(matches: Collection[Found]) -> list[Found]:
    """Leave out the phrases that a guard touches. One that holds the whole guard and more stands."""
    guards = [match for match in matches if match.label.kind in _HOLDING]
    return [
        match
        for match in matches
        if match.label.kind is not PhraseKind.GUARD and not any(_holds(guard, match) for guard in guards)
    ]


def _holds(guard: Found, match: Found) -> bool:
    if guard.label.kind is match.label.kind or guard.last < match.first or match.last < guard.first:
        return False
    contains = match.first <= guard.first and guard.last <= match.last
    return not contains or (match.first, match.last) == (guard.first, guard.last)


def _counting(matches: Iterable[Found], context: Context) -> list[Found]:
    return [match for match in matches if counts(match, context)]


def _rank(match: Found) -> tuple[int, int, int]:
    return _ORDER[match.label.kind], match.first - match.last, match.first


def _contradicted(best: Found, standing: Iterable[Found]) -> bool:
    """Tell whether another phrase says the opposite (R9)."""
    classes = {
        _MEANINGS[match.label.kind].klass
        for match in standing
        if match.label.kind is not PhraseKind.UNCLEAR and not _is_within(match, best)
    }
    opposite = {ReadingClass.OPT_OUT, ReadingClass.OPT_IN}
    classes.add(_MEANINGS[best.label.kind].klass)
    return opposite <= classes


def _says_start_too(best: Found, words: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Tell whether a word of opt-in stands beside a phrase that is not clear by itself: "stop ... then start" (R9)."""
    if best.label.kind is not PhraseKind.OPT_OUT_REPLY:
        return False
    known = (vocabulary.words.get(word) for word in words)
    return any(word is not None and word.klass is ReadingClass.OPT_IN for word in known)


def _is_within(match: Found, other: Found) -> bool:
    """Tell whether the longer phrase says what its part would say otherwise: "add me to your do not call list"."""
    return other.first <= match.first and match.last <= other.last


def _reading(message: Normalised, match: Found, program: str | None) -> Reading:
    meaning = _MEANINGS[match.label.kind]
    reach = meaning.reach
    if program is not None and reach is Reach.DEFAULT and meaning.klass is not ReadingClass.HELP:
        reach = Reach.NAMED
    return Reading(
        meaning.klass,
        meaning.band,
        reach=reach,
        program=program if reach is Reach.NAMED else None,
        rule=meaning.rule,
        language=match.label.language,
        keyword=match.label.text,
        span=_span(message, match),
    )


def _named(message: Normalised, words: Sequence[str], vocabulary: Vocabulary, match: Found) -> str | None:
    """Return the one program that the rest of the message names: "unsubscribe me from acme offers".

    An opt-out is narrowed by its own clause only: what comes later may be about something else, and of two
    ways to understand it the wider one is taken.
    """
    found = _programs(words, vocabulary, match.first, len(words))
    if len(found) != 1:
        return None
    if _MEANINGS[match.label.kind].klass is not ReadingClass.OPT_IN:
        found = _programs(words, vocabulary, match.first, _clause_end(message, match))
    return next(iter(found), None)


def _programs(words: Sequence[str], vocabulary: Vocabulary, first: int, end: int) -> set[str]:
    found: set[str] = set()
    for phrase, programs in vocabulary.names.items():
        size = phrase.count(" ") + 1
        for at in range(first, end - size + 1):
            if " ".join(words[at : at + size]) == phrase:
                found |= programs
    return found


def _clause_end(message: Normalised, match: Found) -> int:
    """Return the place after the last word of the match's clause, which a comma ends as a full stop does."""
    last = next(part.last for part in sentences(message) if match.last < part.last)
    return next((at + 1 for at in range(match.last, last - 1) if _is_comma_after(message, at)), last)


def _keyword_sentence(
    message: Normalised, vocabulary: Vocabulary, context: Context, parts: Sequence[Sentence]
) -> Reading | None:
    """Read a sentence that is a keyword by itself: "STOP! I told you already".

    Between friends "Stop." is chat, so outside a reply to advertising it must be shouted.
    """
    if len(parts) == 1:
        return None
    for part in parts:
        if part.is_question or part.last - part.first > _MOST_KEYWORD_SENTENCE:
            continue
        reading = read_keywords(_cut(message, part), vocabulary, context)
        if reading is None or reading.klass is not ReadingClass.OPT_OUT or reading.span is None:
            continue
        if context.marketing or _is_shouted(message.raw, reading.span):
            return replace(reading, band=Band.PROBABLE, rule=Rule.KEYWORD_SENTENCE)
    return None


def _cut(message: Normalised, part: Sentence) -> Normalised:
    kept = slice(part.first, part.last)
    return Normalised(message.raw, message.words[kept], message.keys[kept], message.spans[kept])


def _is_shouted(raw: str, span: tuple[int, int]) -> bool:
    start, end = span
    return raw[start:end].isupper() and not raw.isupper()


def _held(message: Normalised, matches: Collection[Found]) -> Reading | None:
    """Tell which guard held a phrase back, for whoever asks why nothing was done."""
    for match in matches:
        guard = None if match.label.kind in _HOLDING else holder(match, matches)
        if guard is not None:
            return _guarded(message, guard)
    return None


def _negated_keyword(message: Normalised, vocabulary: Vocabulary) -> Reading | None:
    """Read "never end" and "don't cancel": keywords of opt-out alone, each of them turned round by a guard (R18).

    Nobody is asked what is said clearly, since without an answer messages would end.
    """
    keywords = _negated(vocabulary.parts(message.keys) or ())
    if not keywords:
        return None
    guards = [match for match in phrases_in(message, vocabulary) if match.label.kind is PhraseKind.GUARD]
    holding = [next((guard for guard in guards if _touches(guard, word)), None) for word in keywords]
    if holding[0] is None or None in holding:
        return None
    return _guarded(message, holding[0])


def _negated(parts: Sequence[Part]) -> list[Part]:
    """Return the keywords beside a negation, where all of them are of opt-out."""
    keywords = [part for part in parts if part.role is Role.KEYWORD]
    classes = {part.word.klass for part in keywords if part.word}
    is_negated = any(part.role is Role.NEGATION for part in parts)
    return keywords if is_negated and classes == {ReadingClass.OPT_OUT} else []


def _touches(guard: Found, part: Part) -> bool:
    return guard.first <= part.last and part.first <= guard.last


def _guarded(message: Normalised, guard: Found) -> Reading:
    return Reading(
        ReadingClass.OTHER,
        rule=Rule.GUARDED,
        language=guard.label.language,
        keyword=guard.label.text,
        span=_span(message, guard),
    )


def _span(message: Normalised, match: Found) -> tuple[int, int]:
    return message.span(match.first, match.last)
