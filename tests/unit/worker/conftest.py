"""A worker on SQLite whose provider and clock are ours."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine
from support.entries import KEY, NOW, entry

from gateway.consent.entry import Outcome, Reply
from gateway.flows.delivery_status import DeliveryStatuses
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.store.ledger import Ledger, LedgerRules, open_ledger
from gateway.store.outbox import Outbox
from gateway.store.rates import Rates
from gateway.store.recorder import Recorder
from gateway.store.tables import outbox as table
from gateway.worker.delivery import Carrier, Delivery
from gateway.worker.endings import Timing
from gateway.worker.replies import Replies

SENT = SendResult(SendOutcome.SENT, message_id="SM1")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


class FakeProvider:
    """Answers sends with what it was given, the last again and again; an exception is raised."""

    opt_outs = None

    def __init__(self, *results: SendResult | BaseException) -> None:
        self.results = list(results) or [SENT]
        self.sent: list[OutboundMessage] = []
        self.before: Callable[[], object] = lambda: None

    def send(self, message: OutboundMessage) -> SendResult:
        self.before()
        self.sent.append(message)
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, BaseException):
            raise result
        return result


class Uncounted:
    def committed(self, outcomes: Sequence[Outcome], seconds: float) -> None: ...

    def failed(self, entries: int) -> None: ...


@dataclass
class Bench:
    """What the tests hold in their hands."""

    engine: Engine
    ledger: Ledger
    recorder: Recorder
    clock: Clock
    provider: FakeProvider = field(default_factory=FakeProvider)
    chance: float = 1.0

    def put(self, person: int = 1, *, klass: str = "help", at: int = NOW, **fields: object) -> None:
        words = Reply(klass, f"text of {klass}", inline=False)
        self.ledger.record([entry(person, None, klass=klass, at=at, reply=words, **fields)])

    def statuses(self) -> DeliveryStatuses:
        desk = SimpleNamespace(opt_out_scope="@+15550199000")
        return DeliveryStatuses(SimpleNamespace(desk=lambda _sender: desk), self.recorder, KEY)

    @property
    def timing(self) -> Timing:
        return Timing(self.clock, lambda: self.chance)

    def replies(self) -> Replies:
        providers = {"acme-twilio": self.provider}
        return Replies(Outbox(self.engine), providers, self.statuses(), self.timing)

    def delivery(
        self, *carriers: Carrier, accounts: Sequence[str] = ("acme-twilio",), **rates: float
    ) -> Delivery:
        carriers = carriers or (self.replies(),)
        limits = {name.replace("_", "-"): rate for name, rate in rates.items()}
        return Delivery(carriers, accounts, Rates(self.engine), limits, self.clock)

    def turn(self, *carriers: Carrier) -> list[str]:
        """Take what is due, wait for it, and return what became of it."""
        delivery = self.delivery(*carriers)
        endings = [*delivery.turn(), *delivery.finish()]
        assert list(delivery.close()) == []
        return [ending.value for _, ending in endings]

    def rows(self) -> list[tuple[str, str | None, int]]:
        """State, result and attempts of every item."""
        query = table.select().order_by(table.c.subject, table.c.seq)
        with self.engine.connect() as connection:
            return [(row.state, row.result, row.attempts) for row in connection.execute(query)]


@pytest.fixture
def bench(sqlite_engine: Engine) -> Iterator[Bench]:
    clock = Clock()
    rules = LedgerRules(KEY, clock=clock)
    ledger = open_ledger(sqlite_engine, rules)
    recorder = Recorder(sqlite_engine, rules, group_limit=8, observer=Uncounted())
    yield Bench(sqlite_engine, ledger, recorder, clock)
    ledger.close()
    recorder.close()
