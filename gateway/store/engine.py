"""Engines: a SQLite file for one machine, PostgreSQL for more. Durability is set here, never left to defaults."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL

from gateway.errors import ConfigurationError

_MEBIBYTE_IN_KIB = 1024
# Of the log, in pages, at which a commit copies it into the file. `LogKeeper` does so long before, beside
# the commits; this is for whoever writes without one.
_WAL_PAGES = 50_000
# When another process has written, SQLite forgets all it had read: mapped, it need not be read again.
_MAPPED_BYTES = 1 << 30


def open_engine(url: str, *, timeout_ms: int = 5000, cache_mib: int = 64, pool_size: int = 5) -> Engine:
    """Return the engine of a database URL: `sqlite:///path` or `postgresql://…`.

    Raises `ConfigurationError` for another kind of database.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(address, timeout_ms=timeout_ms, cache_mib=cache_mib)
    if address.get_backend_name() == "postgresql":
        return _postgresql(address, timeout_ms=timeout_ms, pool_size=pool_size)
    raise ConfigurationError(
        f"database.url: {address.get_backend_name()} is not supported: use sqlite or postgresql"
    )


def is_sqlite(engine: Engine) -> bool:
    """Tell whether the engine is SQLite."""
    return engine.dialect.name == "sqlite"


def sqlite_path(engine: Engine) -> str:
    """Return the path of the SQLite file."""
    return str(engine.url.database)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a write transaction, committed at the end of the block."""
    if not is_sqlite(engine):
        with engine.begin() as connection:
            yield connection
        return
    immediate = engine.execution_options(gateway_begin="IMMEDIATE")
    with FileLock(sqlite_path(engine) + ".lock") as lock, lock.held(), immediate.begin() as connection:
        yield connection


class FileLock:
    """An flock beside the database file, held around every write transaction.

    SQLite's own lock is polled with growing pauses (p99 80 ms at half load); this one wakes the waiter at once.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock for the block."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _sqlite(address: URL, *, timeout_ms: int, cache_mib: int) -> Engine:
    if not address.database or address.database == ":memory:":
        raise ConfigurationError("database.url: an SQLite database in memory keeps nothing: name a file")
    Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        address.set(drivername="sqlite+pysqlite"),
        connect_args={"timeout": timeout_ms / 1000, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # a commit is on the disk before it is acknowledged
            "foreign_keys=ON",
            f"cache_size=-{cache_mib * _MEBIBYTE_IN_KIB}",
            f"wal_autocheckpoint={_WAL_PAGES}",
            f"mmap_size={_MAPPED_BYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        kind = connection.get_execution_options().get("gateway_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {kind}")

    return engine


def _postgresql(address: URL, *, timeout_ms: int, pool_size: int) -> Engine:
    # The server's own defaults may say otherwise: an acknowledged word must be on its disk.
    options = f"-c synchronous_commit=on -c statement_timeout={timeout_ms} -c lock_timeout={timeout_ms}"
    return create_engine(
        address.set(drivername="postgresql+psycopg"),
        connect_args={"options": options, "connect_timeout": max(2, timeout_ms // 1000)},
        pool_size=pool_size,
        pool_pre_ping=True,
    )
