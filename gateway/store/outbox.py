"""Replies that wait to be sent by the provider's API: each claimed by one worker, in order per subject."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from sqlalchemy import Connection, text

from gateway.consent import scope
from gateway.consent.address import Address, Channel
from gateway.consent.person import QUESTION
from gateway.store.queue import ItemState, Kind, Queue, Shape, columns_of
from gateway.store.snapshot import as_trouble

# A welcome is out of place once the person has opted out.
_OVERTAKEN = text("""
SELECT 1 FROM events AS later JOIN events AS own ON own.subject = later.subject
WHERE later.subject = :subject AND later.seq > :seq AND later.klass = 'opt_out'
AND own.seq = :seq AND own.klass IN ('opt_in', 'opt_in_confirm') LIMIT 1
""")
# Deleted, a question that never left would look like one that went out. It is looked for until 30 days
# after the longest `replies.clarify_hours`: so long, in microseconds, its item is kept beyond its time.
_KEPT_QUESTION = f"""
state <> 'done' AND changed_at >= :until - {40 * 86_400 * 1_000_000} AND EXISTS (
  SELECT 1 FROM events
  WHERE events.subject = outbox.subject AND events.seq = outbox.seq AND events.reply = '{QUESTION}')
"""  # noqa: S608 - constants
_ADDRESS = text("SELECT channel, address FROM states WHERE subject = :subject AND scope = :scope")


@dataclass(frozen=True, slots=True)
class Item:
    """One reply. Times in microseconds UTC. `address` is known once it is claimed."""

    subject: bytes
    seq: int  # of the event that caused it
    kind: str
    account: str
    sender: str
    payload: str = field(repr=False)
    state: ItemState
    attempts: int
    due_at: int
    expires_at: int | None
    address: Address | None = field(default=None, repr=False)

    def is_expired(self, at: int) -> bool:
        """Tell whether it must not go out any more at this time."""
        return self.expires_at is not None and self.expires_at <= at


class Outbox(Queue[Item]):
    """The replies. One that waits holds up the later ones of its subject, and nothing else."""

    kind = Kind.REPLY
    item = Item
    shape: ClassVar[Shape] = Shape(
        table="outbox",
        key=("subject", "seq", "kind"),
        columns=columns_of(Item, without=("address",)),
        waits=(
            "earlier.subject = outbox.subject AND earlier.kind = outbox.kind AND earlier.seq < outbox.seq "
            "AND earlier.state IN ('due', 'sending')"
        ),
        has_end=True,
        keeps=_KEPT_QUESTION,
    )

    def is_overtaken(self, item: Item) -> bool:
        """Tell whether the item welcomes a person who has opted out since."""
        values = {"subject": item.subject, "seq": item.seq}
        with as_trouble("the outbox could not be read"), self._engine.connect() as connection:
            return connection.execute(_OVERTAKEN, values).first() is not None

    def _claimed(self, connection: Connection, item: Item, attempts: int) -> Item:
        """Return the claimed item with its address, None after erasure."""
        address = address_of(connection, item.subject)
        return replace(item, state=ItemState.SENDING, attempts=attempts, address=address)


def address_of(connection: Connection, subject: bytes) -> Address | None:
    """Return where the person is reached, None after erasure."""
    row = connection.execute(_ADDRESS, {"subject": subject, "scope": scope.ALL}).one_or_none()
    if row is None or row.address is None:
        return None
    return Address(Channel(row.channel), row.address)
