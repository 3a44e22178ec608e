"""Threads for each kind and account: a slow account holds up no other, and a stop leaves nothing half done."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs
from support.entries import NOW

from gateway.errors import OurTroubleError
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.store.outbox import Outbox
from gateway.store.queue import Kind
from gateway.store.rates import Rates
from gateway.worker.delivery import Delivery
from gateway.worker.endings import Ending
from gateway.worker.replies import Replies

SECOND = 1_000_000


class Gate:
    """A provider that answers when it is let."""

    opt_outs = None

    def __init__(self) -> None:
        self.open = threading.Event()
        self.inside = 0
        self.most = 0
        self.sent = 0
        self._lock = threading.Lock()

    def send(self, _: OutboundMessage) -> SendResult:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.open.wait(20)
        with self._lock:
            self.inside -= 1
            self.sent += 1
        return SendResult(SendOutcome.SENT, message_id="SM1")


@pytest.fixture
def slow() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def delivery_of(bench, providers, **rates: float) -> Delivery:
    replies = Replies(Outbox(bench.engine), providers, bench.statuses(), bench.timing)
    return Delivery((replies,), providers, Rates(bench.engine), rates, bench.clock)


def test_a_slow_account_does_not_hold_up_the_others(bench, slow: Gate):
    for person in range(40):
        bench.put(person, account="slow")
    for person in range(40, 43):
        bench.put(person, account="quick")
    quick = bench.provider
    delivery = delivery_of(bench, {"slow": slow, "quick": quick})
    endings = []
    deadline = time.monotonic() + 10
    while len(endings) < 3 and time.monotonic() < deadline:
        endings += [ending for _, ending in delivery.turn()]
        time.sleep(0.01)
    assert endings == [Ending.SENT] * 3
    assert (slow.sent, slow.most) == (0, 4)
    slow.open.set()
    list(delivery.finish())
    list(delivery.close())


def test_an_account_has_four_calls_at_once(bench, slow: Gate):
    for person in range(10):
        bench.put(person, account="slow")
    delivery = delivery_of(bench, {"slow": slow})
    list(delivery.turn())
    until(lambda: slow.inside == 4)
    slow.open.set()
    assert len(list(delivery.finish())) == 10
    assert slow.most == 4
    list(delivery.close())


def test_what_is_under_way_is_not_taken_twice(bench, slow: Gate):
    for person in range(6):
        bench.put(person, account="slow")
    delivery = delivery_of(bench, {"slow": slow})
    for _ in range(5):
        list(delivery.turn())
    slow.open.set()
    endings = [*delivery.finish(), *delivery.close()]
    assert endings == [(Kind.REPLY, Ending.SENT)] * 6
    assert slow.sent == 6


def test_a_stop_finishes_what_has_begun_and_leaves_the_rest(bench, slow: Gate):
    for person in range(10):
        bench.put(person, account="slow")
    delivery = delivery_of(bench, {"slow": slow})
    list(delivery.turn())
    until(lambda: slow.inside == 4)
    threading.Timer(0.2, slow.open.set).start()
    assert list(delivery.close()) == [(Kind.REPLY, Ending.SENT)] * 4
    states = [state for state, *_ in bench.rows()]
    assert (states.count("done"), states.count("due")) == (4, 6)


def test_no_more_goes_out_than_the_account_may_send(bench):
    for person in range(30):
        bench.put(person)
    delivery = bench.delivery(acme_twilio=10.0)

    def turn() -> int:
        list(delivery.turn())
        list(delivery.finish())
        return len(bench.provider.sent)

    assert [turn() for _ in range(2)] == [10, 10]
    bench.clock.now += SECOND // 2
    assert turn() == 15
    bench.clock.now += 10 * SECOND
    assert turn() == 25
    list(delivery.close())


def test_two_workers_share_the_rate(bench):
    for person in range(30):
        bench.put(person)
    workers = [bench.delivery(acme_twilio=10.0) for _ in range(2)]
    for worker in workers:
        list(worker.turn())
        list(worker.finish())
    assert len(bench.provider.sent) == 10
    for worker in workers:
        list(worker.close())


def test_a_line_that_ended_in_an_error_rests_and_the_others_go_on(bench, monkeypatch: pytest.MonkeyPatch):
    bench.put(1)
    replies = bench.replies()

    def broken(_item: object) -> bool:
        raise OurTroubleError("the outbox could not be read")

    monkeypatch.setattr(replies.queue, "is_overtaken", broken)
    delivery = bench.delivery(replies)
    with capture_logs() as logs:
        for _ in range(3):
            list(delivery.turn())
            list(delivery.finish())
    told = {"event": "delivery failed", "kind": "reply", "error": "OurTroubleError"}
    assert logs == [{**told, "problem": "the outbox could not be read", "log_level": "error"}]
    monkeypatch.undo()
    bench.clock.now += 5 * SECOND
    list(delivery.turn())
    assert [ending for _, ending in delivery.finish()] == [Ending.SENT]
    list(delivery.close())


def test_a_rest_ends_early_when_something_has_ended_or_at_a_stop(bench, slow: Gate):
    bench.put(1, account="slow")
    delivery = delivery_of(bench, {"slow": slow})
    list(delivery.turn())
    stop = threading.Event()
    begun = time.monotonic()
    threading.Timer(0.1, slow.open.set).start()
    delivery.rest(10, stop)
    stop.set()
    delivery.rest(10, stop)
    assert time.monotonic() - begun < 5
    assert len(list(delivery.close())) == 1


def test_a_rest_is_no_longer_than_it_is_asked_for(bench):
    begun = time.monotonic()
    delivery = bench.delivery()
    delivery.rest(0.1, threading.Event())
    assert 0.05 < time.monotonic() - begun < 2
    list(delivery.close())


def test_replies_of_one_person_stay_in_order_with_many_threads(bench):
    for person in range(8):
        for klass in ("help", "opt_out"):
            bench.put(person, klass=klass, at=NOW)
    delivery = bench.delivery()
    for _ in range(4):
        list(delivery.turn())
        list(delivery.finish())
    list(delivery.close())
    for person in range(8):
        number = f"+1555010{person:04d}"
        texts = [each.text for each in bench.provider.sent if each.address.value == number]
        assert texts == ["text of help", "text of opt_out"]
