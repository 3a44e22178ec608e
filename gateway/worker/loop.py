"""The worker: does what must happen after the commit, until it is told to stop."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine

from gateway.errors import OurTroubleError
from gateway.flows.delivery_status import DeliveryStatuses
from gateway.house import House
from gateway.store.ledger import now_microseconds
from gateway.store.outbox import Outbox
from gateway.store.probe import probe
from gateway.worker.checkpoints import CheckpointSealing
from gateway.worker.outbox import Ending, OutboxDelivery

_IDLE_SECONDS = 0.5
_TROUBLE_SECONDS = 5.0
_SIGN_OF_LIFE = 10_000_000  # microseconds between two

_log = structlog.get_logger(__name__)


class SignOfLife:
    """Writes down, now and then, that a worker runs: `gateway doctor` and alarms look for it."""

    def __init__(self, engine: Engine, *, clock: Callable[[], int] = now_microseconds) -> None:
        self._engine = engine
        self._clock = clock
        self._given_at: int | None = None

    def turn(self) -> None:
        """Give the sign if it is time. Raises `OurTroubleError`."""
        now = self._clock()
        if self._given_at is None or abs(now - self._given_at) >= _SIGN_OF_LIFE:
            probe(self._engine, "worker", now)
            self._given_at = now


@dataclass(frozen=True, slots=True)
class Worker:
    """Its chores, and how it stops and sleeps. `sleep` takes seconds and returns early at a stop."""

    delivery: OutboxDelivery
    sealing: CheckpointSealing
    sign: SignOfLife
    is_stopped: Callable[[], bool]
    sleep: Callable[[float], object]
    count: Callable[[Ending], None]

    def run(self) -> None:
        """Work until stopped; the item in hand is finished first. Trouble is logged and tried again later."""
        while not self.is_stopped():
            pause = self._attempt(self._deliver)
            self._attempt(self.sealing.turn)
            self._attempt(self.sign.turn)
            if pause:
                self.sleep(pause)

    def _deliver(self) -> bool:
        endings = 0
        for ending in self.delivery.turn(self.is_stopped):
            self.count(ending)
            endings += 1
        return endings > 0

    def _attempt(self, chore: Callable[[], object]) -> float:
        """Do a chore and return for how many seconds to pause: none when it found something to do."""
        try:
            worked = chore()
        except OurTroubleError as trouble:
            _log.error("worker in trouble", problem=str(trouble), cause=type(trouble.__cause__).__name__)
            return _TROUBLE_SECONDS
        except Exception as error:  # noqa: BLE001 - the edge of the process: one item must not stop all others
            # Without its text, which may hold an address.
            _log.error("worker failed", error=type(error).__name__)
            self.count(Ending.FAILED)
            return _TROUBLE_SECONDS
        return 0.0 if worked else _IDLE_SECONDS


def run(house: House, *, stop: threading.Event) -> None:
    """Deliver the outbox and seal checkpoints until `stop` is set, as SIGTERM's handler does."""
    statuses = DeliveryStatuses(house.book, house.recorder, house.keys.subject)
    Worker(
        delivery=OutboxDelivery(Outbox(house.engine), house.providers, statuses),
        sealing=CheckpointSealing(house.engine, house.keys.ledger),
        sign=SignOfLife(house.engine),
        is_stopped=stop.is_set,
        sleep=stop.wait,
        count=lambda ending: house.metrics.sent(ending.value),
    ).run()
