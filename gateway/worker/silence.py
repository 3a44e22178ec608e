"""Ends messages to those who were asked what they meant and have not answered."""

from collections.abc import Callable

from sqlalchemy import Engine

from gateway.flows.silence import Silences
from gateway.store.ledger import now_microseconds
from gateway.store.questions import unanswered

_SECOND = 1_000_000
_LOOK_EVERY = 60 * _SECOND
# How long a worker may have been away without a question being forgotten.
_REACH = 30 * 86_400 * _SECOND
_A_TURN = 100


class SilenceWatch:
    """Looks once a minute."""

    def __init__(
        self, engine: Engine, silences: Silences, *, wait: int, clock: Callable[[], int] = now_microseconds
    ) -> None:
        """Take for how long (microseconds) an answer is waited for."""
        self._engine = engine
        self._silences = silences
        self._wait = wait
        self._clock = clock
        self._looked_at: int | None = None

    def turn(self) -> int:
        """Record the silences that are long enough, and return how many. Raises `OurTroubleError`."""
        now = self._clock()
        if self._looked_at is not None and abs(now - self._looked_at) < _LOOK_EVERY:
            return 0
        until = now - self._wait
        found = unanswered(self._engine, after=until - _REACH, until=until, limit=_A_TURN)
        for ticket in [self._silences.stage(question, now) for question in found]:
            ticket.outcome()
        if len(found) < _A_TURN:
            self._looked_at = now
        return len(found)
