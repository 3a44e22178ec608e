"""All queues of one engine, as an operator sees them: one list, one id for each item, again or never."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, text

from gateway.consent.address import SUBJECT_BYTES
from gateway.errors import CallerError
from gateway.store import audit
from gateway.store.engine import writing
from gateway.store.forwards import Forwards
from gateway.store.outbox import Outbox
from gateway.store.queue import ItemState, Kind, Queue, Waiting
from gateway.store.snapshot import as_trouble
from gateway.store.syncs import Syncs

_COMMON = ("account", "sender", "state", "attempts", "due_at", "changed_at", "result")
_SEPARATOR = ":"


class UnknownItemError(CallerError):
    """No item has this id."""


class WrongStateError(CallerError):
    """The item is not in a state in which this can be done."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One item without its content. Times in microseconds UTC."""

    id: str
    kind: Kind
    account: str
    sender: str
    state: str
    attempts: int
    due_at: int
    changed_at: int
    result: str | None


@dataclass(frozen=True, slots=True)
class _Change:
    """What an operator does to an item, and in which states it may be."""

    action: str
    sets: str
    states: tuple[ItemState, ...]
    values: Mapping[str, object] = field(default_factory=dict)


class Queues:
    """Every method is a transaction and raises `OurTroubleError`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.all: dict[Kind, Queue[Any]] = {
            queue.kind: queue for queue in (Outbox(engine), Forwards(engine), Syncs(engine))
        }

    def items(
        self, *, kinds: Sequence[Kind], states: Sequence[str], account: str | None, limit: int
    ) -> list[Summary]:
        """Return items of these kinds and states, of one account or all, those first that are due longest."""
        found = [item for kind in kinds for item in self._items(kind, states, account, limit)]
        return sorted(found, key=lambda item: (item.due_at, item.id))[:limit]

    def content(self, item_id: str) -> Mapping[str, object]:
        """Return the whole row of an item; raise `UnknownItemError`."""
        kind, key = self._parsed(item_id)
        statement = text(f"SELECT * FROM {self._table(kind)} WHERE {_named(key)}")  # noqa: S608 - names only
        with as_trouble("the outbox could not be read"), self._engine.connect() as connection:
            row = connection.execute(statement, key).mappings().one_or_none()
        if row is None:
            raise UnknownItemError(f"no item has the id {item_id}")
        return dict(row)

    def retry(self, item_id: str, *, actor: str, now: int) -> None:
        """Make a dead item due again, as if it had never been tried.

        Raises `UnknownItemError`, and `WrongStateError` for an item that is not dead and for a reply: it may
        have gone out, and late it would be a message that the person did not ask for.
        """
        kind, _ = self._parsed(item_id)
        if kind is Kind.REPLY:
            raise WrongStateError("a reply is never sent again: late, it is a message nobody asked for")
        change = _Change(
            "retry", "state = 'due', attempts = 0, due_at = :now, result = NULL", (ItemState.DEAD,)
        )
        self._move(item_id, change, actor=actor, now=now)

    def drop(self, item_id: str, *, actor: str, now: int) -> None:
        """Let an item go that is due or dead; what it holds goes with it. Raises as `retry`."""
        kind, _ = self._parsed(item_id)
        forgets = self.all[kind].shape.forgets
        change = _Change(
            "drop",
            "state = 'dropped', result = 'by_hand'" + (f", {forgets}" if forgets else ""),
            (ItemState.DUE, ItemState.DEAD),
            {"nothing": b""} if forgets else {},
        )
        self._move(item_id, change, actor=actor, now=now)

    def waiting(self, now: int) -> Iterator[tuple[Kind, Waiting]]:
        """Yield what waits and what is dead, by kind and account."""
        for kind, queue in self.all.items():
            yield from ((kind, each) for each in queue.waiting(now))

    def _move(self, item_id: str, change: "_Change", *, actor: str, now: int) -> None:
        kind, key = self._parsed(item_id)
        listed = ", ".join(f"'{state}'" for state in change.states)
        statement = text(
            f"UPDATE {self._table(kind)} SET {change.sets}, changed_at = :now "  # noqa: S608 - names and states only
            f"WHERE {_named(key)} AND state IN ({listed}) RETURNING state"
        )
        with as_trouble("the outbox could not be written"), writing(self._engine) as connection:
            if connection.execute(statement, {**key, **change.values, "now": now}).first() is None:
                state = self._state(connection, kind, key)
                raise WrongStateError(f"{item_id} is {state}, and must be {' or '.join(change.states)}")
            audit.record(
                connection,
                actor,
                f"outbox.{change.action}",
                at=now,
                subject=_bytes(key["subject"]),
                detail={"item": item_id},
            )

    def _state(self, connection: Connection, kind: Kind, key: Mapping[str, object]) -> str:
        statement = text(f"SELECT state FROM {self._table(kind)} WHERE {_named(key)}")  # noqa: S608 - names only
        state: str | None = connection.execute(statement, key).scalar_one_or_none()
        if state is None:
            raise UnknownItemError("no item has this id")
        return state

    def _items(self, kind: Kind, states: Sequence[str], account: str | None, limit: int) -> Iterator[Summary]:
        queue = self.all[kind]
        marks = ", ".join(f":state{number}" for number in range(len(states)))
        whose = "" if account is None else "AND account = :account"
        names = tuple(dict.fromkeys((*queue.shape.key, *_COMMON)))
        statement = text(
            f"SELECT {', '.join(names)} FROM {queue.shape.table} "  # noqa: S608 - names only
            f"WHERE state IN ({marks}) {whose} ORDER BY due_at LIMIT :limit"
        )
        values: dict[str, object] = {f"state{number}": state for number, state in enumerate(states)}
        values |= {"limit": limit} | ({} if account is None else {"account": account})
        with as_trouble("the outbox could not be read"), self._engine.connect() as connection:
            rows = connection.execute(statement, values).mappings().all()
        for row in rows:
            yield Summary(self._id(kind, row), kind, **{name: row[name] for name in _COMMON})

    def _id(self, kind: Kind, row: Mapping[Any, Any]) -> str:
        parts = [_written(row[name]) for name in self.all[kind].shape.key if name != "kind"]
        return _SEPARATOR.join((kind, *parts))

    def _parsed(self, item_id: str) -> tuple[Kind, dict[str, object]]:
        """Return kind and key of an id; raise `UnknownItemError` for what is none."""
        problem = UnknownItemError("an id looks like forward:SUBJECT:ID: take it from gateway outbox list")
        word, _, rest = item_id.partition(_SEPARATOR)
        if word not in set(Kind):
            raise problem
        kind = Kind(word)
        names = [name for name in self.all[kind].shape.key if name != "kind"]
        parts = rest.split(_SEPARATOR, len(names) - 1)
        try:
            key = {name: _read(name, part) for name, part in zip(names, parts, strict=True)}
        except ValueError:
            raise problem from None
        return kind, key | ({"kind": word} if "kind" in self.all[kind].shape.key else {})

    def _table(self, kind: Kind) -> str:
        return self.all[kind].shape.table


def _written(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _read(name: str, part: str) -> object:
    """Return the value of a key column as an id has it; raise `ValueError`."""
    if name in {"subject", "id"}:
        value = bytes.fromhex(part)
        if len(value) != SUBJECT_BYTES:
            raise ValueError(name)
        return value
    return int(part) if name == "seq" else part


def _bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) else None


def _named(key: Mapping[str, object]) -> str:
    return " AND ".join(f"{name} = :{name}" for name in key)
