"""Reads the whole ledger subject by subject, in order and in bounded memory, whoever writes meanwhile.

A page is a range of subjects, read in a transaction of its own that sees one moment: the events and states
of a subject always belong together. Rows are taken as they are, since what reads here looks for rows that
another hand has changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, text

from gateway.consent.chain import Fault
from gateway.consent.choice import Choice
from gateway.consent.event import Event
from gateway.store.row_kinds import RowKinds
from gateway.store.snapshot import snapshot
from gateway.store.statements import EVENT_COLUMNS, STATE_COLUMNS, Row
from gateway.store.tables import events, states

PAGE_ROWS = 2000
_CHUNK_ROWS = 500
_EVENT_KINDS = RowKinds.of(events, EVENT_COLUMNS)
_STATE_KINDS = RowKinds.of(states, STATE_COLUMNS)
_SUBJECT = EVENT_COLUMNS.index("subject")
_SEQ = EVENT_COLUMNS.index("seq")
_CHOICE = EVENT_COLUMNS.index("choice")


@dataclass(frozen=True, slots=True)
class Holding:
    """What the tables hold about one subject.

    `events` come in the order of their seq and can be read once, before the next holding is asked for.
    `faults` tells of rows that cannot be read, with the seq of an event (0 if that
    cannot be read either) and None for a state; it is complete when `events` is exhausted.
    """

    subject: bytes
    states: Sequence[Row]
    events: Iterator[Event]
    faults: list[Fault] = field(default_factory=list)


def holdings(engine: Engine, *, page_rows: int = PAGE_ROWS) -> Iterator[Holding]:
    """Yield every subject that has a row. Memory holds about a page, however long one subject's ledger is."""
    after: Any = None
    while True:
        with snapshot(engine) as connection:
            until = _end_of_page(connection, after, page_rows)
            yield from _page(connection, after, until)
        if until is None:
            return
        after = until


def holding_of(connection: Connection, subject: bytes) -> Holding:
    """Return what the tables hold about this subject, read in the connection's transaction."""
    where, values = "WHERE subject = :subject", {"subject": subject}
    found = connection.execute(_select_states(where), values).all()
    return _holding(subject, found, _stream(connection, where, values))


def _page(connection: Connection, after: Any, until: Any) -> Iterator[Holding]:
    where = _range(after is not None, until is not None)
    values = {name: value for name, value in (("after", after), ("until", until)) if value is not None}
    standing: dict[Any, list[Row]] = {}
    for row in connection.execute(_select_states(where), values):
        standing.setdefault(row[_SUBJECT], []).append(tuple(row))
    for subject, rows in groupby(_stream(connection, where, values), itemgetter(_SUBJECT)):
        yield _holding(subject, standing.pop(subject, ()), rows)
    for subject, found in standing.items():
        yield _holding(subject, found, iter(()))


def _holding(subject: Any, found: Sequence[Row], rows: Iterator[Row]) -> Holding:
    key = subject if isinstance(subject, bytes) else str(subject).encode(errors="replace")
    fitting, faults = [], []
    for row in found:
        if misfits := _STATE_KINDS.misfits(row):
            faults.append(Fault(key, None, f"a state cannot be read: wrong type in {', '.join(misfits)}"))
        else:
            fitting.append(tuple(row))
    return Holding(key, fitting, _events(key, rows, faults), faults)


def _events(subject: bytes, rows: Iterator[Row], faults: list[Fault]) -> Iterator[Event]:
    for row in rows:
        seq = row[_SEQ] if isinstance(row[_SEQ], int) else 0
        if misfits := _EVENT_KINDS.misfits(row):
            faults.append(Fault(subject, seq, f"cannot be read: wrong type in {', '.join(misfits)}"))
            continue
        try:
            yield event_of(row)
        except ValueError:
            faults.append(Fault(subject, seq, "its choice is none that there is"))


def event_of(row: Row) -> Event:
    """Return the event of a row (`EVENT_COLUMNS`); raise `ValueError` for an unknown choice."""
    fields = dict(zip(EVENT_COLUMNS, row, strict=True))
    choice = row[_CHOICE]
    return Event(**{**fields, "choice": None if choice is None else Choice(choice)})


def _stream(connection: Connection, where: str, values: dict[str, Any]) -> CursorResult[Any]:
    query = f"SELECT {', '.join(EVENT_COLUMNS)} FROM events {where} ORDER BY subject, seq"  # noqa: S608 - names only
    options = {"stream_results": True, "yield_per": _CHUNK_ROWS}
    return connection.execute(text(query), values, execution_options=options)


def _select_states(where: str) -> Any:
    return text(f"SELECT {', '.join(STATE_COLUMNS)} FROM states {where} ORDER BY subject, scope")  # noqa: S608 - names only


def _range(lower: bool, upper: bool) -> str:  # noqa: FBT001 - which of the two ends there are
    ends = [*(["subject > :after"] if lower else []), *(["subject <= :until"] if upper else [])]
    return f"WHERE {' AND '.join(ends)}" if ends else ""


def _end_of_page(connection: Connection, after: Any, page_rows: int) -> Any:
    """Return the last subject of the page, None when all that is left fits in one."""
    where = _range(after is not None, upper=False)
    ends = " UNION ALL ".join(
        f"SELECT subject FROM (SELECT subject FROM {table} {where} "  # noqa: S608 - names only
        f"ORDER BY subject LIMIT 1 OFFSET :page_rows) AS {table}_end"
        for table in ("events", "states")
    )
    query = text(f"SELECT subject FROM ({ends}) AS ends ORDER BY subject LIMIT 1")  # noqa: S608 - names only
    values = {"page_rows": page_rows - 1} | ({} if after is None else {"after": after})
    return connection.execute(query, values).scalar()
