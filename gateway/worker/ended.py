"""Deletes what became of things that went out, once it is old enough."""

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from gateway.store.ledger import now_microseconds
from gateway.store.queue import Queue
from gateway.worker.endings import HOUR

_EVERY = HOUR
_DAY = 24 * HOUR

_log = structlog.get_logger(__name__)


class OutboxRetention:
    """Looks once an hour."""

    def __init__(
        self, queues: Sequence[Queue[Any]], *, days: int, clock: Callable[[], int] = now_microseconds
    ) -> None:
        """Take for how many days an item is kept after its end."""
        self._queues = queues
        self._days = days
        self._clock = clock
        self._done_at: int | None = None

    def turn(self) -> None:
        """Delete what is too old. Raises `OurTroubleError`."""
        now = self._clock()
        if self._done_at is not None and abs(now - self._done_at) < _EVERY:
            return
        self._done_at = now
        gone = {str(queue.kind): queue.prune(now - self._days * _DAY) for queue in self._queues}
        if any(gone.values()):
            _log.info("deleted what went out long ago", **gone)
