"""A ledger in memory: the pure core with dictionaries for tables."""

from collections.abc import Sequence

from support.entries import KEY, NOW

from gateway.consent.chain import SALT_BYTES
from gateway.consent.choice import Choice
from gateway.consent.entry import Entry, Outcome
from gateway.consent.event import Event
from gateway.consent.person import NOBODY, Person, ReplyLimits
from gateway.store.batch import Claim, Fold, fold, persons_of
from gateway.store.statements import EVENT_COLUMNS, PERSON_COLUMNS, STATE_COLUMNS, Row

_PERSON = [STATE_COLUMNS.index(name) for name in PERSON_COLUMNS.split(", ")]


class MemoryLedger:
    """Records groups of entries as the ledgers do, with salts of zeros so that two runs can be compared."""

    def __init__(self, recorded_at: int = NOW + 10**12) -> None:
        self.events: list[Event] = []
        self.rows: dict[tuple[bytes, str], Row] = {}
        self._how = {"key": KEY, "recorded_at": recorded_at, "limits": ReplyLimits(), "reply_max_age": 10**9}

    def record(self, entries: Sequence[Entry]) -> list[Outcome]:
        how = Fold(salts=bytes(SALT_BYTES * len(entries)), **self._how)
        batch = fold(entries, self.persons(), self._claims(), how)
        for row in batch.events:
            fields = dict(zip(EVENT_COLUMNS, row, strict=True))
            choice = fields.pop("choice")
            self.events.append(Event(choice=None if choice is None else Choice(choice), **fields))
        self.rows.update({(row[0], row[1]): row for row in batch.states})
        return batch.outcomes

    def persons(self) -> dict[bytes, Person]:
        return persons_of([tuple(row[place] for place in _PERSON) for row in self.rows.values()])

    def person(self, subject: bytes) -> Person:
        return self.persons().get(subject, NOBODY)

    def events_of(self, subject: bytes) -> list[Event]:
        found = [event for event in self.events if event.subject == subject]
        return sorted(found, key=lambda event: event.seq)

    def _claims(self) -> list[Claim]:
        return [(event.subject, event.account, event.message_id) for event in self.events]
