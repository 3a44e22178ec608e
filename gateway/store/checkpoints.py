"""The table of checkpoints, and the events that a checkpoint covers."""

from collections.abc import Iterator
from dataclasses import astuple, fields
from typing import Any

from sqlalchemy import Engine, text

from gateway.consent.checkpoint import Checkpoint, CheckpointFault
from gateway.errors import OurTroubleError
from gateway.store.engine import writing
from gateway.store.row_kinds import RowKinds
from gateway.store.snapshot import as_trouble, snapshot
from gateway.store.tables import checkpoints

_COLUMNS = tuple(field.name for field in fields(Checkpoint))
_KINDS = RowKinds.of(checkpoints, _COLUMNS)
_NAMES = ", ".join(_COLUMNS)
_ALL = text(f"SELECT {_NAMES} FROM checkpoints ORDER BY number")  # noqa: S608 - names only
_NEWEST = text(f"SELECT {_NAMES} FROM checkpoints ORDER BY number DESC LIMIT 1")  # noqa: S608 - names only
_INSERT = text(
    f"INSERT INTO checkpoints ({_NAMES}) VALUES ({', '.join(':' + name for name in _COLUMNS)}) "  # noqa: S608 - names only
    "ON CONFLICT (number) DO NOTHING RETURNING number"
)
# The first condition is for the index on recorded_at, the second for the place within one microsecond.
_LEAVES = text(
    "SELECT recorded_at, subject, seq, chain FROM events "
    "WHERE recorded_at >= :at AND (recorded_at, subject, seq) > (:at, :subject, :seq) "
    "AND recorded_at <= :until_at ORDER BY recorded_at, subject, seq LIMIT :rows"
)
_PAGE_ROWS = 5000
_LAST_SUBJECT = b"\xff" * 17  # after every subject
_LAST_SEQ = 2**63 - 1


def newest_checkpoint(engine: Engine) -> Checkpoint | None:
    """Return the checkpoint with the highest number; raise `OurTroubleError` when it cannot be read."""
    with snapshot(engine) as connection:
        row = connection.execute(_NEWEST).one_or_none()
    return None if row is None else readable(_checkpoint(tuple(row)))


def all_checkpoints(engine: Engine) -> Iterator[Checkpoint | CheckpointFault]:
    """Yield every checkpoint in the order of its number, a fault in the place of one that cannot be read."""
    with snapshot(engine) as connection:
        for row in connection.execute(_ALL, execution_options={"yield_per": _PAGE_ROWS}):
            yield _checkpoint(tuple(row))


def readable(found: Checkpoint | CheckpointFault) -> Checkpoint:
    """Return the checkpoint; raise `OurTroubleError` for a fault."""
    if isinstance(found, CheckpointFault):
        raise OurTroubleError(str(found))
    return found


def insert_checkpoint(engine: Engine, checkpoint: Checkpoint) -> bool:
    """Insert and commit; return False when another process has sealed one with this number."""
    values = dict(zip(_COLUMNS, astuple(checkpoint), strict=True))
    with as_trouble("the checkpoint could not be written"), writing(engine) as connection:
        return connection.execute(_INSERT, values).first() is not None


def chain_values(
    engine: Engine, from_at: int, until_at: int, *, page_rows: int = _PAGE_ROWS
) -> Iterator[bytes]:
    """Yield the chain values of the events with `from_at` < recorded_at <= `until_at`.

    They come in the order of (recorded_at, subject, seq), a page in memory at a time; b"" stands for a
    value that was made something else than bytes.
    """
    place: tuple[int, bytes, int] = (from_at, _LAST_SUBJECT, _LAST_SEQ)
    while True:
        rows = _leaves(engine, place, until_at, page_rows)
        yield from (row[3] if isinstance(row[3], bytes) else b"" for row in rows)
        if len(rows) < page_rows:
            return
        place = (rows[-1][0], rows[-1][1], rows[-1][2])


def _leaves(engine: Engine, place: tuple[int, bytes, int], until_at: int, rows: int) -> list[Any]:
    at, subject, seq = place
    values = {"at": at, "subject": subject, "seq": seq, "until_at": until_at, "rows": rows}
    with snapshot(engine) as connection:
        return [tuple(row) for row in connection.execute(_LEAVES, values)]


def _checkpoint(row: tuple[Any, ...]) -> Checkpoint | CheckpointFault:
    misfits = _KINDS.misfits(row)
    if misfits:
        number = row[0] if isinstance(row[0], int) else 0
        return CheckpointFault(number, f"cannot be read: wrong type in {', '.join(misfits)}")
    return Checkpoint(*row)
