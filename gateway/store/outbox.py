"""The outbox: what must go out after the commit, claimed by one worker, in order per subject.

Every statement that writes touches one row and says what it must find, so workers need no locks between
them; `RETURNING` tells whether it was found. An item is `sending` in the database before the call goes out,
so that after a crash nobody knows less than that it may have gone out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, text

from gateway.consent import scope
from gateway.consent.address import Address, Channel
from gateway.store.engine import writing
from gateway.store.snapshot import as_trouble

Done = TypeVar("Done")


class ItemState(StrEnum):
    """Where an item stands. Those after `SENDING` are final."""

    DUE = "due"
    SENDING = "sending"
    DONE = "done"
    DROPPED = "dropped"  # it did not go out, and should not any more
    DEAD = "dead"  # it did not go out, or nobody knows


_COLUMNS = "subject, seq, kind, account, sender, payload, state, attempts, due_at, expires_at"
# The first condition is the index's, word for word as SQLite's planner wants it. A later item of a subject
# waits for the earlier ones.
_FIND = text(f"""
SELECT {_COLUMNS} FROM outbox
WHERE state IN ('due', 'sending') AND due_at <= :now AND (state = 'due' OR changed_at <= :stale)
AND NOT EXISTS (
  SELECT 1 FROM outbox AS earlier
  WHERE earlier.subject = outbox.subject AND earlier.seq < outbox.seq
  AND earlier.state IN ('due', 'sending'))
ORDER BY due_at LIMIT :limit
""")  # noqa: S608 - column names only
_KEY = "subject = :subject AND seq = :seq AND kind = :kind"
_CLAIM = text(f"""
UPDATE outbox SET state = 'sending', attempts = attempts + 1, changed_at = :now
WHERE {_KEY} AND state = 'due' AND due_at <= :now AND (expires_at IS NULL OR expires_at > :now)
AND NOT EXISTS (
  SELECT 1 FROM outbox AS earlier
  WHERE earlier.subject = :subject AND earlier.seq < :seq AND earlier.state IN ('due', 'sending'))
RETURNING attempts
""")  # noqa: S608 - names only
# `attempts` tells one claim from the next: who was taken for dead must not settle another's.
_SETTLE = text(f"""
UPDATE outbox SET state = :to_state, result = :result, due_at = :due_at, changed_at = :now
WHERE {_KEY} AND state = :from_state AND attempts = :attempts
RETURNING seq
""")  # noqa: S608 - names only
# A welcome is out of place once the person has opted out.
_OVERTAKEN = text("""
SELECT 1 FROM events AS later JOIN events AS own ON own.subject = later.subject
WHERE later.subject = :subject AND later.seq > :seq AND later.klass = 'opt_out'
AND own.seq = :seq AND own.klass IN ('opt_in', 'opt_in_confirm') LIMIT 1
""")
_ADDRESS = text("SELECT channel, address FROM states WHERE subject = :subject AND scope = :scope")


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the outbox. Times in microseconds UTC. `address` is known once it is claimed."""

    subject: bytes
    seq: int
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


class Outbox:
    """The outbox of one engine. Every method is a transaction of its own and raises `OurTroubleError`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, *, now: int, stale: int, limit: int) -> list[Item]:
        """Return items that want something done, longest due first, at most one of each subject.

        They are due, expired or not, or were left in `sending` at or before `stale`.
        """
        values = {"now": now, "stale": stale, "limit": limit}
        with as_trouble("the outbox could not be read"), self._engine.connect() as connection:
            rows = connection.execute(_FIND, values).all()
        return [_item(tuple(row)) for row in rows]

    def is_overtaken(self, item: Item) -> bool:
        """Tell whether the item welcomes a person who has opted out since."""
        values = {"subject": item.subject, "seq": item.seq}
        with as_trouble("the outbox could not be read"), self._engine.connect() as connection:
            return connection.execute(_OVERTAKEN, values).first() is not None

    def claim(self, item: Item, now: int) -> Item | None:
        """Make a due item ours, durably; None when it is another worker's, or must wait or not go out.

        The address is None after erasure.
        """

        def claimed(connection: Connection) -> Item | None:
            attempts = connection.execute(_CLAIM, {**_key(item), "now": now}).scalar_one_or_none()
            if attempts is None:
                return None
            address = _address(connection, item.subject)
            return replace(item, state=ItemState.SENDING, attempts=attempts, address=address)

        return self._write(claimed)

    def settle(
        self, item: Item, state: ItemState, *, now: int, result: str | None = None, due_at: int | None = None
    ) -> bool:
        """Move an item on from where it was found or claimed; False when another worker moved it.

        `result` is the provider's message id or a code; `due_at`, for an item that goes back to `due`, is
        when it is due again.
        """
        values: Mapping[str, object] = {
            **_key(item),
            "from_state": item.state.value,
            "attempts": item.attempts,
            "to_state": state.value,
            "result": result,
            "due_at": item.due_at if due_at is None else due_at,
            "now": now,
        }
        return self._write(lambda connection: connection.execute(_SETTLE, values).first() is not None)

    def _write(self, work: Callable[[Connection], Done]) -> Done:
        with as_trouble("the outbox could not be written"), writing(self._engine) as connection:
            return work(connection)


def _key(item: Item) -> dict[str, object]:
    return {"subject": item.subject, "seq": item.seq, "kind": item.kind}


def _item(row: tuple[Any, ...]) -> Item:
    item = Item(*row)
    return replace(item, state=ItemState(item.state))


def _address(connection: Connection, subject: bytes) -> Address | None:
    row = connection.execute(_ADDRESS, {"subject": subject, "scope": scope.ALL}).one_or_none()
    if row is None or row.address is None:
        return None
    return Address(Channel(row.channel), row.address)
