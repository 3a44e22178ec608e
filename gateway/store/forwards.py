"""Webhooks on their way to the applications behind the gateway: kept in the commit of what they brought."""

import json
from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy import text

from gateway.store.queue import ItemState, Kind, Queue, Shape, columns_of
from gateway.store.snapshot import as_trouble
from gateway.store.statements import Row

ID_BYTES = 16
_EVENT = text("""
SELECT subject, message_id, seq, klass, choice, scope, sender, source, rule, said_at, evidence FROM events
WHERE subject = :subject AND account = :account AND message_id = :message_id
""")


@dataclass(frozen=True, slots=True)
class Forward:
    """One webhook for one application. `id` is the same however often the webhook is delivered.

    `subject` is the first message's, or made from the request where it is about nobody: the distribution key.
    `sender` is the sender whose application it is for, "" for the account's. `events` names the events that
    may have come of it, as JSON: [[subject in hex, message id], ...].
    """

    subject: bytes
    id: bytes
    account: str
    sender: str
    method: str
    url: str = field(repr=False)  # the public URL, undecoded
    headers: str = field(repr=False)  # JSON: [[name, value], ...]
    body: bytes = field(repr=False)
    events: str
    received_at: int

    def claims(self) -> list[tuple[bytes, str]]:
        """Return subject and message id of the events that may have come of it."""
        return [(bytes.fromhex(subject), message_id) for subject, message_id in json.loads(self.events)]

    def row(self) -> Row:
        """Return the row to insert (`statements.FORWARD_COLUMNS`): due at once."""
        return (
            self.subject,
            self.id,
            self.account,
            self.sender,
            self.method,
            self.url,
            self.headers,
            self.body,
            self.events,
            self.received_at,
            ItemState.DUE.value,
            0,
            self.received_at,
            self.received_at,
        )


@dataclass(frozen=True, slots=True)
class ForwardItem(Forward):
    """A forward as the worker finds it."""

    state: ItemState
    attempts: int
    due_at: int


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """What the ledger has of a message that was forwarded."""

    subject: bytes
    message_id: str
    seq: int
    klass: str
    choice: str | None
    scope: str
    sender: str
    source: str
    rule: str
    said_at: int
    evidence: str | None


class Forwards(Queue[ForwardItem]):
    """The forwards. Each is tried for the first time after those of its subject for the same application.

    One that fails is tried again later and holds up nothing.
    """

    kind = Kind.FORWARD
    item = ForwardItem
    shape: ClassVar[Shape] = Shape(
        table="forwards",
        key=("subject", "id"),
        columns=columns_of(ForwardItem),
        waits=(
            "earlier.subject = forwards.subject AND earlier.account = forwards.account "
            "AND earlier.sender = forwards.sender AND (earlier.state = 'sending' "
            "OR earlier.state = 'due' AND earlier.attempts = 0) "
            "AND (earlier.received_at, earlier.id) < (forwards.received_at, forwards.id)"
        ),
        forgets="url = '', headers = '[]', body = :nothing",
    )

    def recorded(self, forward: Forward) -> list[RecordedEvent]:
        """Return what the ledger has of the messages of a webhook. Raises `OurTroubleError`."""
        found = []
        with as_trouble("the ledger could not be read"), self._engine.connect() as connection:
            for subject, message_id in forward.claims():
                values = {"subject": subject, "account": forward.account, "message_id": message_id}
                row = connection.execute(_EVENT, values).one_or_none()
                if row is not None:
                    found.append(RecordedEvent(*row))
        return found
