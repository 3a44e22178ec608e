"""Takes over the opt-outs on providers' lists, every so many hours, one worker at a time."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import structlog
from sqlalchemy import Engine

from gateway.errors import OurTroubleError
from gateway.flows.provider_sync import ProviderSync
from gateway.providers.opt_outs import ListUnavailableError
from gateway.store.leases import take_turn, try_again
from gateway.store.ledger import now_microseconds
from gateway.worker.endings import HOUR, MINUTE

_LOOK_EVERY = MINUTE
_AFTER_FAILURE = 10 * MINUTE

_log = structlog.get_logger(__name__)


class ListPulls:
    """Looks once a minute, and reads lists beside everything else: a long one takes its time."""

    def __init__(
        self,
        engine: Engine,
        flow: ProviderSync,
        hours: Mapping[str, int],
        is_stopped: Callable[[], bool],
        clock: Callable[[], int] = now_microseconds,
    ) -> None:
        """Take the hours between two pulls of each account."""
        self._engine = engine
        self._flow = flow
        self._hours = hours
        self._is_stopped = is_stopped
        self._clock = clock
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="pull")
        self._running: Future[None] | None = None
        self._looked_at: int | None = None

    def turn(self) -> None:
        """Begin what is due, unless a list is being read. Raises `OurTroubleError`, and what a pull ended in."""
        if self._running is not None:
            if not self._running.done():
                return
            ended, self._running = self._running, None
            ended.result()
        now = self._clock()
        if self._looked_at is not None and abs(now - self._looked_at) < _LOOK_EVERY:
            return
        self._looked_at = now
        for account in self._flow.pulled():
            if take_turn(self._engine, _name(account), every=self._hours[account] * HOUR, now=now):
                self._running = self._pool.submit(self._pull, account, now)
                return

    def close(self) -> None:
        """Wait for the page in hand; the rest of the list is read at the next turn of another worker."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _pull(self, account: str, now: int) -> None:
        new = 0
        try:
            for number in self._flow.take_over(account, now):
                new += number
                if self._is_stopped():
                    self._retry(account, 0)
                    return
        except ListUnavailableError as error:
            self._retry(account, _AFTER_FAILURE)
            _log.warning("a provider's list could not be read", account=account, problem=str(error))
            return
        except OurTroubleError:
            self._retry(account, _AFTER_FAILURE)
            raise
        _log.info("a provider's list was taken over", account=account, opt_outs=new)

    def _retry(self, account: str, after: int) -> None:
        every = self._hours[account] * HOUR
        try_again(self._engine, _name(account), every=every, after=after, now=self._clock())


def _name(account: str) -> str:
    return f"pull:{account}"
