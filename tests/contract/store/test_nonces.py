"""A nonce belongs to one request, however many ask for it at once, on both engines."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select
from support.entries import NOW

from gateway.store.engine import open_engine
from gateway.store.nonces import Nonces
from gateway.store.tables import nonces as table

ONE, OTHER = b"1" * 32, b"2" * 32


@pytest.fixture
def nonces(engine: Engine) -> Nonces:
    return Nonces(engine)


def test_the_first_request_has_it_and_may_come_again(nonces: Nonces):
    assert nonces.claim("acme", "n", ONE, now=NOW)
    assert nonces.claim("acme", "n", ONE, now=NOW + 5)
    assert not nonces.claim("acme", "n", OTHER, now=NOW + 6)
    assert nonces.claim("acme", "n", ONE, now=NOW + 7)


def test_accounts_do_not_share_nonces(nonces: Nonces):
    assert nonces.claim("acme", "n", ONE, now=NOW)
    assert nonces.claim("other", "n", OTHER, now=NOW)


@pytest.mark.parametrize("nonce", ["", "\0", "\ud800", "n" * 9000, "\u00e4"])
def test_any_text_can_be_a_nonce(nonces: Nonces, nonce: str):
    assert nonces.claim("acme", nonce, ONE, now=NOW)
    assert not nonces.claim("acme", nonce, OTHER, now=NOW)
    assert nonces.claim("acme", nonce + "x", OTHER, now=NOW)


def test_old_nonces_go_by_when_they_were_seen_first(nonces: Nonces, engine: Engine):
    for age in range(1100):
        nonces.claim("acme", f"{age}", ONE, now=NOW - age)
    nonces.claim("acme", "1099", ONE, now=NOW)
    assert nonces.prune(before=NOW - 9) == 1090
    with engine.connect() as connection:
        assert len(connection.execute(select(table)).all()) == 10
    assert nonces.claim("acme", "1099", OTHER, now=NOW)


def test_of_many_at_once_one_gets_it(database_url: str):
    start = threading.Barrier(6)

    def claim(number: int) -> bool:
        engine = open_engine(database_url)
        start.wait()
        got = Nonces(engine).claim("acme", "n", bytes([number]) * 32, now=NOW)
        engine.dispose()
        return got

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(claim, range(6))) == [False] * 5 + [True]
