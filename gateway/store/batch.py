"""Folds the entries of a group over what was loaded, and lays out the rows to write. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from gateway.consent import scope
from gateway.consent.chain import SALT_BYTES
from gateway.consent.choice import Choice
from gateway.consent.entry import Entry, Outcome, Result
from gateway.consent.event import Event
from gateway.consent.listed import ListedSender, concerned
from gateway.consent.person import (
    NOBODY,
    Person,
    ReplyLimits,
    Writing,
    record,
    replies_from_text,
    replies_to_text,
)
from gateway.consent.state import State
from gateway.consent.suppression import lifts_wrong_number, suppressed_by
from gateway.store.statements import EVENT_COLUMNS, Row

Claim = tuple[bytes, str, str]

_event_row = attrgetter(*EVENT_COLUMNS)


@dataclass(frozen=True, slots=True)
class Fold:
    """What a fold needs besides the entries and the persons."""

    key: bytes
    recorded_at: int
    limits: ReplyLimits
    salts: bytes  # SALT_BYTES for each entry
    reply_max_age: int  # microseconds after receipt until a reply by API is dropped
    listed: tuple[ListedSender, ...] = ()  # whose providers' lists are told of words


@dataclass(slots=True)
class Batch:
    """The outcomes of a group's entries, and the rows that make them durable, sorted by key."""

    outcomes: list[Outcome] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    states: list[Row] = field(default_factory=list)
    outbox: list[Row] = field(default_factory=list)
    suppressed: list[Row] = field(default_factory=list)
    lifted: list[Row] = field(default_factory=list)
    syncs: list[Row] = field(default_factory=list)
    forwards: list[Row] = field(default_factory=list)


def claim_of(entry: Entry) -> Claim:
    """Return the unique key by which a message makes one event."""
    return (entry.subject, entry.account, entry.message_id)


def persons_of(rows: Iterable[Row]) -> dict[bytes, Person]:
    """Assemble persons from rows of states (`statements.PERSON_COLUMNS`)."""
    heads: dict[bytes, Row] = {}
    states: dict[bytes, dict[str, State]] = {}
    for row in rows:
        subject, key, choice, said_at, seq = row[:5]
        if key == scope.ALL:
            heads[subject] = row
        if choice is not None:
            states.setdefault(subject, {})[key] = State(Choice(choice), said_at, seq)
    return {
        subject: Person(row[5], bytes(row[6]), states.get(subject, {}), replies_from_text(row[7]))
        for subject, row in heads.items()
    }


def fold(
    entries: Sequence[Entry], persons: Mapping[bytes, Person], claimed: Iterable[Claim], how: Fold
) -> Batch:
    """Record the entries one after the other and return their outcomes and rows."""
    batch = Batch()
    taken = set(claimed)
    after: dict[bytes, Person] = {}
    events: list[Event] = []
    for number, entry in enumerate(entries):
        claim = claim_of(entry)
        if claim in taken:
            batch.outcomes.append(Outcome(Result.DUPLICATE))
            continue
        person = after.get(entry.subject) or persons.get(entry.subject, NOBODY)
        after[entry.subject], outcome = record(entry, person, _writing(how, number))
        batch.outcomes.append(outcome)
        if outcome.event is not None:
            taken.add(claim)
            events.append(outcome.event)
            batch.outbox.extend(_outbox_rows(entry, outcome, how))
            if outcome.event.choice is not None:
                _add_suppressions(batch, outcome.event, after[entry.subject])
            if how.listed:
                batch.syncs.extend(_sync_rows(entry, outcome.event, how))
    batch.events = sorted(map(_event_row, events))
    batch.states = _state_rows(entries, persons, after)
    batch.outbox.sort()
    if batch.syncs:
        batch.syncs = _newest(batch.syncs)
    return batch


def _writing(how: Fold, number: int) -> Writing:
    salt = how.salts[number * SALT_BYTES : (number + 1) * SALT_BYTES]
    return Writing(how.key, how.recorded_at, how.limits, salt)


def _outbox_rows(entry: Entry, outcome: Outcome, how: Fold) -> list[Row]:
    reply, event = outcome.reply, outcome.event
    if reply is None or reply.inline or event is None:
        return []
    expires = entry.received_at + how.reply_max_age
    now = how.recorded_at
    return [
        (
            entry.subject,
            event.seq,
            "reply",
            entry.account,
            entry.sender,
            reply.text,
            "due",
            0,
            now,
            expires,
            now,
        )
    ]


def _add_suppressions(batch: Batch, event: Event, person: Person) -> None:
    found = suppressed_by(event, person.states)
    if found is not None:
        batch.suppressed.append((found.subject, found.reason, found.since, found.source))
    elif lifts_wrong_number(event):
        batch.lifted.append((event.subject, event.said_at))


def _sync_rows(entry: Entry, event: Event, how: Fold) -> list[Row]:
    now = how.recorded_at
    return [
        (entry.subject, each.account, each.sender, event.seq, "due", 0, now, now)
        for each in concerned(event, entry.address.channel, how.listed)
    ]


def _newest(rows: Iterable[Row]) -> list[Row]:
    """Return the rows sorted by key: of several about the same person and sender the newest."""
    by_key = {row[:3]: row for row in sorted(rows)}
    return [by_key[key] for key in sorted(by_key)]


def _state_rows(
    entries: Sequence[Entry], before: Mapping[bytes, Person], after: Mapping[bytes, Person]
) -> list[Row]:
    addresses = {entry.subject: entry.address for entry in entries}
    rows: list[Row] = []
    for subject in sorted(after):
        person, prior = after[subject], before.get(subject, NOBODY)
        if person.last_seq == prior.last_seq:
            continue
        channel, value = addresses[subject].channel, addresses[subject].value
        rows.append(head_row(subject, person, prior_seq=prior.last_seq, channel=channel, address=value))
        rows.extend(
            scope_row(subject, key, state)
            for key, state in sorted(person.states.items())
            if key != scope.ALL and state is not prior.states.get(key)
        )
    return rows


def head_row(subject: bytes, person: Person, *, prior_seq: int, channel: str, address: str | None) -> Row:
    """Return the row of scope `*` (`statements.STATE_COLUMNS`); `address` is None after erasure."""
    word = _word(person.states.get(scope.ALL))
    head = (person.last_seq, prior_seq, person.head)
    return (subject, scope.ALL, *word, *head, channel, address, replies_to_text(person.replies))


def scope_row(subject: bytes, key: str, state: State) -> Row:
    """Return the row of any other scope."""
    return (subject, key, *_word(state), None, None, None, None, None, None)


def _word(state: State | None) -> tuple[Choice | None, int, int, int]:
    if state is None:
        return (None, 0, 0, 0)
    return (state.choice, state.said_at, state.seq, state.weight)
