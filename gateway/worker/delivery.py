"""Hands what is due to threads: a few for each kind and account, so that a slow one holds up no other."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic

import structlog

from gateway.errors import OurTroubleError
from gateway.store.ledger import now_microseconds
from gateway.store.queue import AnyItem, Kind, Queue
from gateway.store.rates import Rates
from gateway.worker.endings import SECOND, STALE, Ending

_CALLS_AT_ONCE = 4  # of one kind and account
_READ_AHEAD = 8  # times as many items wait in the line, so that no thread waits for the next look
_REST = 5 * SECOND  # of a line that ended in an error of ours
_STRANGERS_EVERY = 60 * SECOND
_STRANGERS = 100
_NOBODY = ""  # the line of what belongs to no account
_BLINK = 0.05  # seconds

_log = structlog.get_logger(__name__)

Outcome = tuple[Kind, Ending]


class Carrier(ABC, Generic[AnyItem]):
    """Knows how one kind of item goes out. Used by several threads at once."""

    is_rated: ClassVar[bool] = False  # bound by the account's `rate_per_second`
    queue: Queue[AnyItem]

    @abstractmethod
    def deliver(self, items: Sequence[AnyItem]) -> Iterator[Ending]:
        """Do what the items want, all of one account; yield what became of each. Raises `OurTroubleError`."""

    def batch(self, account: str) -> int:  # noqa: ARG002 - most go one by one
        """Return how many items of an account go out together."""
        return 1


@dataclass(slots=True)
class _Line:
    """What is under way for one kind and account."""

    carrier: Carrier[Any]
    account: str
    pool: ThreadPoolExecutor
    held: dict[Future[list[Ending]], tuple[Any, ...]] = field(default_factory=dict)
    rests_until: int = 0

    def room(self, now: int) -> int:
        if now < self.rests_until:
            return 0
        most = _CALLS_AT_ONCE * _READ_AHEAD * self.carrier.batch(self.account)
        return max(0, most - len(self.under_way()))

    def under_way(self) -> set[Any]:
        """Return the items that are under way: until they are claimed they are found again and again."""
        return {key for keys in self.held.values() for key in keys}

    def key(self, item: Any) -> tuple[Any, ...]:
        return tuple(self.carrier.queue.key(item).values())

    def take(self, items: Sequence[Any]) -> None:
        size = self.carrier.batch(self.account)
        for start in range(0, len(items), size):
            batch = items[start : start + size]
            future = self.pool.submit(_delivered, self.carrier, batch)
            self.held[future] = tuple(map(self.key, batch))

    def ended(self) -> list[Future[list[Ending]]]:
        found = [future for future in self.held if future.done()]
        for future in found:
            del self.held[future]
        return found


def _delivered(carrier: Carrier[Any], items: Sequence[Any]) -> list[Ending]:
    return list(carrier.deliver(items))


class Delivery:
    """Delivers everything of all accounts. One per worker; several workers share the queues.

    `rates` are the sends a second of the accounts that have a limit.
    """

    def __init__(
        self,
        carriers: Sequence[Carrier[Any]],
        accounts: Iterable[str],
        limits: Rates,
        rates: Mapping[str, float],
        clock: Callable[[], int] = now_microseconds,
    ) -> None:
        self._accounts = sorted(accounts)
        self._lines = [
            [self._line(carrier, account) for account in (*self._accounts, _NOBODY)] for carrier in carriers
        ]
        self._limits = limits
        self._rates = rates
        self._clock = clock
        self._strangers_at: int | None = None

    def turn(self) -> Iterator[Outcome]:
        """Yield what became of items since the last turn, and take what is due.

        Raises `OurTroubleError` when the database fails.
        """
        yield from self._collected()
        now = self._clock()
        for lines in self._lines:
            self._take(lines, now)
        self._take_strangers(now)

    def rest(self, seconds: float, stop: threading.Event) -> None:
        """Wait, but no longer than until something has ended, or until `stop` is set."""
        until = time.monotonic() + seconds
        while not stop.wait(_BLINK) and time.monotonic() < until:
            if any(future.done() for line in self._all() for future in line.held):
                return

    def finish(self) -> Iterator[Outcome]:
        """Wait for what is under way and yield what became of it; nothing more is taken until the next turn."""
        for line in self._all():
            for future in line.held:
                future.exception()
        yield from self._collected()

    def close(self) -> Iterator[Outcome]:
        """End: what no thread has begun is left for another worker, what has begun is waited for."""
        for line in self._all():
            line.pool.shutdown(wait=False, cancel_futures=True)
        for line in self._all():
            line.pool.shutdown(wait=True)
        yield from self._collected()

    def _line(self, carrier: Carrier[Any], account: str) -> _Line:
        name = f"{carrier.queue.kind}-{account}"
        return _Line(carrier, account, ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix=name))

    def _all(self) -> Iterator[_Line]:
        for lines in self._lines:
            yield from lines

    def _collected(self) -> Iterator[Outcome]:
        for line in self._all():
            for future in line.ended():
                if not future.cancelled():
                    yield from self._outcomes(line, future)

    def _outcomes(self, line: _Line, future: Future[list[Ending]]) -> Iterator[Outcome]:
        kind, error = line.carrier.queue.kind, future.exception()
        if error is None:
            yield from ((kind, ending) for ending in future.result())
            return
        line.rests_until = self._clock() + _REST
        # Without the text of an error that is not ours: it may hold an address.
        problem = str(error) if isinstance(error, OurTroubleError) else ""
        _log.error("delivery failed", kind=str(kind), error=type(error).__name__, problem=problem)
        yield kind, Ending.FAILED

    def _take(self, lines: Sequence[_Line], now: int) -> None:
        """Take what is due of one kind, as much as each line has room for."""
        own = {line.account: line for line in lines if line.account != _NOBODY}
        rooms = {account: line.room(now) for account, line in own.items()}
        found: dict[str, list[Any]] = {}
        for item in lines[0].carrier.queue.find(rooms, now=now, stale=now - STALE):
            if own[item.account].key(item) not in own[item.account].under_way():
                found.setdefault(item.account, []).append(item)
        for account, items in found.items():
            own[account].take(items[: self._granted(own[account], len(items), now)])

    def _granted(self, line: _Line, wanted: int, now: int) -> int:
        rate = self._rates.get(line.account) if line.carrier.is_rated else None
        if rate is None:
            return wanted
        return self._limits.take(line.account, wanted, per_second=rate, now=now)

    def _take_strangers(self, now: int) -> None:
        """Take what belongs to no account any more: it is dropped."""
        if self._strangers_at is not None and abs(now - self._strangers_at) < _STRANGERS_EVERY:
            return
        self._strangers_at = now
        for lines in self._lines:
            line = lines[-1]
            found = line.carrier.queue.find_strangers(
                self._accounts, now=now, stale=now - STALE, limit=_STRANGERS
            )
            line.take([item for item in found if line.key(item) not in line.under_way()])
