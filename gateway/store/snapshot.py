"""Transactions that see one moment of the database, and read what another hand has altered too."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import OurTroubleError
from gateway.store.engine import is_sqlite


def repeatable(engine: Engine) -> Engine:
    """Return the engine with transactions that see one moment of the database; SQLite's always do."""
    return engine if is_sqlite(engine) else engine.execution_options(isolation_level="REPEATABLE READ")


@contextmanager
def as_trouble(problem: str) -> Iterator[None]:
    """Turn what the database raises in the block into `OurTroubleError`, which holds no data of a row."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise OurTroubleError(problem) from error


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a reading transaction that sees one moment of the database.

    Text is read as `any_text` says. Raises `OurTroubleError` when the database cannot be read.
    """
    with (
        as_trouble("the database could not be read"),
        repeatable(engine).connect() as connection,
        any_text(connection),
    ):
        yield connection


@contextmanager
def any_text(connection: Connection) -> Iterator[None]:
    """Let SQLite read text that is no UTF-8, with lone surrogates in its place; PostgreSQL holds none."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.text_factory = _decoded
    try:
        yield
    finally:
        driver.text_factory = str


def _decoded(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")
