"""1. A STOP that got a 2xx from us is durable: killing any process at any instruction, or the database server,
loses no accepted message.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, select, text
from support.crash import ENGINES, Findings, crash, rounds_wanted, seed_wanted
from support.entries import KEY, entry
from support.load import Line, Load, Message
from support.server import Server

from gateway.store.engine import FileLock, is_sqlite, open_engine, sqlite_path
from gateway.store.ledger import LedgerRules, open_ledger
from gateway.store.tables import events


def test_killing_processes_and_databases_loses_no_acknowledged_message(crash_findings: Findings):
    assert crash_findings.lost == []
    assert crash_findings.faults == []
    assert crash_findings.refused == []
    assert set(crash_findings.statuses) <= {"200", "503", "0"}


def test_the_kills_struck_while_messages_were_under_way(crash_findings: Findings):
    kills = sum(crash_findings.kills.values())
    assert kills == rounds_wanted()
    assert min(crash_findings.kills.values()) > 0
    assert crash_findings.taken > 10 * kills
    assert crash_findings.tried_again > kills


@pytest.mark.parametrize("worker_class", ["sync", "gthread"])
@pytest.mark.parametrize("engine_name", ENGINES)
def test_the_stock_workers_of_gunicorn_lose_nothing_either(
    engine_name: str, worker_class: str, tmp_path: Path
):
    found = crash(engine_name, tmp_path, rounds=4, seed=seed_wanted(), worker_class=worker_class)
    assert found.taken > 50
    assert (found.lost, found.faults, found.refused) == ([], [], [])
    assert (found.doubled, found.invented, found.answered_twice) == ([], [], [])
    assert set(found.statuses) <= {"200", "503", "0"}


@contextmanager
def nothing_commits(engine: Engine) -> Iterator[None]:
    """Hold up every commit of the ledger for the block."""
    if is_sqlite(engine):
        with FileLock(sqlite_path(engine) + ".lock") as lock, lock.held():
            yield
        return
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE events IN ACCESS EXCLUSIVE MODE"))
        yield


def recorded(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(select(events.c.message_id)).scalars())


def test_sigterm_answers_every_request_that_has_come(engine: Engine, database_url: str, tmp_path: Path):
    """What was sent before SIGTERM is answered; what comes after is answered too or leaves no trace."""
    with Server(tmp_path, database_url) as server, ExitStack() as stack:
        lines = [stack.enter_context(closing(Line(server.url))) for _ in range(60)]
        made = [Message.of(server.url, "STOP", f"+1555{number:07d}") for number in range(60)]
        for line in lines:
            assert line.get("/healthz") == (200, b"ok\n")  # so each connection is accepted
        with nothing_commits(engine):
            for line, message in zip(lines[:40], made[:40], strict=True):
                line.send(message)
            server.process.send_signal(signal.SIGTERM)
            for line, message in zip(lines[40:], made[40:], strict=True):
                line.send(message)
            time.sleep(0.5)
        answered = {m.sid for line, m in zip(lines, made, strict=True) if line.receive()[0] == 200}
        assert server.process.wait(30) == 0
    assert {message.sid for message in made[:40]} <= answered
    assert recorded(engine) == answered


@pytest.mark.parametrize("after", [0.05, 0.4])
def test_sigterm_under_load_leaves_nothing_recorded_without_its_answer(
    engine: Engine, database_url: str, tmp_path: Path, after: float
):
    server = Server(tmp_path, database_url)
    with server, Load(server.url, Random(seed_wanted()), clients=8, pause=0, patience=0) as load:
        load.wait_for(20)
        time.sleep(after)
        assert server.stop() == 0
    assert recorded(engine) == set(load.journal.taken)


def test_a_commit_is_on_the_disk_whatever_the_database_has_as_default(engine: Engine, database_url: str):
    """SIGKILL cannot tell: what is written but not synced survives it, and not a loss of power."""
    with closing(open_ledger(engine, LedgerRules(KEY))) as ledger:
        ledger.record([entry()])
        if is_sqlite(engine):
            assert ledger._raw.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
            assert ledger._raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            return
    with engine.begin() as connection:
        connection.execute(text(f'ALTER DATABASE "{engine.url.database}" SET synchronous_commit = off'))
    careless = open_engine(database_url)
    try:
        with closing(open_ledger(careless, LedgerRules(KEY))) as ledger:
            ledger.record([entry()])
            assert ledger._raw.execute("SHOW synchronous_commit").fetchone() == ("on",)
    finally:
        careless.dispose()
        with engine.begin() as connection:
            connection.execute(text(f'ALTER DATABASE "{engine.url.database}" RESET synchronous_commit'))
