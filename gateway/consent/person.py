"""What the store holds about one subject, and how an entry changes it. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.consent import chain, scope
from gateway.consent.choice import Choice, Purpose, allows
from gateway.consent.entry import Entry, Outcome, Reply, Result
from gateway.consent.event import Event
from gateway.consent.state import NO_STATES, State, States, changes

_MICROSECONDS = 1_000_000
_DAY = 86_400 * _MICROSECONDS
_encode = json.JSONEncoder(separators=(",", ":")).encode

# The key of the one reply that asks something. It is counted by itself: never two questions in a conversation.
QUESTION = "clarify"

# sender, class (or `QUESTION`) and time of receipt (microseconds) of an automatic reply
SentReply = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """Loop guard: how often we answer the same sender, person and class by ourselves."""

    window: int = 600 * _MICROSECONDS  # at most one reply in this time, microseconds
    per_day: int = 3


@dataclass(frozen=True, slots=True)
class Person:
    """The head of a subject's ledger, its states and the automatic replies of its last day."""

    last_seq: int = 0
    head: bytes = chain.GENESIS
    states: States = field(default_factory=lambda: NO_STATES)
    replies: tuple[SentReply, ...] = ()


NOBODY = Person()


@dataclass(frozen=True, slots=True)
class Writing:
    """What recording needs besides the entry: the ledger's key, the time, the limits and fresh salt."""

    key: bytes
    recorded_at: int
    limits: ReplyLimits
    salt: bytes


def record(entry: Entry, person: Person, writing: Writing) -> tuple[Person, Outcome]:
    """Give the entry its place in the person's ledger.

    Returns the person after it and the outcome. Claims are the caller's business: an entry whose claim is
    taken must not come here.
    """
    entry = _read_in_context(entry, person.states)
    if _changes_nothing(entry, person.states):
        return person, Outcome(Result.UNCHANGED)
    replies = _of_last_day(person.replies, entry.received_at)
    reply = _due(entry, replies, writing.limits)
    if reply is not None:
        replies = (*replies, (entry.sender, _topic(entry.klass, reply.key), entry.received_at))
    event = _event(entry, person, writing, reply)
    changed = changes(person.states, event)
    states = {**person.states, **changed} if changed else person.states
    after = Person(event.seq, chain.head_after(event.chain, key=writing.key), states, replies)
    return after, Outcome(Result.RECORDED, event, reply)


class Replay:
    """Rebuilds a person from the events of its ledger, taken one by one in the order of their seq."""

    __slots__ = ("_last", "_replies", "_states")

    def __init__(self) -> None:
        self._last: Event | None = None
        self._states: dict[str, State] = {}
        self._replies: tuple[SentReply, ...] = ()

    def add(self, event: Event) -> None:
        """Take the next event."""
        self._last = event
        self._states.update(changes(self._states, event))
        self._replies = _of_last_day(self._replies, event.received_at)
        if event.reply is not None:
            topic = _topic(event.klass, event.reply)
            self._replies = (*self._replies, (event.sender, topic, event.received_at))

    def person(self, *, key: bytes) -> Person:
        """Return the person after the events taken so far."""
        if self._last is None:
            return NOBODY
        return Person(
            self._last.seq, chain.head_after(self._last.chain, key=key), self._states, self._replies
        )


def replay(events: Iterable[Event], *, key: bytes) -> Person:
    """Rebuild a person from the events of its ledger, in the order of their seq."""
    replayed = Replay()
    for event in events:
        replayed.add(event)
    return replayed.person(key=key)


def replies_to_text(replies: tuple[SentReply, ...]) -> str | None:
    """Return the replies as they stand in the row."""
    return _encode(replies) if replies else None


def replies_from_text(text: str | None) -> tuple[SentReply, ...]:
    """Undo `replies_to_text`."""
    return tuple((sender, klass, at) for sender, klass, at in json.loads(text)) if text else ()


