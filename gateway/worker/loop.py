"""The worker: does what must happen after the commit, until it is told to stop."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine

from gateway.errors import OurTroubleError
from gateway.flows.intake import ApiAccount, Intake
from gateway.flows.provider_sync import ProviderSync
from gateway.flows.silence import Silences
from gateway.house import House, provider_sync_of
from gateway.store.dead_letters import DeadLetters
from gateway.store.forwards import Forwards
from gateway.store.ledger import now_microseconds
from gateway.store.message_parts import MessageParts
from gateway.store.nonces import Nonces
from gateway.store.outbox import Outbox
from gateway.store.probe import probe
from gateway.store.queues import Queues
from gateway.store.rates import Rates
from gateway.store.syncs import Syncs
from gateway.worker.checkpoints import CheckpointSealing
from gateway.worker.delivery import Delivery, Outcome
from gateway.worker.ended import OutboxRetention
from gateway.worker.endings import Ending
from gateway.worker.forwards import ForwardDelivery
from gateway.worker.pulls import ListPulls
from gateway.worker.replies import Replies
from gateway.worker.silence import SilenceWatch
from gateway.worker.syncs import SyncDelivery
from gateway.worker.upkeep import LateParts, Retention

_IDLE_SECONDS = 0.5
_TROUBLE_SECONDS = 5.0
_SECOND = 1_000_000
_SIGN_OF_LIFE = 10 * _SECOND  # microseconds between two

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

    delivery: Delivery
    sealing: CheckpointSealing
    sign: SignOfLife
    is_stopped: Callable[[], bool]
    sleep: Callable[[float], object]
    count: Callable[[str, str], None]  # of kind and ending
    upkeep: Sequence[Callable[[], object]] = ()  # each knows by itself when it is time

    def run(self) -> None:
        """Work until stopped; what is under way is finished first. Trouble is logged and tried again later."""
        while not self.is_stopped():
            pause = self._attempt(self._deliver)
            self._attempt(self.sealing.turn)
            self._attempt(self.sign.turn)
            for chore in self.upkeep:
                self._attempt(chore)
            if pause:
                self.sleep(pause)
        self._count(self.delivery.close())

    def _deliver(self) -> bool:
        return self._count(self.delivery.turn()) > 0

    def _count(self, outcomes: Iterable[Outcome]) -> int:
        number = 0
        for kind, ending in outcomes:
            self.count(kind.value, ending.value)
            number += 1
        return number

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
            self.count("", Ending.FAILED.value)
            return _TROUBLE_SECONDS
        return 0.0 if worked else _IDLE_SECONDS


def run(house: House, *, stop: threading.Event) -> None:
    """Deliver the outbox and seal checkpoints until `stop` is set, as SIGTERM's handler does."""
    parts = MessageParts(house.engine)
    intake = Intake(house.book, house.recorder, house.keys.subject, parts)
    flow = provider_sync_of(house)
    delivery = _delivery(house, intake, flow)
    pulls = _pulls(house, flow, stop)
    Worker(
        delivery=delivery,
        sealing=CheckpointSealing(house.engine, house.keys.ledger),
        sign=SignOfLife(house.engine),
        is_stopped=stop.is_set,
        sleep=lambda seconds: delivery.rest(seconds, stop),
        count=house.metrics.sent,
        upkeep=(
            _late_parts(house, intake).turn,
            _retention(house, parts).turn,
            _silence_watch(house).turn,
            _outbox_retention(house).turn,
            pulls.turn,
        ),
    ).run()
    pulls.close()


def _delivery(house: House, intake: Intake, flow: ProviderSync) -> Delivery:
    engine, accounts = house.engine, house.settings.accounts
    return Delivery(
        carriers=(
            Replies(Outbox(engine), house.providers, intake.statuses),
            ForwardDelivery(Forwards(engine), house.targets, house.net),
            SyncDelivery(Syncs(engine), flow),
        ),
        accounts=accounts,
        limits=Rates(engine),
        rates={
            name: account.rate_per_second
            for name, account in accounts.items()
            if account.rate_per_second is not None
        },
    )


def _pulls(house: House, flow: ProviderSync, stop: threading.Event) -> ListPulls:
    hours = {name: account.sync_hours for name, account in house.settings.accounts.items()}
    return ListPulls(house.engine, flow, hours, stop.is_set)


def _outbox_retention(house: House) -> OutboxRetention:
    queues = tuple(Queues(house.engine).all.values())
    return OutboxRetention(queues, days=house.settings.retention.outbox_days)


def _late_parts(house: House, intake: Intake) -> LateParts:
    settings = house.settings
    accounts = {
        name: ApiAccount(name, account.provider, house.providers[name])
        for name, account in settings.accounts.items()
    }
    return LateParts(intake.long_messages, accounts, wait=settings.limits.part_seconds * _SECOND)


def _silence_watch(house: House) -> SilenceWatch:
    wait = house.settings.replies.clarify_hours * 3600 * _SECOND
    return SilenceWatch(house.engine, Silences(house.book, house.recorder), wait=wait)


def _retention(house: House, parts: MessageParts) -> Retention:
    engine, settings = house.engine, house.settings
    return Retention(DeadLetters(engine), Nonces(engine), parts, settings.retention, settings.limits)
