"""Operator tokens: `gw_<id>_<secret>`. The secret is shown once and kept as its SHA-256 only.

A hash without salt and stretching suffices: the secret is 32 random bytes, so there is nothing to guess.
"""

import re
import secrets
from base64 import b32encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import CallerError, NotAuthenticError, OurTroubleError
from gateway.store import audit
from gateway.store.engine import writing
from gateway.store.statements import Row
from gateway.store.tables import tokens

FRESH_MICROSECONDS = 5_000_000

_FORM = re.compile(r"gw_([a-z2-7]{8})_([A-Za-z0-9_-]{43})", re.ASCII)
_ID_BYTES = 5  # 8 characters of base32
_SECRET_BYTES = 32
_MOST_NAME = 100


class TokenError(CallerError):
    """A token cannot be made or found as asked. The message has no secret."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it is stored. Times are microseconds UTC; None: never expires, not revoked."""

    id: str
    name: str
    secret_hash: bytes = field(repr=False)
    scopes: frozenset[str]
    created_at: int
    expires_at: int | None
    revoked_at: int | None

    @classmethod
    def of(cls, row: Row) -> "TokenRow":
        """Return the token of a row with the table's columns."""
        token_id, name, secret_hash, scopes, *times = row
        return cls(token_id, name, bytes(secret_hash), frozenset(scopes.split()), *times)

    def is_alive(self, now: int) -> bool:
        """Tell whether the token is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class TokenIdentity:
    """Who calls: a token that has proved itself, and what it may do."""

    id: str
    name: str
    scopes: frozenset[str]


class TokenCheck:
    """Verifies tokens. A good one is remembered for five seconds, so a revocation works within five seconds.

    Only good ones are: whatever is refused has cost one read of the database and two comparisons, be it
    unknown, wrong, expired or revoked.
    """

    def __init__(self, find: Callable[[str], TokenRow | None], clock: Callable[[], int]) -> None:
        self._find = find
        self._clock = clock
        self._good: dict[str, tuple[int, TokenRow, TokenIdentity]] = {}

    def verify(self, token: str) -> TokenIdentity:
        """Return whose token it is. Raises `NotAuthenticError`, which never says what is wrong with it."""
        form = _FORM.fullmatch(token)
        if form is None:
            raise NotAuthenticError("not authentic")
        token_id, given, now = form[1], _hash(form[2]), self._clock()
        read_at, row, identity = self._good.get(token_id, _NEVER)
        if _opens(row, given, now) & (0 <= now - read_at < FRESH_MICROSECONDS):
            return identity
        return self._verify_anew(token_id, given, now)

    def _verify_anew(self, token_id: str, given: bytes, now: int) -> TokenIdentity:
        row = self._find(token_id) or _DECOY
        if not _opens(row, given, now):
            raise NotAuthenticError("not authentic")
        identity = TokenIdentity(row.id, row.name, row.scopes)
        self._good[token_id] = (now, row, identity)
        return identity


def create_token(
    engine: Engine,
    *,
    name: str,
    scopes: Iterable[str],
    actor: str,
    now: int,
    expires_at: int | None = None,
) -> str:
    """Make a token and return it: the only time that its secret is seen.

    Raises `TokenError` for a blank name, no scope or an expiry that has passed, and `OurTroubleError` when
    the database does not take it.
    """
    wanted = sorted({str(scope) for scope in scopes})
    _check(name, wanted, expires_at, now)
    token_id = b32encode(secrets.token_bytes(_ID_BYTES)).decode().lower()
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    values = {
        "id": token_id,
        "name": name,
        "secret_hash": _hash(secret),
        "scopes": " ".join(wanted),
        "created_at": now,
        "expires_at": expires_at,
    }
    detail = {"token": token_id, "name": name, "scopes": wanted, "expires_at": expires_at}
    with _changing(engine) as connection:
        connection.execute(insert(tokens).values(values))
        audit.record(connection, actor, "token.create", at=now, detail=detail)
    return f"gw_{token_id}_{secret}"


def list_tokens(engine: Engine) -> list[TokenRow]:
    """Return all tokens, the revoked and expired ones too, oldest first."""
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id)).all()
    except SQLAlchemyError as error:
        raise OurTroubleError("the tokens could not be read") from error
    return [TokenRow.of(tuple(row)) for row in rows]


def revoke_token(engine: Engine, token_id: str, *, actor: str, now: int) -> bool:
    """Revoke a token; return False when it was revoked before. Raises `TokenError` when there is none."""
    with _changing(engine) as connection:
        known = connection.execute(select(tokens.c.id).where(tokens.c.id == token_id)).first()
        if known is None:
            raise TokenError("no token has this id")
        alive = (tokens.c.id == token_id) & tokens.c.revoked_at.is_(None)
        changed = connection.execute(update(tokens).where(alive).values(revoked_at=now)).rowcount == 1
        if changed:
            audit.record(connection, actor, "token.revoke", at=now, detail={"token": token_id})
    return changed


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    try:
        with writing(engine) as connection:
            yield connection
    except SQLAlchemyError as error:
        raise OurTroubleError("the database did not take the change of a token") from error


def _check(name: str, scopes: list[str], expires_at: int | None, now: int) -> None:
    if not name.strip() or len(name) > _MOST_NAME:
        raise TokenError(f"a token needs a name of 1 to {_MOST_NAME} characters")
    if not scopes or any(scope.split() != [scope] for scope in scopes):
        raise TokenError("a token needs at least one scope, each a single word")
    if expires_at is not None and expires_at <= now:
        raise TokenError("the token would have expired already")


def _hash(secret: str) -> bytes:
    return sha256(secret.encode("ascii")).digest()


def _opens(row: TokenRow, given: bytes, now: int) -> bool:
    # Both are always worked out: a revoked token must not answer faster than a wrong one.
    return compare_digest(row.secret_hash, given) & row.is_alive(now)


# Stands in for a token that is not there. Nothing hashes to it that anyone could find, and it is revoked.
_DECOY = TokenRow("", "", bytes(32), frozenset(), 0, None, 0)
_NEVER = (-FRESH_MICROSECONDS, _DECOY, TokenIdentity("", "", frozenset()))
