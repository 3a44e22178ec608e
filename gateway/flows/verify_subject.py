"""Checks one subject: its events against their chain, and the rows beside them against the events."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gateway.consent import chain, scope
from gateway.consent.address import Address, Channel, subject_of
from gateway.consent.chain import Fault
from gateway.consent.event import Event
from gateway.consent.person import Person, Replay
from gateway.keys import Keys
from gateway.store.batch import head_row, scope_row
from gateway.store.ledger_scan import Holding
from gateway.store.statements import STATE_COLUMNS, Row

_SCOPE = STATE_COLUMNS.index("scope")
_CHANNELS = frozenset(channel.value for channel in Channel)


@dataclass(frozen=True, slots=True)
class Head:
    """What the row of scope `*` holds that is no part of a word."""

    last_seq: int
    prior_seq: int | None
    head: bytes
    channel: str
    address: str | None

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Head | None":
        """Find it among the rows of a subject (`STATE_COLUMNS`)."""
        for row in rows:
            if row[_SCOPE] == scope.ALL:
                return cls(*(row[STATE_COLUMNS.index(name)] for name in cls.__slots__))
        return None


@dataclass(frozen=True, slots=True)
class Retold:
    """What the events of a subject say. `oldest_prior`: the least that prior_seq can be.

    The newest write recorded all its events at one time, so it began no earlier than the first of the last
    events that share theirs.
    """

    person: Person
    events: int
    is_personal: bool  # an event has its personal fields
    oldest_prior: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of the check of one subject. A fault of an event has its seq, any other has none."""

    faults: list[Fault]
    retold: Retold
    head: Head | None


class _Retelling:
    """Lets events pass on their way to the chain's check, and folds them."""

    def __init__(self) -> None:
        self._replay = Replay()
        self._events = 0
        self._is_personal = False
        self._oldest_prior = self._last_seq = 0
        self._recorded_at: int | None = None

    def over(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            self._replay.add(event)
            self._events += 1
            self._is_personal |= event.salt is not None
            if event.recorded_at != self._recorded_at:
                self._oldest_prior, self._recorded_at = self._last_seq, event.recorded_at
            self._last_seq = event.seq
            yield event

    def end(self, key: bytes) -> Retold:
        return Retold(self._replay.person(key=key), self._events, self._is_personal, self._oldest_prior)


def check_subject(holding: Holding, keys: Keys) -> Checked:
    """Compare a subject's events with its chain, its states with its events, its address with its key."""
    head = Head.of(holding.states)
    retelling = _Retelling()
    passing = retelling.over(holding.events)
    if head is None:
        faults = _without_head(holding.subject, passing)
        return Checked([*holding.faults, *faults], retelling.end(keys.ledger), None)
    faults = chain.verify(holding.subject, passing, head=head.head, last_seq=head.last_seq, key=keys.ledger)
    retold = retelling.end(keys.ledger)
    faults += address_faults(holding.subject, head, retold, keys)
    faults += _row_faults(holding, expected_rows(holding.subject, retold, head))
    return Checked([*holding.faults, *faults], retold, head)


def expected_rows(subject: bytes, retold: Retold, head: Head) -> list[Row]:
    """Return the rows of states that the events make, the address and the chain's head being as given."""
    person = replace(retold.person, last_seq=head.last_seq, head=head.head)
    first = head_row(
        subject, person, prior_seq=_prior_seq(head, retold), channel=head.channel, address=head.address
    )
    others = ((key, state) for key, state in sorted(person.states.items()) if key != scope.ALL)
    return [first, *(scope_row(subject, key, state) for key, state in others)]


def _prior_seq(head: Head, retold: Retold) -> int:
    """Return the prior_seq that stands, if the events allow it: two writes may fall on one microsecond."""
    prior = head.prior_seq
    if prior is not None and retold.oldest_prior <= prior < head.last_seq:
        return prior
    return retold.oldest_prior


def _without_head(subject: bytes, events: Iterator[Event]) -> list[Fault]:
    if any(True for _ in events):
        for _ in events:
            pass
        return [Fault(subject, None, "has events, and no row of scope * with their head")]
    return [Fault(subject, None, "has states and no event")]


def address_faults(subject: bytes, head: Head, retold: Retold, keys: Keys) -> Iterator[Fault]:
    """Yield what is wrong with the address: it must make the subject's key, or be gone with all else."""
    if head.channel not in _CHANNELS:
        yield Fault(subject, None, "its channel is none that there is")
    elif head.address is None:
        if retold.is_personal:
            yield Fault(subject, None, "its address was removed, and its events were not erased")
    elif subject_of(Address(Channel(head.channel), head.address), keys.subject) != subject:
        yield Fault(subject, None, "its address or channel is another than its key was made of")


def _row_faults(holding: Holding, expected: list[Row]) -> Iterator[Fault]:
    found = {row[_SCOPE]: row for row in holding.states}
    wanted = {row[_SCOPE]: row for row in expected}
    for key in sorted(found.keys() | wanted.keys()):
        problem = _difference(found.get(key), wanted.get(key))
        if problem:
            yield Fault(holding.subject, None, f"its state in scope {key} {problem}")


def _difference(found: Row | None, wanted: Row | None) -> str | None:
    if found is None:
        return "is missing"
    if wanted is None:
        return "does not follow from its events"
    pairs = zip(STATE_COLUMNS, found, wanted, strict=True)
    names = [name for name, one, other in pairs if one != other]
    return f"differs from its events in {', '.join(names)}" if names else None
