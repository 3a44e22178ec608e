"""Seals a checkpoint every so often, however many workers there are."""

from collections.abc import Callable

from sqlalchemy import Engine

from gateway.consent.checkpoint import Checkpoint
from gateway.flows.seal_checkpoint import LAG, seal
from gateway.store.checkpoints import newest_checkpoint
from gateway.store.ledger import now_microseconds

EVERY = 600_000_000  # microseconds: ten minutes


class CheckpointSealing:
    """Asks the database once in a while whether a checkpoint is due, since another worker may have sealed."""

    def __init__(
        self, engine: Engine, key: bytes, *, every: int = EVERY, clock: Callable[[], int] = now_microseconds
    ) -> None:
        self._engine = engine
        self._key = key
        self._every = every
        self._clock = clock
        self._asked_at: int | None = None

    def turn(self) -> Checkpoint | None:
        """Seal if it is time, and return what was sealed. Raises `OurTroubleError`."""
        now = self._clock()
        if self._asked_at is not None and abs(now - self._asked_at) < min(self._every, LAG):
            return None
        self._asked_at = now
        last = newest_checkpoint(self._engine)
        if last is not None and now - last.sealed_at < self._every:
            return None
        return seal(self._engine, self._key, now)
