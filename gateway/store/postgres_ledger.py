"""The ledger on PostgreSQL: optimistic. Two round trips a group: read the persons; write and commit."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from gateway.consent.entry import Entry, Outcome
from gateway.errors import OurTroubleError
from gateway.store import statements
from gateway.store.batch import Batch, Claim, claim_of
from gateway.store.group import PoisonError
from gateway.store.ledger import ConflictError, Ledger, LedgerRules
from gateway.store.statements import PERSON_COLUMNS, Row

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

_MARK = "$"
_LIFT = statements.lift_wrong_number(_MARK)
_SELECT = f"SELECT {PERSON_COLUMNS} FROM states WHERE subject = ANY($1)"  # noqa: S608 - column names only
# A lost race shows in one of these constraints: a taken claim, a head that moved on, an older word over a
# newer one. Any other refusal is about the data.
_RACE_CONSTRAINTS = frozenset({"pk_events", "pk_states", "ck_states_forward"})
_RACE_COLUMN = "said_at"
_MOST_ROWS = 128


class PostgresLedger(Ledger):
    """Statements are prepared for powers of two of rows, so that few shapes serve every group."""

    def __init__(self, engine: Engine, rules: LedgerRules) -> None:
        super().__init__(engine, rules)
        self._held: PoolProxiedConnection | None = None
        self._raw: psycopg.Connection[Any] | None = None

    def close(self) -> None:
        """Give the connection back."""
        if self._held is not None and self._raw is not None:
            if not self._raw.closed:
                self._raw.autocommit = False
                self._raw.cursor_factory = psycopg.Cursor
            self._held.close()
        self._held = self._raw = None

    def _attempt(self, entries: Sequence[Entry], forwards: Sequence[Row], *, careful: bool) -> list[Outcome]:
        connection = self._connection()
        try:
            rows = self._read(connection, entries) if entries else ()
            claimed = _claimed(connection, entries) if careful and entries else ()
            batch = self._folded(entries, forwards, rows, claimed)
            _write(connection, batch)
        except (errors.SerializationFailure, errors.DeadlockDetected) as error:
            raise ConflictError from error
        except psycopg.IntegrityError as error:
            if _is_race(error):
                raise ConflictError from error
            raise PoisonError("the database refused an entry") from error
        except (psycopg.DataError, errors.ProgramLimitExceeded) as error:
            raise PoisonError("the database refused an entry") from error
        except psycopg.Error as error:
            raise self._given_up(error) from error
        return batch.outcomes

    @staticmethod
    def _read(connection: psycopg.Connection[Any], entries: Sequence[Entry]) -> list[Row]:
        subjects = list({entry.subject for entry in entries})
        return connection.execute(_SELECT, [subjects], prepare=True).fetchall()

    def _connection(self) -> psycopg.Connection[Any]:
        if self._raw is None:
            try:
                self._held = self._engine.raw_connection()
            except (DBAPIError, psycopg.Error) as error:  # a raw connection fails with the driver's own
                raise OurTroubleError("the database cannot be reached") from error
            driver = self._held.driver_connection
            assert isinstance(driver, psycopg.Connection)  # noqa: S101 - the engine is PostgreSQL
            driver.autocommit = True
            # Statements come with $1, $2: psycopg would rewrite a text of a thousand %s at each call.
            driver.cursor_factory = psycopg.RawCursor
            self._raw = driver
        return self._raw

    def _given_up(self, error: psycopg.Error) -> OurTroubleError:
        """Drop the connection: after an error of unknown extent a new one costs less than a doubt."""
        if self._held is not None:
            self._held.invalidate(error)
        self._held = self._raw = None
        return OurTroubleError("the database did not take the write")


def _is_race(error: psycopg.IntegrityError) -> bool:
    return error.diag.constraint_name in _RACE_CONSTRAINTS or error.diag.column_name == _RACE_COLUMN


def _claimed(connection: psycopg.Connection[Any], entries: Sequence[Entry]) -> list[Claim]:
    claims = [claim_of(entry) for entry in entries]
    query = statements.select_claims(len(claims), _MARK)
    return connection.execute(query, [value for claim in claims for value in claim]).fetchall()


def _write(connection: psycopg.Connection[Any], batch: Batch) -> None:
    """Send everything and the commit in one go; an error on the way leaves nothing behind."""
    if not (batch.events or batch.forwards):
        return
    try:
        with connection.pipeline():
            connection.execute("BEGIN")
            for query, values in _statements(batch):
                connection.execute(query, values, prepare=True)
            connection.execute("COMMIT")
    finally:
        # Whatever went wrong, the connection must not keep half a transaction.
        if connection.info.transaction_status is not TransactionStatus.IDLE and not connection.closed:
            connection.rollback()


def _statements(batch: Batch) -> Iterator[tuple[str, list[Any]]]:
    for build, rows in (
        (statements.insert_events, batch.events),
        (statements.upsert_states, batch.states),
        (statements.insert_outbox, batch.outbox),
        (statements.insert_suppressions, batch.suppressed),
        (statements.upsert_syncs, batch.syncs),
        (statements.insert_forwards, batch.forwards),
    ):
        for chunk in _chunks(rows):
            yield build(len(chunk), _MARK), [value for row in chunk for value in row]
    for row in batch.lifted:
        yield _LIFT, list(row)


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Cut rows into the largest powers of two that fit."""
    start = 0
    while start < len(rows):
        size = min(_MOST_ROWS, 1 << ((len(rows) - start).bit_length() - 1))
        yield rows[start : start + size]
        start += size
