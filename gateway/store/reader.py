"""Reads what is committed, over one connection a thread that stays open.

Every read is a statement of its own in autocommit, so it sees each word that was accepted before it began;
no snapshot lingers between two reads.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.consent import scope
from gateway.consent.choice import Choice
from gateway.consent.event import Event
from gateway.consent.state import NO_STATES, State, States
from gateway.errors import OurTroubleError
from gateway.store import queries
from gateway.store.engine import is_sqlite
from gateway.store.ledger import now_microseconds
from gateway.store.statements import EVENT_COLUMNS, Row
from gateway.store.tokens import TokenCheck, TokenRow

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

_DRIVER_ERRORS = (sqlite3.Error, psycopg.Error)
_SQLITE_CHUNK = 1000  # below SQLite's 32,766 parameters; larger lists gain nothing
_POSTGRES_CHUNK = 10_000
_CHOICES: dict[str, Choice] = {choice.value: choice for choice in Choice}


class DecidingEvent(NamedTuple):
    """What a status tells of the event in which a state's word was said. Times in microseconds UTC."""

    klass: str
    source: str
    rule: str
    account: str
    message_id: str
    received_at: int


class Suppression(NamedTuple):
    """Why, since when (microseconds UTC) and by whom an address must not be sent to."""

    reason: str
    since: int
    source: str


Suppressions = Mapping[str, Suppression]  # by reason


class PersonRows(NamedTuple):
    """Everything about one subject that a status needs. `events` by seq; `last_seq` is 0 without any event."""

    states: States
    events: Mapping[int, DecidingEvent]
    suppressions: Suppressions
    last_seq: int
    channel: str | None
    address: str | None  # None after erasure too


class Standing(NamedTuple):
    """The words that stand and the suppressions of one subject: all that a decision needs."""

    states: States
    suppressions: Suppressions


NO_SUPPRESSIONS: Suppressions = {}
NOTHING = Standing(NO_STATES, NO_SUPPRESSIONS)


