"""The ledger on SQLite: one writer at a time, and as little as possible while the others wait."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from gateway.consent.entry import Entry, Outcome
from gateway.errors import OurTroubleError
from gateway.store import statements
from gateway.store.batch import Batch, Claim, claim_of
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
_INSERT_SUPPRESSION = statements.insert_suppressions(1, _MARK)
_LIFT = statements.lift_wrong_number(_MARK)
_UPSERT_SYNC = statements.upsert_syncs(1, _MARK)
_INSERT_FORWARD = statements.insert_forwards(1, _MARK)


class SqliteLedger(Ledger):
    """Every write transaction is held by an flock, so that waiting processes are woken, not polled."""

    def __init__(
        self, engine: Engine, rules: LedgerRules, wrote: Callable[[int], None] | None = None
    ) -> None:
        super().__init__(engine, rules)
        self._wrote = wrote
        self._lock: FileLock | None = None
        self._held: PoolProxiedConnection | None = None
        self._raw: sqlite3.Connection | None = None

    def close(self) -> None:
        """Give the connection and the lock back."""
        if self._lock is not None and self._held is not None:
            self._lock.close()
            self._held.close()
        self._lock = self._held = self._raw = None

    def _attempt(self, entries: Sequence[Entry], forwards: Sequence[Row], *, careful: bool) -> list[Outcome]:
        try:
            connection = self._connection()
            assert self._lock is not None  # noqa: S101 - opened with the connection
            if careful:
                with self._lock.held(), _transaction(connection):
                    batch = self._fold(connection, entries, forwards, careful=True)
                    self._write(connection, batch)
            else:
                # Others write while we read and fold; who was faster on the same person makes the write fail.
                batch = self._fold(connection, entries, forwards, careful=False)
                with self._lock.held(), _transaction(connection):
                    self._write(connection, batch)
            if self._wrote is not None:
                self._wrote(len(batch.events))
            return batch.outcomes  # noqa: TRY300 - the errors are those of all of it
        except sqlite3.IntegrityError as error:
            if careful:
                raise PoisonError("the database refused an entry") from error
            raise ConflictError from error
        except (sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError, OverflowError) as error:
            raise PoisonError("the database refused an entry") from error
        except (sqlite3.Error, OSError) as error:  # the file of the lock may fail too
            raise OurTroubleError("the database did not take the write") from error

    def _fold(
        self,
        connection: sqlite3.Connection,
        entries: Sequence[Entry],
        forwards: Sequence[Row],
        *,
        careful: bool,
    ) -> Batch:
        rows = self._select(connection, list({entry.subject for entry in entries}))
        claimed = _claimed(connection, entries) if careful and entries else ()
        return self._folded(entries, forwards, rows, claimed)

    @staticmethod
    def _select(connection: sqlite3.Connection, subjects: Sequence[bytes]) -> list[Row]:
        marks = ",".join(_MARK * len(subjects))
        query = f"SELECT {PERSON_COLUMNS} FROM states WHERE subject IN ({marks})"  # noqa: S608 - marks only
        return connection.execute(query, subjects).fetchall()

    @staticmethod
    def _write(connection: sqlite3.Connection, batch: Batch) -> None:
        # executemany is faster here than many rows in one statement: SQLite keeps the statement prepared.
        for statement, rows in (
            (_INSERT_EVENT, batch.events),
            (_UPSERT_STATE, batch.states),
            (_INSERT_OUTBOX, batch.outbox),
            (_INSERT_SUPPRESSION, batch.suppressed),
            (_LIFT, batch.lifted),
            (_UPSERT_SYNC, batch.syncs),
            (_INSERT_FORWARD, batch.forwards),
        ):
            if rows:
                connection.executemany(statement, rows)

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


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit at the end of the block; whatever goes wrong, keep no half transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
