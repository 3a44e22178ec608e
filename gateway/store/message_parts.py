"""The parts of long messages that a provider delivers one by one, until the ledger has what they say.

A part waits; then it is either joined with the others or read alone, decided once and for all of them in
one transaction. Its text goes when the ledger has it. The row stays a while: by it a repeated or late part is
known.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from enum import StrEnum
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Engine, text

from gateway.store.engine import writing
from gateway.store.pruning import prune
from gateway.store.snapshot import as_trouble

_UNREADABLE = "the parts of messages could not be read"
_UNWRITABLE = "the parts of messages could not be written"
_COLUMNS = "subject, account, message_id, number, total, sender, reference, received_at, state, lead, message"
_PUT = text(f"""
INSERT INTO message_parts ({_COLUMNS}) VALUES (:subject, :account, :message_id, :number, :total, :sender,
  :reference, :received_at, :state, :lead, :message)
ON CONFLICT (subject, account, message_id, number) DO NOTHING
""")  # noqa: S608 - column names only
_KIN = text(f"""
SELECT {_COLUMNS} FROM message_parts
WHERE subject = :subject AND account = :account AND sender = :sender AND reference = :reference
AND total = :total ORDER BY received_at, message_id, number
""")  # noqa: S608 - column names only
_UNREAD = text(f"""
SELECT {_COLUMNS} FROM message_parts WHERE message IS NOT NULL AND received_at <= :until
ORDER BY received_at LIMIT :limit
""")  # noqa: S608 - column names only
_KEY = "subject = :subject AND account = :account AND message_id = :message_id AND number = :number"
_MOVE = text(
    f"UPDATE message_parts SET state = :state, lead = :lead WHERE {_KEY} AND state = 'waiting' RETURNING number"  # noqa: S608 - names only
)
_FINISH = text(f"UPDATE message_parts SET message = NULL WHERE {_KEY} AND state <> 'waiting'")  # noqa: S608 - names only
_OLD = text(
    "DELETE FROM message_parts WHERE (subject, account, message_id, number) IN "
    "(SELECT subject, account, message_id, number FROM message_parts "
    "WHERE received_at < :before AND message IS NULL LIMIT :limit)"
)


class PartState(StrEnum):
    """How a part is read."""

    WAITING = "waiting"  # not yet decided
    JOINED = "joined"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One part. `received_at` is microseconds UTC; `message` is None once the ledger has what it says."""

    subject: bytes
    account: str
    message_id: str
    number: int
    total: int
    sender: str
    reference: str
    received_at: int
    state: PartState = PartState.WAITING
    lead: str | None = None  # message id of the first part, once joined
    message: str | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[bytes, str, str, int]:
        """What no other part has."""
        return (self.subject, self.account, self.message_id, self.number)


_key = attrgetter("key")


class _MovedError(Exception):
    """Another process has decided first."""


class MessageParts:
    """The parts of one engine. Every method is a transaction of its own and raises `OurTroubleError`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, part: StoredPart) -> None:
        """Keep a part durably; one that is there already stays as it is."""
        values = dict(zip(StoredPart.__slots__, astuple(part), strict=True))
        with as_trouble(_UNWRITABLE), writing(self._engine) as connection:
            connection.execute(_PUT, values | {"state": part.state.value})

    def kin(self, part: StoredPart) -> list[StoredPart]:
        """Return the parts that have its person, sender, reference and total, itself too, oldest first."""
        names = ("subject", "account", "sender", "reference", "total")
        values = {name: getattr(part, name) for name in names}
        with as_trouble(_UNREADABLE), self._engine.connect() as connection:
            return [_part(tuple(row)) for row in connection.execute(_KIN, values)]

    def unread(self, *, until: int, limit: int) -> list[StoredPart]:
        """Return parts received until a time that the ledger does not have, oldest first."""
        with as_trouble(_UNREADABLE), self._engine.connect() as connection:
            return [
                _part(tuple(row)) for row in connection.execute(_UNREAD, {"until": until, "limit": limit})
            ]

    def move(self, parts: Sequence[StoredPart], state: PartState, *, lead: str | None = None) -> bool:
        """Decide how these are read: all of them, durably, or none when one of them waits no more."""
        values = {"state": state.value, "lead": lead}
        try:
            with as_trouble(_UNWRITABLE), writing(self._engine) as connection:
                for part in sorted(parts, key=_key):  # in one order, so that nobody waits in a circle
                    _move(connection, {**values, **_values(part)})
        except _MovedError:
            return False
        return True

    def finish(self, parts: Sequence[StoredPart]) -> None:
        """Forget what the parts say: the ledger has it."""
        with as_trouble(_UNWRITABLE), writing(self._engine) as connection:
            for part in sorted(parts, key=_key):
                connection.execute(_FINISH, _values(part))

    def prune(self, *, before: int) -> int:
        """Delete what the ledger has and came before a time; return how many went."""
        return prune(self._engine, _OLD, before=before)


def _move(connection: Connection, values: dict[str, object]) -> None:
    if connection.execute(_MOVE, values).first() is None:
        raise _MovedError


def _values(part: StoredPart) -> dict[str, object]:
    return dict(zip(("subject", "account", "message_id", "number"), part.key, strict=True))


def _part(row: tuple[Any, ...]) -> StoredPart:
    part = StoredPart(*row)
    return replace(part, subject=bytes(part.subject), state=PartState(part.state))
