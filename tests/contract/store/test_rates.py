"""Sends a second, shared by workers; and turns that one of several workers takes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from gateway.store.engine import open_engine
from gateway.store.leases import take_turn, try_again
from gateway.store.rates import Rates, _granted

SECOND = 1_000_000
NOW = 1_790_000_000 * SECOND


def test_a_burst_is_one_second_and_then_the_rate_holds(engine: Engine):
    rates = Rates(engine)
    assert rates.take("a", 25, per_second=10, now=NOW) == 10
    assert rates.take("a", 25, per_second=10, now=NOW) == 0
    assert rates.take("a", 25, per_second=10, now=NOW + SECOND // 2) == 5
    assert rates.take("a", 25, per_second=10, now=NOW + 100 * SECOND) == 10
    assert rates.take("b", 3, per_second=10, now=NOW) == 3


def test_less_than_one_a_second_is_possible(engine: Engine):
    rates = Rates(engine)
    taken = [rates.take("a", 1, per_second=0.5, now=NOW + number * SECOND) for number in range(6)]
    assert taken == [1, 0, 1, 0, 1, 0]


def test_a_clock_that_was_set_back_stops_nobody(engine: Engine):
    rates = Rates(engine)
    rates.take("a", 10, per_second=10, now=NOW)
    assert rates.take("a", 10, per_second=10, now=NOW - 3600 * SECOND) == 10


def test_workers_together_keep_to_the_rate(database_url: str):
    start = threading.Barrier(4)

    def work() -> int:
        engine = open_engine(database_url)
        rates = Rates(engine)
        start.wait()
        found = sum(rates.take("a", 5, per_second=20, now=NOW) for _ in range(10))
        engine.dispose()
        return found

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: work(), range(4))) == 20


@given(
    st.floats(0.1, 1000),
    st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 50)), max_size=40),
)
def test_in_no_time_more_is_granted_than_the_rate_and_one_burst(rate: float, asks: list[tuple[int, int]]):
    now, spent, granted = NOW, 0, 0
    for pause, wanted in asks:
        now += pause
        got, until = _granted(spent, wanted, rate, now)
        assert 0 <= got <= wanted
        granted, spent = granted + got, until if got else spent
    seconds = (now - NOW) / SECOND
    assert granted <= seconds * rate + max(1.0, rate) + 1


@pytest.mark.parametrize("workers", [3])
def test_one_worker_takes_the_turn(engine: Engine, workers: int):
    hour = 3600 * SECOND
    taken = [take_turn(engine, "pull:a", every=hour, now=NOW) for _ in range(workers)]
    assert taken == [True, False, False]
    assert not take_turn(engine, "pull:a", every=hour, now=NOW + hour - 1)
    assert take_turn(engine, "pull:a", every=hour, now=NOW + hour)
    try_again(engine, "pull:a", every=hour, after=60 * SECOND, now=NOW + hour)
    assert not take_turn(engine, "pull:a", every=hour, now=NOW + hour + 59 * SECOND)
    assert take_turn(engine, "pull:a", every=hour, now=NOW + hour + 60 * SECOND)
