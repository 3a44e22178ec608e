"""Persons whose standing at a sender must be told to its provider. One row each: the newest word is what counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar

from sqlalchemy import Connection, TextClause, text

from gateway.consent.address import Address, Channel
from gateway.store.outbox import address_of
from gateway.store.queue import ItemState, Kind, Queue, Shape, columns_of
from gateway.store.statements import SYNC_COLUMNS, SYNC_CONFLICT

_CHUNK = 1000
_ASK = text(
    f"INSERT INTO syncs ({', '.join(SYNC_COLUMNS)}) VALUES "  # noqa: S608 - column names only
    f"(:subject, :account, :sender, :seq, 'due', 0, :now, :now) {SYNC_CONFLICT}"
)


@lru_cache
def _opted_out(scopes: int) -> TextClause:
    names = ", ".join(f":scope{number}" for number in range(scopes))
    return text(
        "SELECT DISTINCT word.subject AS subject, head.address AS address FROM states AS word "  # noqa: S608 - marks only
        "JOIN states AS head ON head.subject = word.subject AND head.scope = '*' AND head.channel = 'sms' "
        f"WHERE word.choice = 'n' AND word.scope IN ({names}) AND word.subject > :after "
        "ORDER BY subject LIMIT :limit"
    )


def _address(value: str | None) -> Address | None:
    return None if value is None else Address(Channel.SMS, value)


@dataclass(frozen=True, slots=True)
class SyncItem:
    """One person at one sender. `seq` is of the newest event about it; `address` is known once it is claimed."""

    subject: bytes
    account: str
    sender: str
    seq: int
    state: ItemState
    attempts: int
    due_at: int
    address: Address | None = field(default=None, repr=False)


class Syncs(Queue[SyncItem]):
    """What providers must be told. Never two at once about the same person and sender."""

    kind = Kind.SYNC
    item = SyncItem
    shape: ClassVar[Shape] = Shape(
        table="syncs",
        key=("subject", "account", "sender"),
        columns=columns_of(SyncItem, without=("address",)),
        version="seq",
    )

    def opted_out(self, scopes: Sequence[str]) -> Iterator[list[tuple[bytes, Address | None]]]:
        """Yield, in chunks, who has an opt-out by SMS in one of these scopes. Raises `OurTroubleError`."""
        statement = _opted_out(len(scopes))
        values: dict[str, object] = {f"scope{number}": each for number, each in enumerate(scopes)}
        after = b""
        while True:
            rows = self._read(statement, {**values, "after": after, "limit": _CHUNK})
            if rows:
                yield [(row.subject, _address(row.address)) for row in rows]
            if len(rows) < _CHUNK:
                return
            after = rows[-1].subject

    def ask(self, rows: Sequence[tuple[bytes, str, str, int]], now: int) -> int:
        """Ask for these (subject, account, sender, seq of the word) to be told; return how many."""
        statement = _ASK

        def asked(connection: Connection) -> int:
            for subject, account, sender, seq in sorted(rows):
                values = {"subject": subject, "account": account, "sender": sender, "seq": seq, "now": now}
                connection.execute(statement, values)
            return len(rows)

        return self._write(asked) if rows else 0

    def _claimed(self, connection: Connection, item: SyncItem, attempts: int) -> SyncItem:
        """Return the claimed item with its address, None after erasure."""
        address = address_of(connection, item.subject)
        return replace(item, state=ItemState.SENDING, attempts=attempts, address=address)
