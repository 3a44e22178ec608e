"""Dead letters: authentic webhooks that could not be read, kept until somebody has seen to them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, text

from gateway.errors import CallerError
from gateway.store import audit
from gateway.store.engine import writing
from gateway.store.pruning import prune
from gateway.store.snapshot import as_trouble

_UNREADABLE = "the dead letters could not be read"
_UNWRITABLE = "the dead letters could not be written"
_COLUMNS = (
    "id, account, kind, reason, received_at, method, url, headers, body, repeated_at, deliveries, handled_at"
)
_KEEP = text(f"""
INSERT INTO dead_letters ({_COLUMNS})
VALUES (:id, :account, :kind, :reason, :received_at, :method, :url, :headers, :body, :received_at, 1, NULL)
ON CONFLICT (id) DO UPDATE SET deliveries = dead_letters.deliveries + 1, repeated_at =
  CASE WHEN dead_letters.repeated_at < excluded.repeated_at
  THEN excluded.repeated_at ELSE dead_letters.repeated_at END
RETURNING deliveries
""")  # noqa: S608 - column names only
_FIND = text(f"SELECT {_COLUMNS} FROM dead_letters WHERE id = :id")  # noqa: S608 - column names only
_LIST = text(f"""
SELECT {_COLUMNS} FROM dead_letters WHERE handled_at IS NULL OR :handled = 1
ORDER BY received_at, id LIMIT :limit
""")  # noqa: S608 - column names only
_COUNT = text("SELECT count(*) FROM dead_letters WHERE handled_at IS NULL")
_HANDLE = text(
    "UPDATE dead_letters SET handled_at = :now WHERE id = :id AND handled_at IS NULL RETURNING account"
)
_DROP = text("DELETE FROM dead_letters WHERE id = :id RETURNING account")
_OLD = text(
    "DELETE FROM dead_letters WHERE id IN "
    "(SELECT id FROM dead_letters WHERE received_at < :before LIMIT :limit)"
)
_BEYOND = text(
    "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters "
    "ORDER BY handled_at IS NULL DESC, received_at DESC, id LIMIT :limit OFFSET :most)"
)


class LetterKind(StrEnum):
    """The path on which it came."""

    INBOUND = "inbound"
    STATUS = "status"


class UnknownLetterError(CallerError):
    """No dead letter has this id."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One webhook as it came, without its proof. Times in microseconds UTC; the content never shows in `repr`."""

    id: str
    account: str
    kind: LetterKind
    reason: str
    received_at: int
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    repeated_at: int = 0
    deliveries: int = 1
    handled_at: int | None = None


class DeadLetters:
    """The dead letters of one engine. Every method is a transaction of its own and raises `OurTroubleError`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, letter: DeadLetter) -> bool:
        """Keep the letter durably; return False when it is kept already, and count the delivery."""
        values = {
            "id": letter.id,
            "account": letter.account,
            "kind": letter.kind.value,
            "reason": letter.reason,
            "received_at": letter.received_at,
            "method": letter.method,
            "url": letter.url,
            "headers": json.dumps(dict(letter.headers)),
            "body": letter.body,
        }
        with as_trouble(_UNWRITABLE), writing(self._engine) as connection:
            return int(connection.execute(_KEEP, values).scalar_one()) == 1

    def find(self, letter_id: str) -> DeadLetter:
        """Return the letter; raise `UnknownLetterError`."""
        with as_trouble(_UNREADABLE), self._engine.connect() as connection:
            row = connection.execute(_FIND, {"id": letter_id}).one_or_none()
        if row is None:
            raise UnknownLetterError("no dead letter has this id")
        return _letter(tuple(row))

    def all(self, *, handled: bool, limit: int) -> list[DeadLetter]:
        """Return up to `limit` letters, oldest first; the handled ones too where `handled`."""
        with as_trouble(_UNREADABLE), self._engine.connect() as connection:
            rows = connection.execute(_LIST, {"handled": int(handled), "limit": limit}).all()
        return [_letter(tuple(row)) for row in rows]

    def waiting(self) -> int:
        """Return how many nobody has seen to."""
        with as_trouble(_UNREADABLE), self._engine.connect() as connection:
            return int(connection.execute(_COUNT).scalar_one())

    def handle(self, letter_id: str, *, actor: str, now: int) -> bool:
        """Mark it handled and write down by whom; return False when it was before."""
        with as_trouble(_UNWRITABLE), writing(self._engine) as connection:
            account = connection.execute(_HANDLE, {"id": letter_id, "now": now}).scalar_one_or_none()
            if account is not None:
                detail = {"letter": letter_id, "account": account}
                audit.record(connection, actor, "dead_letter.handle", at=now, detail=detail)
        return account is not None

    def drop(self, letter_id: str, *, actor: str, now: int) -> None:
        """Delete it and write down by whom; raise `UnknownLetterError`."""
        with as_trouble(_UNWRITABLE), writing(self._engine) as connection:
            account = connection.execute(_DROP, {"id": letter_id}).scalar_one_or_none()
            if account is None:
                raise UnknownLetterError("no dead letter has this id")
            detail = {"letter": letter_id, "account": account}
            audit.record(connection, actor, "dead_letter.drop", at=now, detail=detail)

    def prune(self, *, before: int, most: int) -> int:
        """Delete what came before a time, and of the rest what is beyond the most; return how many went."""
        return prune(self._engine, _OLD, before=before) + prune(self._engine, _BEYOND, most=most)


def _letter(row: tuple[Any, ...]) -> DeadLetter:
    letter_id, account, kind, reason, received_at, method, url, headers, body, *rest = row
    return DeadLetter(
        letter_id,
        account,
        LetterKind(kind),
        reason,
        received_at,
        method,
        url,
        json.loads(headers),
        bytes(body),
        *rest,
    )