class Reader:
    """Reads of one engine. Safe to share between threads; connections open at first use, so after a fork.

    Every method raises `OurTroubleError` when the database cannot be read. `tokens` verifies bearer tokens.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], int] = now_microseconds) -> None:
        self._engine = engine
        self._local = threading.local()
        self._lines: WeakSet[_Line] = WeakSet()
        self._sqlite = is_sqlite(engine)
        mark = "?" if self._sqlite else "%s"
        self._token = queries.select_token(mark)
        self._mark = mark
        self.tokens = TokenCheck(self.token, clock)

    def statuses(self, subjects: Sequence[bytes]) -> dict[bytes, PersonRows]:
        """Return what is known of the subjects that have an event or a suppression."""
        by_subject: dict[bytes, list[Row]] = {}
        for chunk in self._chunks(subjects):
            for row in self._of_subjects(queries.select_persons, chunk):
                by_subject.setdefault(row[0], []).append(row)
        return {subject: _person(rows) for subject, rows in by_subject.items()}

    def persons(self, subjects: Sequence[bytes]) -> dict[bytes, Standing]:
        """Return the standing of those of the subjects of whom anything stands.

        Each is read after the call began. A word that comes in while it runs may or may not be seen.
        """
        states: dict[bytes, dict[str, State]] = {}
        suppressions: dict[bytes, dict[str, Suppression]] = {}
        for chunk in self._chunks(subjects):
            for subject, key, choice, said_at, seq in self._of_subjects(queries.select_words, chunk):
                states.setdefault(subject, {})[key] = State(_CHOICES[choice], said_at, seq)
            for subject, reason, since, source in self._of_subjects(queries.select_suppressions, chunk):
                suppressions.setdefault(subject, {})[reason] = Suppression(reason, since, source)
        return {
            subject: Standing(states.get(subject, NO_STATES), suppressions.get(subject, NO_SUPPRESSIONS))
            for subject in states.keys() | suppressions.keys()
        }

    def events(self, subject: bytes, *, before_seq: int | None = None, limit: int) -> list[Event]:
        """Return up to `limit` events of the subject, newest first, from before `before_seq` on."""
        query = queries.select_events(self._mark, before=before_seq is not None)
        values = (subject, limit) if before_seq is None else (subject, before_seq, limit)
        return [_event(row) for row in self._rows(query, values)]

    def token(self, token_id: str) -> TokenRow | None:
        """Return the row of an operator token."""
        rows = self._rows(self._token, (token_id,))
        return TokenRow.of(rows[0]) if rows else None

    def close(self) -> None:
        """Give all connections back."""
        for line in list(self._lines):
            line.held.close()
        self._lines.clear()
        self._local = threading.local()

    def _rows(self, query: str, values: Sequence[object] | Mapping[str, object]) -> list[Row]:
        try:
            line: _Line = self._local.line
        except AttributeError:
            line = self._local.line = self._open()
        try:
            rows: list[Row] = line.execute(query, values).fetchall()
        except _DRIVER_ERRORS as error:
            self._drop(line, error)
            raise OurTroubleError("the database could not be read") from error
        return rows

    def _open(self) -> "_Line":
        try:
            line = _Line(_autocommitting(self._engine))
        except (
            SQLAlchemyError,
            *_DRIVER_ERRORS,
        ) as error:  # the driver's own, where the pool lets it through
            raise OurTroubleError("the database cannot be reached") from error
        self._lines.add(line)
        return line

    def _drop(self, line: "_Line", error: BaseException) -> None:
        """Drop the connection: after an error of unknown extent a new one costs less than a doubt."""
        del self._local.line
        self._lines.discard(line)
        line.held.invalidate(error)

    def _chunks(self, subjects: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
        size = _SQLITE_CHUNK if self._sqlite else _POSTGRES_CHUNK
        return (subjects[start : start + size] for start in range(0, len(subjects), size))

    def _of_subjects(self, select: Callable[[str], str], subjects: Sequence[bytes]) -> list[Row]:
        if self._sqlite:
            return self._rows(select(_one_of(len(subjects))), subjects)
        return self._rows(select("= ANY(%(subjects)s)"), {"subjects": list(subjects)})


class _Line:
    """A thread's connection. When the thread ends, so does the line, and the pool takes the connection back."""

    __slots__ = ("__weakref__", "execute", "held")

    def __init__(self, held: "PoolProxiedConnection") -> None:
        self.held = held
        # sqlite3.Connection and psycopg.Connection have this method in common.
        driver: Any = held.driver_connection
        self.execute: Callable[[str, Sequence[object] | Mapping[str, object]], Any] = driver.execute


def _autocommitting(engine: Engine) -> "PoolProxiedConnection":
    """Take a connection whose every statement is a transaction of its own.

    SQLite's are so already. PostgreSQL's are made so by SQLAlchemy, which undoes it when the pool gets them
    back.
    """
    if is_sqlite(engine):
        return engine.raw_connection()
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT").connection


@lru_cache(maxsize=256)
def _one_of(subjects: int) -> str:
    return f"IN ({','.join(f'?{number}' for number in range(1, subjects + 1))})"


def _person(rows: Sequence[Row]) -> PersonRows:
    states: dict[str, State] = {}
    events: dict[int, DecidingEvent] = {}
    suppressions: dict[str, Suppression] = {}
    last_seq, channel, address = 0, None, None
    for row in rows:
        _, key, choice, at, seq, found, *_ = row
        if key is None:
            suppressions[choice] = Suppression(choice, at, found)
            continue
        if key == scope.ALL:
            last_seq, channel, address = row[11:]
        if choice is not None:
            states[key] = State(_CHOICES[choice], at, seq)
            if found is not None:
                events[seq] = DecidingEvent._make(row[5:11])
    return PersonRows(states, events, suppressions, last_seq, channel, address)


def _event(row: Row) -> Event:
    fields = dict(zip(EVENT_COLUMNS, row, strict=True))
    choice = fields.pop("choice")
    return Event(choice=None if choice is None else Choice(choice), **fields)
