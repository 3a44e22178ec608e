"""The worker's loop: no pause while there is work, trouble does not end it, a stop does."""

import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs
from support.entries import KEY, NOW
from support.tampering import KEYS

from gateway.errors import OurTroubleError
from gateway.flows.forward_request import Targets
from gateway.net.addresses import Inside
from gateway.providers.base import SendOutcome, SendResult
from gateway.settings import KeySettings, Settings
from gateway.store.engine import writing
from gateway.store.probe import last_probe
from gateway.worker.checkpoints import EVERY, CheckpointSealing
from gateway.worker.endings import Ending
from gateway.worker.loop import SignOfLife, Worker, run

SECOND = 1_000_000
TWILIO = {"provider": "twilio", "account_sid": "ACtest", "auth_tokens": ["secret"]}


class Rounds:
    """Plays every part of a worker; ends it after a number of pauses."""

    def __init__(self, bench, pauses: int) -> None:
        self.pauses: list[float] = []
        self.counted: list[Ending] = []
        self._most = pauses
        self.delivery = bench.delivery()
        self.worker = Worker(
            delivery=self.delivery,
            sealing=CheckpointSealing(bench.engine, KEY, clock=bench.clock),
            sign=SignOfLife(bench.engine, clock=bench.clock),
            is_stopped=lambda: len(self.pauses) >= self._most,
            sleep=self._sleep,
            count=lambda _, ending: self.counted.append(ending),
        )

    def _sleep(self, seconds: float) -> None:
        """Wait for what is under way; only a pause with nothing under way counts."""
        if any(line.held for line in self.delivery._all()):
            self.delivery.rest(5.0, threading.Event())
        else:
            self.pauses.append(seconds)


def test_a_worker_pauses_only_when_there_is_nothing_to_do(bench):
    for person in range(3):
        bench.put(person)
        bench.put(person, klass="opt_out")
    rounds = Rounds(bench, pauses=2)
    rounds.worker.run()
    assert rounds.counted == [Ending.SENT] * 6
    assert rounds.pauses == [0.5, 0.5]


def test_trouble_and_errors_are_logged_without_data_and_do_not_end_the_worker(bench):
    bench.provider.results = [ValueError("+15550100001"), SendResult(SendOutcome.SENT)]
    bench.put(1)
    bench.put(2)
    rounds = Rounds(bench, pauses=3)
    with capture_logs() as logs:
        rounds.worker.run()
    assert sorted(rounds.counted) == [Ending.FAILED, Ending.SENT]
    assert rounds.pauses == [0.5, 0.5, 0.5]
    told = {"event": "delivery failed", "kind": "reply", "error": "ValueError", "problem": ""}
    assert logs == [{**told, "log_level": "error"}]


def test_a_database_in_trouble_is_tried_again(bench):
    with writing(bench.engine) as connection:
        connection.execute(text("ALTER TABLE outbox RENAME TO elsewhere"))
    rounds = Rounds(bench, pauses=2)
    with capture_logs() as logs:
        rounds.worker.run()
    assert rounds.pauses == [5.0, 5.0]
    assert [log["cause"] for log in logs] == ["OperationalError"] * 2


def test_trouble_in_one_chore_does_not_stop_the_others(bench):
    with writing(bench.engine) as connection:
        connection.execute(text("DROP TABLE checkpoints"))
        connection.execute(text("DROP TABLE probes"))
    bench.put()
    rounds = Rounds(bench, pauses=1)
    with capture_logs():
        rounds.worker.run()
    assert rounds.counted == [Ending.SENT]


def test_a_stopped_worker_does_nothing(bench):
    bench.put()
    Rounds(bench, pauses=0).worker.run()
    assert bench.provider.sent == []


def test_a_sign_of_life_is_given_every_ten_seconds(bench):
    sign = SignOfLife(bench.engine, clock=bench.clock)
    sign.turn()
    assert last_probe(bench.engine, "worker") == NOW
    bench.clock.now += 10 * SECOND - 1
    sign.turn()
    assert last_probe(bench.engine, "worker") == NOW
    bench.clock.now += 1
    sign.turn()
    assert last_probe(bench.engine, "worker") == NOW + 10 * SECOND


def test_a_checkpoint_is_sealed_every_ten_minutes_by_one_of_the_workers(bench):
    bench.put()
    workers = [CheckpointSealing(bench.engine, KEY, clock=bench.clock) for _ in range(2)]
    bench.clock.now += 60 * SECOND
    assert [worker.turn() is not None for worker in workers] == [True, False]
    sealed_at = bench.clock.now
    bench.put(at=bench.clock.now)
    for _ in range(9):
        bench.clock.now += EVERY // 10
        assert [worker.turn() for worker in workers] == [None, None]
    bench.clock.now = sealed_at + EVERY
    assert [worker.turn() is not None for worker in workers] == [True, False]


def test_the_database_is_asked_once_a_minute_whether_a_checkpoint_is_due(bench, monkeypatch):
    asked = []
    monkeypatch.setattr("gateway.worker.checkpoints.newest_checkpoint", asked.append)
    sealing = CheckpointSealing(bench.engine, KEY, clock=bench.clock)
    for _ in range(10):
        sealing.turn()
        bench.clock.now += 6 * SECOND
    assert len(asked) == 1
    sealing.turn()
    assert len(asked) == 2


def test_a_checkpoint_that_fails_is_not_tried_at_every_turn(bench, monkeypatch):
    def broken(_engine: object) -> None:
        raise OurTroubleError("a checkpoint cannot be read")

    monkeypatch.setattr("gateway.worker.checkpoints.newest_checkpoint", broken)
    sealing = CheckpointSealing(bench.engine, KEY, clock=bench.clock)
    with pytest.raises(OurTroubleError):
        sealing.turn()
    assert sealing.turn() is None


def test_run_delivers_counts_and_ends_at_once_when_it_is_told_to_stop(bench):
    counted: list[str] = []
    house = SimpleNamespace(
        engine=bench.engine,
        keys=KEYS,
        book=None,
        recorder=bench.recorder,
        providers={"acme-twilio": bench.provider},
        metrics=SimpleNamespace(sent=lambda *labels: counted.append(labels)),
        settings=Settings(keys=KeySettings(master="m" * 40), accounts={"acme-twilio": TWILIO}),
        net=None,
        reader=None,
        targets=Targets({}, Inside()),
    )
    bench.put(account="acme-twilio")
    with writing(bench.engine) as connection:
        connection.execute(text("UPDATE outbox SET expires_at = NULL, due_at = 0"))
    stop = threading.Event()
    bench.provider.before = stop.set
    run(house, stop=stop)
    assert counted == [("reply", "sent")]
    assert bench.rows() == [("done", "SM1", 1)]
