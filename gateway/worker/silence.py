"""Ends messages to those who were asked what they meant and have not answered."""

from collections.abc import Callable, Sequence

from sqlalchemy import Engine

from gateway.errors import OurTroubleError
from gateway.flows.silence import Silences
from gateway.store.group import Ticket
from gateway.store.ledger import now_microseconds
from gateway.store.questions import Place, unanswered

_SECOND = 1_000_000
_LOOK_EVERY = 60 * _SECOND
# How long a worker may have been away without a question being forgotten.
_REACH = 30 * 86_400 * _SECOND
_A_TURN = 100


class SilenceWatch:
    """Looks once a minute, and goes through all that is due then, some in each turn."""

    def __init__(
        self, engine: Engine, silences: Silences, *, wait: int, clock: Callable[[], int] = now_microseconds
    ) -> None:
        """Take for how long (microseconds) an answer is waited for."""
        self._engine = engine
        self._silences = silences
        self._wait = wait
        self._clock = clock
        self._looked_at: int | None = None
        self._reached = Place(0)  # where the last turn ended: what fails must not hold up what comes after it

    def turn(self) -> int:
        """Record the silences that are long enough, and return how many.

        Raises `OurTroubleError` if some could not be recorded: they come again in a minute.
        """
        now = self._clock()
        if self._looked_at is not None and abs(now - self._looked_at) < _LOOK_EVERY:
            return 0
        until = now - self._wait
        after = max(self._reached, Place(until - _REACH))
        found = unanswered(self._engine, after=after, until=until, limit=_A_TURN)
        if len(found) == _A_TURN:
            self._reached = found[-1].place
        else:
            self._reached, self._looked_at = Place(0), now
        return _recorded([self._silences.stage(question, now) for question in found])


def _recorded(tickets: Sequence[Ticket]) -> int:
    """Wait for all outcomes, and return how many there are. Raises the first trouble afterwards."""
    troubles: list[OurTroubleError] = []
    for ticket in tickets:
        try:
            ticket.outcome()
        except OurTroubleError as trouble:
            troubles.append(trouble)
    if troubles:
        raise troubles[0]
    return len(tickets)