def _read_in_context(entry: Entry, states: States) -> Entry:
    if entry.when_pending is not None and _is_pending(entry, states):
        return entry.when_pending
    if entry.when_consenting is not None and _is_consenting(entry, states):
        return entry.when_consenting
    return entry


def _is_pending(entry: Entry, states: States) -> bool:
    """Tell whether a double opt-in waits in one of the scopes that the other reading has."""
    other = entry.when_pending or entry
    found = ((key, states.get(key)) for key in scope.split(other.scope))
    return any(
        state is not None
        and state.choice is Choice.PENDING
        and state.said_at >= entry.pending_since
        and not _is_overtaken(key, state, states)
        for key, state in found
    )


def _is_consenting(entry: Entry, states: States) -> bool:
    found = [(key, states.get(key)) for key in scope.split(entry.scope)]
    return all(
        state is not None
        and allows(state.choice, Purpose.MARKETING)
        and not _is_overtaken(key, state, states)
        for key, state in found
    )


def _changes_nothing(entry: Entry, states: States) -> bool:
    if entry.only_over is not None and not _stands(entry.only_over, entry, states):
        return True
    return entry.only_if_new and _is_repeat(entry, states)


def _is_repeat(entry: Entry, states: States) -> bool:
    """Tell whether the entry says in each of its scopes what stands there, and no newer word took its place."""
    if entry.choice is None or not _stands(entry.choice, entry, states):
        return False
    # After a day it is a new word: recorded, it outlives an opposite one from in between that comes late.
    since = entry.said_at - _DAY
    return all(
        states[key].said_at > since and not _is_overtaken(key, states[key], states)
        for key in scope.split(entry.scope)
    )


def _stands(choice: Choice, entry: Entry, states: States) -> bool:
    """Tell whether the choice stands in every scope of the entry."""
    found = [states.get(key) for key in scope.split(entry.scope)]
    return bool(found) and all(state is not None and state.choice is choice for state in found)


def _is_overtaken(key: str, state: State, states: States) -> bool:
    """Tell whether a newer word says otherwise in a scope that can bind the same program.

    Such a word decides in the place of this one, which is still in its row.
    """
    return any(
        other.choice is not state.choice
        and other.precedence > state.precedence
        and (scope.is_broad(key) or scope.is_broad(place))
        for place, other in states.items()
    )


def _of_last_day(replies: tuple[SentReply, ...], now: int) -> tuple[SentReply, ...]:
    return tuple(sent for sent in replies if sent[2] > now - _DAY) if replies else ()


def _due(entry: Entry, sent: tuple[SentReply, ...], limits: ReplyLimits) -> Reply | None:
    """Return the reply unless the loop guard holds it back: two machines may be talking."""
    if entry.reply is None or not sent:
        return entry.reply
    topic = _topic(entry.klass, entry.reply.key)
    times = [at for sender, about, at in sent if (sender, about) == (entry.sender, topic)]
    most = 1 if topic == QUESTION else limits.per_day
    if len(times) >= most or any(at > entry.received_at - limits.window for at in times):
        return None
    return entry.reply


def _topic(klass: str, key: str) -> str:
    return QUESTION if key == QUESTION else klass


def _event(entry: Entry, person: Person, writing: Writing, reply: Reply | None) -> Event:
    event = Event(
        subject=entry.subject,
        seq=person.last_seq + 1,
        account=entry.account,
        message_id=entry.message_id,
        klass=entry.klass,
        choice=entry.choice,
        scope=entry.scope,
        sender=entry.sender,
        source=entry.source,
        rule=entry.rule,
        said_at=entry.said_at,
        received_at=entry.received_at,
        recorded_at=writing.recorded_at,
        actor=entry.actor,
        reply=reply.key if reply is not None else None,
        text=entry.text,
        evidence=entry.evidence,
        salt=writing.salt,
        digest=chain.digest_of(entry.text, entry.evidence, salt=writing.salt, key=writing.key),
        chain=b"",
    )
    # The one place that completes an event; `dataclasses.replace` would make all of it anew.
    object.__setattr__(event, "chain", chain.link(event, head=person.head, key=writing.key))
    return event
