"""The ledger on SQLite: one writer at a time, read and write in the same immediate transaction."""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from gateway.consent.entry import Entry, Outcome
from gateway.errors import OurTroubleError
from gateway.store import statements
from gateway.store.batch import Batch, Claim, claim_of, fold, persons_of
from gateway.store.engine import FileLock, sqlite_path
from gateway.store.group import PoisonError
from gateway.store.ledger import ConflictError, Ledger, LedgerRules
from gateway.store.statements import PERSON_COLUMNS, Row

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

_MARK = "?"
_INSERT_EVENT = statements.insert_events(1, _MARK)
_UPSERT_STATE = statements.upsert_states(1, _MARK)
_INSERT_OUTBOX = statements.insert_outbox(1, _MARK)


class SqliteLedger(Ledger):
    """Every write transaction is held by an flock, so that waiting processes are woken, not polled."""

    def __init__(self, engine: Engine, rules: LedgerRules) -> None:
        super().__init__(engine, rules)
        self._lock: FileLock | None = None
        self._held: PoolProxiedConnection | None = None
        self._raw: sqlite3.Connection | None = None

    def close(self) -> None:
        """Give the connection and the lock back."""
        if self._lock is not None and self._held is not None:
            self._lock.close()
            self._held.close()
        self._lock = self._held = self._raw = None

    def _attempt(self, entries: Sequence[Entry], *, careful: bool) -> list[Outcome]:
        try:
            connection = self._connection()
            assert self._lock is not None  # noqa: S101 - opened with the connection
            with self._lock.held():
                return self._transact(connection, entries, careful=careful)
        except sqlite3.IntegrityError as error:
            if careful:
                raise PoisonError("the database refused an entry") from error
            raise ConflictError from error
        except (sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError, OverflowError) as error:
            raise PoisonError("the database refused an entry") from error
        except (sqlite3.Error, OSError) as error:  # the file of the lock may fail too
            raise OurTroubleError("the database did not take the write") from error

    def _transact(
        self, connection: sqlite3.Connection, entries: Sequence[Entry], *, careful: bool
    ) -> list[Outcome]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            rows = self._select(connection, list({entry.subject for entry in entries}))
            claimed = _claimed(connection, entries) if careful else ()
            batch = fold(entries, persons_of(rows), claimed, self._how(entries))
            _write(connection, batch)
            connection.execute("COMMIT")
        finally:
            # Whatever went wrong, the connection must not keep half a transaction.
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
        return batch.outcomes

    @staticmethod
    def _select(connection: sqlite3.Connection, subjects: Sequence[bytes]) -> list[Row]:
        marks = ",".join(_MARK * len(subjects))
        query = f"SELECT {PERSON_COLUMNS} FROM states WHERE subject IN ({marks})"  # noqa: S608 - marks only
        return connection.execute(query, subjects).fetchall()

    def _connection(self) -> sqlite3.Connection:
        if self._raw is None:
            self._held = self._engine.raw_connection()
            driver = self._held.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the engine is SQLite
            self._lock = FileLock(sqlite_path(self._engine) + ".lock")
            self._raw = driver
        return self._raw


def _claimed(connection: sqlite3.Connection, entries: Sequence[Entry]) -> list[Claim]:
    claims = [claim_of(entry) for entry in entries]
    query = statements.select_claims(len(claims), _MARK)
    return connection.execute(query, [value for claim in claims for value in claim]).fetchall()


def _write(connection: sqlite3.Connection, batch: Batch) -> None:
    # executemany is faster here than many rows in one statement: SQLite keeps the statement prepared.
    if batch.events:
        connection.executemany(_INSERT_EVENT, batch.events)
    if batch.states:
        connection.executemany(_UPSERT_STATE, batch.states)
    if batch.outbox:
        connection.executemany(_INSERT_OUTBOX, batch.outbox)
