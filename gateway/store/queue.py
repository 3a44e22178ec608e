"""What waits to go out, whatever it is: found by account, claimed by one worker, settled.

Every statement that writes touches one row and says what it must find, so workers need no locks between
them; `RETURNING` tells whether it was found. An item is `sending` in the database before the call goes out,
so that after a crash nobody knows less than that it may have gone out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Engine, TextClause, text

from gateway.store.engine import writing
from gateway.store.pruning import prune
from gateway.store.snapshot import as_trouble

Done = TypeVar("Done")


class ItemState(StrEnum):
    """Where an item stands. Those after `SENDING` are final."""

    DUE = "due"
    SENDING = "sending"
    DONE = "done"
    DROPPED = "dropped"  # it did not go out, and should not any more
    DEAD = "dead"  # it did not go out, or nobody knows


class Kind(StrEnum):
    """What an item is. The values are labels of the metrics."""

    REPLY = "reply"
    FORWARD = "forward"
    SYNC = "sync"


class Queued(Protocol):
    """One item. Times in microseconds UTC."""

    @property
    def subject(self) -> bytes:
        """Whom it is about; with the table's other key columns it names the item."""

    @property
    def account(self) -> str:
        """The account that it goes out for."""

    @property
    def sender(self) -> str:
        """The business's end, "" where there is none."""

    @property
    def state(self) -> ItemState:
        """Where it stood when it was read."""

    @property
    def attempts(self) -> int:
        """How often it was claimed."""

    @property
    def due_at(self) -> int:
        """When it may go out."""


AnyItem = TypeVar("AnyItem", bound=Queued)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a queue lies in its table."""

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    # What must have ended before: a condition on rows `earlier`.
    waits: str = ""
    has_end: bool = False  # a column `expires_at`
    forgets: str = ""  # what an item that has ended well loses: an assignment, of `:nothing` to bytes
    keeps: str = ""  # which ended items are not deleted yet: a condition, of `:until` too
    # An item that was asked for once more while it was on its way goes back to `due`.
    version: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one account has waiting: how many items are due, since when, and how many are dead."""

    account: str
    due: int
    oldest_due_at: int | None  # microseconds UTC
    dead: int


class Queue(Generic[AnyItem]):
    """One kind of what goes out, of one engine. Every method is a transaction and raises `OurTroubleError`."""

    kind: ClassVar[Kind]
    shape: ClassVar[Shape]
    item: ClassVar[type[Any]]

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, rooms: Mapping[str, int], *, now: int, stale: int) -> list[AnyItem]:
        """Return items that want something done: of each account up to its room, longest due first.

        They are due, expired or not, or were left in `sending` at or before `stale`.
        """
        wanted = {account: room for account, room in rooms.items() if room > 0}
        if not wanted:
            return []
        values: dict[str, object] = {"now": now, "stale": stale}
        for number, (account, room) in enumerate(sorted(wanted.items())):
            values[f"account{number}"] = account
            values[f"room{number}"] = room
        return [self._item(row) for row in self._read(find_statement(self.shape, len(wanted)), values)]

    def find_strangers(self, accounts: Sequence[str], *, now: int, stale: int, limit: int) -> list[AnyItem]:
        """Return items of accounts that are not among these."""
        values: dict[str, object] = {"now": now, "stale": stale, "limit": limit}
        names = {f"account{number}": account for number, account in enumerate(accounts)}
        return [
            self._item(row) for row in self._read(strangers_statement(self.shape, len(names)), values | names)
        ]

    def claim(self, item: AnyItem, now: int) -> AnyItem | None:
        """Make a due item ours, durably; None when it is another worker's, or must wait or not go out."""
        found = self.claim_all([item], now)
        return found[0] if found else None

    def claim_all(self, items: Sequence[AnyItem], now: int) -> list[AnyItem]:
        """Make due items ours in one transaction, and return those that are."""
        statement = claim_statement(self.shape)

        def claimed(connection: Connection) -> list[AnyItem]:
            found = []
            for item in sorted(items, key=self._order):
                attempts = connection.execute(statement, {**self.key(item), "now": now}).scalar_one_or_none()
                if attempts is not None:
                    found.append(self._claimed(connection, item, attempts))
            return found

        return self._write(claimed)

    def settle(
        self,
        item: AnyItem,
        state: ItemState,
        *,
        now: int,
        result: str | None = None,
        due_at: int | None = None,
    ) -> bool:
        """Move an item on from where it was found or claimed; False when another worker moved it.

        `result` is the other side's id or a code; `due_at`, for an item that goes back to `due`, is when it
        is due again.
        """
        values: dict[str, object] = {
            **self.key(item),
            "from_state": item.state.value,
            "attempts": item.attempts,
            "to_state": state.value,
            "result": result,
            "due_at": item.due_at if due_at is None else due_at,
            "now": now,
        }
        if self.shape.version:
            values["version"] = getattr(item, self.shape.version)
        forgets = bool(self.shape.forgets) and state in {ItemState.DONE, ItemState.DROPPED}
        if forgets:
            values["nothing"] = b""
        statement = settle_statement(self.shape, forgets=forgets)
        return self._write(lambda connection: connection.execute(statement, values).first() is not None)

    def waiting(self, now: int) -> list[Waiting]:
        """Return what waits and what is dead, account by account."""
        rows = self._read(waiting_statement(self.shape), {"now": now})
        return [
            Waiting(row.account, int(row.due), row.oldest, int(row.dead)) for row in rows
        ]  # PostgreSQL sums to decimals

    def prune(self, until: int) -> int:
        """Delete items that ended before a time; return how many went."""
        return prune(self._engine, prune_statement(self.shape), until=until)

    def key(self, item: AnyItem) -> dict[str, object]:
        """Return the values of the item's key."""
        return {name: getattr(item, name) for name in self.shape.key}

    def _order(self, item: AnyItem) -> tuple[Any, ...]:
        return tuple(self.key(item).values())

    def _claimed(self, connection: Connection, item: AnyItem, attempts: int) -> AnyItem:  # noqa: ARG002 - for kinds that read more
        return replace(item, state=ItemState.SENDING, attempts=attempts)  # type: ignore[type-var]  # items are dataclasses

    def _item(self, row: Any) -> AnyItem:
        values = dict(zip(self.shape.columns, row, strict=True))
        found: AnyItem = self.item(**{**values, "state": ItemState(values["state"])})
        return found

    def _read(self, statement: TextClause, values: Mapping[str, object]) -> Sequence[Any]:
        with as_trouble("the outbox could not be read"), self._engine.connect() as connection:
            return connection.execute(statement, values).all()

    def _write(self, work: Callable[[Connection], Done]) -> Done:
        with as_trouble("the outbox could not be written"), writing(self._engine) as connection:
            return work(connection)


