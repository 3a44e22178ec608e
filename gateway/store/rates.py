"""How many messages an account may send a second, shared by all workers: one row an account, one write a turn.

The row holds the time up to which sends are spent (a generic cell rate algorithm, ITU-T I.371): what a worker
takes is there for no other, however many there are and on however many machines, and nobody holds a lease.
"""

from sqlalchemy import Engine, text

from gateway.store.engine import is_sqlite, writing
from gateway.store.snapshot import as_trouble

_SECOND = 1_000_000
_READ = "SELECT spent_until FROM rates WHERE account = :account"
_KEEP = text("INSERT INTO rates (account, spent_until) VALUES (:account, 0) ON CONFLICT (account) DO NOTHING")
_SPEND = text("UPDATE rates SET spent_until = :until WHERE account = :account")


class Rates:
    """The rates of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # SQLite has one writer at a time.
        self._read = text(_READ if is_sqlite(engine) else f"{_READ} FOR UPDATE")

    def take(self, account: str, wanted: int, *, per_second: float, now: int) -> int:
        """Take up to `wanted` sends and return how many are granted.

        What was not taken is there for a second, so a burst is one second's sends, and one at least. Raises
        `OurTroubleError`.
        """
        with as_trouble("the rates could not be written"), writing(self._engine) as connection:
            connection.execute(_KEEP, {"account": account})
            spent = connection.execute(self._read, {"account": account}).scalar_one()
            granted, until = _granted(spent, wanted, per_second, now)
            if granted:
                connection.execute(_SPEND, {"account": account, "until": until})
        return granted


def _granted(spent_until: int, wanted: int, per_second: float, now: int) -> tuple[int, int]:
    """Return how many sends are granted and up to when they are spent. Times in microseconds."""
    gap = _SECOND / per_second
    burst = max(_SECOND, gap)
    # A time far ahead was written before somebody set the clock back.
    start = spent_until if now <= spent_until <= now + 2 * burst else now
    granted = min(wanted, max(0, int((now + burst - start + 0.5) // gap)))
    return granted, int(start + granted * gap)
