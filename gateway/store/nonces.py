"""Nonces of signatures that do not cover the body: each belongs to the request that brought it first."""

from hashlib import sha256

from sqlalchemy import Engine, text

from gateway.store.engine import writing
from gateway.store.pruning import prune
from gateway.store.snapshot import as_trouble

# The update changes nothing: it waits for whoever claims the same nonce now, and makes the row come back.
_CLAIM = text("""
INSERT INTO nonces (account, nonce, request, seen_at) VALUES (:account, :nonce, :request, :now)
ON CONFLICT (account, nonce) DO UPDATE SET seen_at = nonces.seen_at
RETURNING request
""")
_OLD = text(
    "DELETE FROM nonces WHERE (account, nonce) IN "
    "(SELECT account, nonce FROM nonces WHERE seen_at < :before LIMIT :limit)"
)


class Nonces:
    """The nonces of one engine. Every method is a transaction of its own and raises `OurTroubleError`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, account: str, nonce: str, request: bytes, *, now: int) -> bool:
        """Give the nonce durably to the request of this digest; return False when it is another's.

        The same request may claim it again: it is a repeated delivery.
        """
        digest = sha256(nonce.encode("utf-8", "surrogatepass")).digest()
        values = {"account": account, "nonce": digest, "request": request, "now": now}
        with as_trouble("the nonce could not be claimed"), writing(self._engine) as connection:
            return bytes(connection.execute(_CLAIM, values).scalar_one()) == request

    def prune(self, *, before: int) -> int:
        """Delete what was seen before a time; return how many went."""
        return prune(self._engine, _OLD, before=before)
