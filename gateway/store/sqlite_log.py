"""Keeps SQLite's write-ahead log short while others write.

A commit that also copies the log into the file lets everybody wait for the disk, twenty times as long as the
commit itself takes. So a thread does the copying: SQLite lets others append meanwhile. Only the last stretch,
without which the log could not begin anew, is copied while the writers are held.
"""

import sqlite3
import threading
from contextlib import closing

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.store.engine import FileLock, sqlite_path

_EVENTS_BETWEEN = 1_000  # two to five pages of the log each
# Pages. SQLite finds a page in the log the slower, the longer it is, and the copy that lets it begin anew holds
# others up: with 16,000 one message in a hundred waited 85 ms, with 4,000 it is 53, for a twentieth of the rate.
_LONG_LOG = 4_000
_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"
_log = structlog.get_logger(__name__)


class LogKeeper:
    """Copies the log into the file, in a thread that is started when needed, so after a fork.

    Several processes may keep the same log: SQLite lets one of them copy at a time.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._written = 0
        self._due = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def wrote(self, events: int) -> None:
        """Take note of events that were committed."""
        self._written += events
        if self._written < _EVENTS_BETWEEN:
            return
        self._written = 0
        with self._starting:
            if not self._closed and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._keep, name="sqlite log", daemon=True)
                self._thread.start()
        self._due.set()

    def close(self) -> None:
        """End the thread."""
        with self._starting:
            self._closed = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        try:
            with (
                closing(self._engine.raw_connection()) as held,
                FileLock(sqlite_path(self._engine) + ".lock") as lock,
            ):
                driver = held.driver_connection
                assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the engine is SQLite
                while self._waited():
                    _copy(driver, lock)
        except (sqlite3.Error, SQLAlchemyError, OSError) as error:
            # The next who is due starts anew. Meanwhile commits copy a very long log, and tell what is wrong.
            _log.warning("the log is not kept short", cause=type(error).__name__)

    def _waited(self) -> bool:
        self._due.wait()
        self._due.clear()
        return not self._closed


def _copy(connection: sqlite3.Connection, lock: FileLock) -> None:
    _, pages, _ = connection.execute(_CHECKPOINT).fetchone()
    if pages < _LONG_LOG:
        return
    connection.execute(_CHECKPOINT).fetchone()  # what came during the first
    with lock.held():
        connection.execute(_CHECKPOINT).fetchone()