def columns_of(item: type[Any], *, without: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the columns that an item is made of: its fields, but for those that are no columns."""
    return tuple(field.name for field in fields(item) if field.name not in without)


# -- statements; the first condition is that of the partial index, word for word as SQLite's planner wants it --


@lru_cache
def find_statement(shape: Shape, accounts: int) -> TextClause:
    """Select for each account by itself: one that has much waiting must not hide the others."""
    return text(
        " UNION ALL ".join(
            f"SELECT * FROM ({_found(shape, f'account = :account{number}')} LIMIT :room{number}) AS part{number}"  # noqa: S608 - names only
            for number in range(accounts)
        )
    )


@lru_cache
def strangers_statement(shape: Shape, accounts: int) -> TextClause:
    """Select what belongs to no account that there is."""
    names = ", ".join(f":account{number}" for number in range(accounts))
    return text(f"{_found(shape, f'account NOT IN ({names})' if names else 'TRUE')} LIMIT :limit")


@lru_cache
def claim_statement(shape: Shape) -> TextClause:
    """Claim one item that is due and waits for nothing."""
    end = "AND (expires_at IS NULL OR expires_at > :now)" if shape.has_end else ""
    return text(
        f"UPDATE {shape.table} SET state = 'sending', attempts = attempts + 1, changed_at = :now "  # noqa: S608 - names only
        f"WHERE {_named(shape)} AND state = 'due' AND due_at <= :now {end} {_unless_earlier(shape)} "
        "RETURNING attempts"
    )


@lru_cache
def settle_statement(shape: Shape, *, forgets: bool) -> TextClause:
    """Move an item. `attempts` tells one claim from the next: who was taken for dead must not settle another's."""
    state, attempts, result = ":to_state", "attempts", ":result"
    if shape.version:
        again = f"{shape.version} <> :version"
        state = f"CASE WHEN {again} THEN 'due' ELSE :to_state END"
        attempts = f"CASE WHEN {again} THEN 0 ELSE attempts END"
    left = f", {shape.forgets}" if forgets else ""
    return text(
        f"UPDATE {shape.table} SET state = {state}, attempts = {attempts}, result = {result}, "  # noqa: S608 - names only
        f"due_at = :due_at, changed_at = :now{left} "
        f"WHERE {_named(shape)} AND state = :from_state AND attempts = :attempts RETURNING 1"
    )


@lru_cache
def waiting_statement(shape: Shape) -> TextClause:
    """Count by account, along the two partial indexes."""
    return text(
        "SELECT account, sum(due) AS due, min(oldest) AS oldest, sum(dead) AS dead FROM ("  # noqa: S608 - names only
        f"SELECT account, count(*) AS due, min(due_at) AS oldest, 0 AS dead FROM {shape.table} "
        "WHERE state IN ('due', 'sending') AND due_at <= :now GROUP BY account UNION ALL "
        f"SELECT account, 0, NULL, count(*) FROM {shape.table} WHERE state = 'dead' GROUP BY account"
        ") AS parts GROUP BY account ORDER BY account"
    )


@lru_cache
def prune_statement(shape: Shape) -> TextClause:
    """Delete some of what ended before a time."""
    key = ", ".join(shape.key)
    kept = f"AND NOT ({shape.keeps}) " if shape.keeps else ""
    return text(
        f"DELETE FROM {shape.table} WHERE ({key}) IN (SELECT {key} FROM {shape.table} "  # noqa: S608 - names only
        f"WHERE state IN ('done', 'dropped', 'dead') AND changed_at < :until {kept}LIMIT :limit)"
    )


def _found(shape: Shape, whose: str) -> str:
    return (
        f"SELECT {', '.join(shape.columns)} FROM {shape.table} "  # noqa: S608 - names only
        f"WHERE state IN ('due', 'sending') AND {whose} AND due_at <= :now "
        f"AND (state = 'due' OR changed_at <= :stale) {_unless_earlier(shape)} ORDER BY due_at"
    )


def _named(shape: Shape) -> str:
    return " AND ".join(f"{name} = :{name}" for name in shape.key)


def _unless_earlier(shape: Shape) -> str:
    if not shape.waits:
        return ""
    return f"AND NOT EXISTS (SELECT 1 FROM {shape.table} AS earlier WHERE {shape.waits})"  # noqa: S608 - names only
