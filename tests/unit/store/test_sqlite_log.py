"""The log is copied into the file beside the commits, and begins anew."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from structlog.testing import capture_logs
from support.databases import sqlite_url

from gateway.store import sqlite_log
from gateway.store.engine import open_engine, writing
from gateway.store.sqlite_log import LogKeeper

PAGE = 4096


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_engine(sqlite_url(tmp_path))
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE filler (body BLOB)"))
    yield engine
    engine.dispose()


@pytest.fixture
def keeper(engine: Engine):
    keeper = LogKeeper(engine)
    yield keeper
    keeper.close()


def _write(engine: Engine, pages: int) -> None:
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO filler VALUES (zeroblob(:size))"), {"size": pages * PAGE})


def _size(engine: Engine, suffix: str = "") -> int:
    return Path(str(engine.url.database) + suffix).stat().st_size


def _eventually(condition, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_few_events_start_no_thread_and_copy_nothing(engine: Engine, keeper: LogKeeper):
    _write(engine, 100)
    keeper.wrote(999)
    assert "sqlite log" not in {thread.name for thread in threading.enumerate()}
    assert _size(engine) < 100 * PAGE


def test_many_events_have_the_log_copied(engine: Engine, keeper: LogKeeper):
    for events in (600, 600):
        _write(engine, 100)
        keeper.wrote(events)
    assert _eventually(lambda: _size(engine) > 200 * PAGE)


def test_while_others_write_the_log_begins_anew(engine: Engine, keeper: LogKeeper, monkeypatch):
    monkeypatch.setattr(sqlite_log, "_LONG_LOG", 400)
    ended = threading.Event()

    def write_on() -> None:
        while not ended.is_set():
            _write(engine, 20)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        assert _eventually(lambda: keeper.wrote(1000) or _size(engine) > 3000 * PAGE)
    finally:
        ended.set()
        writer.join()
    # Had it never begun anew, it would hold all that the file holds.
    assert _size(engine, "-wal") < _size(engine)


def test_the_end_of_the_keeper_ends_its_thread(engine: Engine):
    keeper = LogKeeper(engine)
    keeper.wrote(1000)
    keeper.close()
    assert "sqlite log" not in {thread.name for thread in threading.enumerate()}
    LogKeeper(engine).close()


def test_trouble_is_told_and_nobody_is_held_up(engine: Engine, monkeypatch):
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error: secret")

    monkeypatch.setattr(sqlite_log, "_copy", fail)
    keeper = LogKeeper(engine)
    with capture_logs() as logs:
        keeper.wrote(1000)
        assert _eventually(lambda: bool(logs))
        keeper.close()
    assert [(line["event"], line["cause"]) for line in logs] == [
        ("the log is not kept short", "OperationalError")
    ]
    _write(engine, 1)


def test_after_trouble_it_starts_anew(engine: Engine, keeper: LogKeeper, monkeypatch):
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(sqlite_log, "_copy", fail)
        keeper.wrote(1000)
        assert _eventually(lambda: bool(logs))
    _write(engine, 100)
    assert _eventually(lambda: keeper.wrote(1000) or _size(engine) > 100 * PAGE)


def test_once_closed_it_starts_no_more(engine: Engine):
    keeper = LogKeeper(engine)
    keeper.close()
    keeper.wrote(1000)
    assert "sqlite log" not in {thread.name for thread in threading.enumerate()}
