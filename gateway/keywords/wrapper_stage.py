"""Stage 2: reactions are no replies; automatic replies, signatures and quotes are taken off (R14 to R16)."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.keywords.normalise import CAP, Normalised, normalise
from gateway.keywords.reading import Band, Context, Reading, ReadingClass
from gateway.keywords.rules import Rule
from gateway.keywords.vocabulary import Vocabulary
from gateway.keywords.wrappers import ReactionForm

_OPENING = frozenset("\"\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u300c\u300e'\u2018\u201a")
_CLOSING = frozenset("\"\u201c\u201d\u00bb\u00ab\u203a\u2039\u300d\u300f'\u2019\u2018")
_FIRST_SIGN = 0x2100  # letter-like symbols; every emoji comes after them
_SHORTEST_COPY = 3  # words of ours that a person would not write by chance
_LONGEST_NAME = 3  # words after a dash that are a name: "- John", "- Dr. Ann Miller"
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_DASH = re.compile(r"(?:^|[\s.!?])[-\u2013\u2014]{1,2}\s*\Z")


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The message without its wrapper, and what it is if nothing in it decides."""

    message: Normalised
    instead: Reading | None = None


def unwrap(message: Normalised, vocabulary: Vocabulary, context: Context) -> Reading | Unwrapped | None:
    """Return the reading of a reaction, or the message without what is not the person's own words."""
    if not message.keys:
        return None
    if _is_reaction(message, vocabulary):
        return Reading(ReadingClass.REACTION, rule=Rule.REACTION, span=message.span(0, len(message.keys) - 1))
    marked = _leading(message.keys, vocabulary.grammar.wrappers.auto_replies)
    kept = _without_copy(
        _without_signature(_without_quoted_lines(_from(message, marked)), vocabulary), context
    )
    if kept.keys == message.keys:
        return None
    return Unwrapped(kept, _automatic(message, marked) if marked else None)


def _is_reaction(message: Normalised, vocabulary: Vocabulary) -> bool:
    keys = message.keys
    grammar = vocabulary.grammar
    for edges in ((keys[0], ""), ("", keys[-1]), (keys[0], keys[-1])):
        for form in grammar.reactions.get(edges, ()):
            first, last = len(form.before), len(keys) - len(form.after)
            if keys[:first] != form.before or keys[last:] != form.after:
                continue
            if keys[first:last] in grammar.objects or _quotes(message, form, first, last):
                return True
    return False


def _quotes(message: Normalised, form: ReactionForm, first: int, last: int) -> bool:
    """Tell whether the words from `first` up to `last` are one quoted text."""
    if first >= last:
        return False
    raw, spans = message.raw, message.spans
    opening = raw[spans[first - 1][1] if first else 0 : spans[first][0]]
    closing = raw[spans[last - 1][1] : spans[last][0] if form.after else len(raw)]
    if _OPENING.isdisjoint(opening) or _CLOSING.isdisjoint(closing):
        return False
    return not form.has_sign or _has_sign(raw[: spans[0][0]])


def _has_sign(head: str) -> bool:
    """Tell whether something is drawn before the first word: the emoji of Google's form."""
    return any(not character.isspace() and ord(character) >= _FIRST_SIGN for character in head)


def _leading(keys: Sequence[str], markers: Iterable[tuple[str, ...]]) -> int:
    return max((len(marker) for marker in markers if tuple(keys[: len(marker)]) == marker), default=0)


def _automatic(message: Normalised, marked: int) -> Reading:
    return Reading(
        ReadingClass.AUTO_REPLY, Band.PROBABLE, rule=Rule.AUTO_REPLY, span=message.span(0, marked - 1)
    )


def _without_quoted_lines(message: Normalised) -> Normalised:
    """Cut lines that begin with ">", unless nothing else is there."""
    if ">" not in message.raw:
        return message
    lines = [line.span() for line in _QUOTED_LINE.finditer(message.raw, 0, CAP)]
    starts = [start for start, _ in lines]
    kept: list[int] = []
    for at, (begun, _) in enumerate(message.spans):
        line = bisect_right(starts, begun) - 1
        if line < 0 or begun >= lines[line][1]:
            kept.append(at)
    return _kept(message, kept) if kept else message


def _without_signature(message: Normalised, vocabulary: Vocabulary) -> Normalised:
    """Cut "Sent from my phone" and "- John" off the end, unless nothing else is there."""
    keys = message.keys
    signatures = vocabulary.grammar.signatures
    if not signatures.keys().isdisjoint(keys):
        for at in range(1, len(keys)):
            if any(keys[at : at + len(words)] == words for words in signatures.get(keys[at], ())):
                return _until(message, at)
    for at in range(max(1, len(keys) - _LONGEST_NAME), len(keys)):
        gap = message.raw[message.spans[at - 1][1] : message.spans[at][0]]
        if len(gap) > 1 and _DASH.search(gap):
            return _until(message, at)
    return message


def _without_copy(message: Normalised, context: Context) -> Normalised:
    """Cut a copy of our own last message out: its "Reply STOP" is ours, not the person's."""
    if not context.last_sent:
        return message
    ours = normalise(context.last_sent).keys
    size = len(ours)
    if size < _SHORTEST_COPY or size > len(message.keys):
        return message
    text = f" {' '.join(message.keys)} "
    found = text.find(f" {' '.join(ours)} ")
    if found < 0:
        return message
    first = text.count(" ", 0, found)
    return _kept(message, [at for at in range(len(message.keys)) if not first <= at < first + size])


def _from(message: Normalised, first: int) -> Normalised:
    return _kept(message, range(first, len(message.keys))) if first else message


def _until(message: Normalised, last: int) -> Normalised:
    return _kept(message, range(last))


def _kept(message: Normalised, places: Sequence[int]) -> Normalised:
    return Normalised(
        message.raw,
        tuple(message.words[at] for at in places),
        tuple(message.keys[at] for at in places),
        tuple(message.spans[at] for at in places),
    )
