"""Checkpoints: what they seal, and that their loss and every change of theirs is found, on both engines."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert
from support.entries import KEY, NOW, entry
from support.tampering import (
    KEYS,
    MINUTE,
    PERSON,
    Clock,
    change,
    faults,
    is_stored,
    rows_of,
    write_small_ledger,
)

from gateway.consent.checkpoint import Checkpoint, CheckpointFault, from_line, seal_of
from gateway.consent.merkle import MerkleTree
from gateway.errors import CallerError, OurTroubleError
from gateway.flows.seal_checkpoint import LAG, export_checkpoints, seal
from gateway.flows.verify_ledger import verify_ledger
from gateway.store.checkpoints import chain_values, insert_checkpoint
from gateway.store.engine import writing
from gateway.store.ledger import Ledger, LedgerRules, open_ledger
from gateway.store.tables import checkpoints, states

LATER = NOW + 60 * MINUTE
COLUMNS = [column.name for column in checkpoints.c]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(engine: Engine, clock: Clock) -> Iterator[Ledger]:
    ledger = open_ledger(engine, LedgerRules(KEY, clock=clock))
    yield ledger
    ledger.close()


@pytest.fixture
def sealed(engine: Engine, ledger: Ledger, clock: Clock, tmp_path: Path) -> Path:
    """Three checkpoints over 7, 1 and 2 events; returns their export."""
    write_small_ledger(ledger, clock)
    for number, events in enumerate((0, 1, 2)):
        clock.now = LATER + number * 10 * MINUTE
        for _ in range(events):
            ledger.record([entry(3, at=clock.now)])
        assert seal(engine, KEY, clock.now + 2 * LAG) is not None
    path = tmp_path / "checkpoints.jsonl"
    path.write_text("".join(f"{line}\n" for line in export_checkpoints(engine)), encoding="utf-8")
    return path


def test_a_checkpoint_seals_what_was_recorded_before_the_lag(engine: Engine, ledger: Ledger, clock: Clock):
    ledger.record([entry(0), entry(1)])
    clock.now += LAG
    ledger.record([entry(2)])
    first = seal(engine, KEY, NOW + LAG)
    assert first is not None
    assert (first.number, first.from_at, first.until_at, first.events) == (1, 0, NOW, 2)
    second = seal(engine, KEY, NOW + 2 * LAG)
    assert second is not None
    assert (second.number, second.from_at, second.until_at, second.events) == (2, NOW, NOW + LAG, 1)
    assert verify_ledger(engine, KEYS).checkpoints == 2
    assert not faults(engine)


def test_nothing_new_is_not_sealed(engine: Engine, ledger: Ledger):
    assert seal(engine, KEY, NOW) is None
    ledger.record([entry(0)])
    assert seal(engine, KEY, NOW + LAG - 1) is None
    assert seal(engine, KEY, NOW + LAG) is not None
    assert seal(engine, KEY, NOW + 9 * LAG) is None


def test_a_clock_that_was_set_back_seals_nothing_twice(engine: Engine, ledger: Ledger):
    ledger.record([entry(0)])
    assert seal(engine, KEY, NOW + 3 * LAG) is not None
    ledger.record([entry(0, at=NOW + 9 * LAG)])
    assert seal(engine, KEY, NOW + 2 * LAG) is None


def test_who_comes_second_to_a_number_seals_nothing(engine: Engine, ledger: Ledger):
    ledger.record([entry(0)])
    first = seal(engine, KEY, NOW + LAG)
    assert first is not None
    assert not insert_checkpoint(engine, replace(first, events=9))
    assert not faults(engine)


def test_leaves_come_in_order_of_time_subject_and_seq_whatever_the_page(engine: Engine, ledger: Ledger):
    ledger.record([entry(number % 4) for number in range(10)])
    ledger.record([entry(number, at=NOW + 1) for number in range(3)])
    columns = ("recorded_at", "subject", "seq", "chain")
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM events").all()
    expected = [bytes(row[3]) for row in sorted(tuple(row) for row in rows)]
    for page_rows in (1, 2, 5, 13, 14):
        assert list(chain_values(engine, 0, NOW + 1, page_rows=page_rows)) == expected
    assert list(chain_values(engine, NOW, NOW + 1)) == expected[10:]
    assert list(chain_values(engine, NOW, NOW)) == []


def test_the_root_is_the_tree_over_the_leaves(engine: Engine, ledger: Ledger):
    ledger.record([entry(number) for number in range(5)])
    found = seal(engine, KEY, NOW + LAG)
    assert found is not None
    assert found.root == MerkleTree(chain_values(engine, 0, NOW)).root()


@pytest.mark.usefixtures("sealed")
def test_a_subject_that_is_gone_with_all_its_rows_is_found(engine: Engine):
    for table in ("events", "states"):
        change(engine, f"DELETE FROM {table} WHERE subject = :person", person=PERSON)
    assert faults(engine) == (CheckpointFault(1, "sealed 7 events, and there are 2"),)


def test_a_subject_that_was_set_back_to_an_earlier_day_is_found(engine: Engine, ledger: Ledger):
    """An old copy of all its rows is consistent in itself."""
    ledger.record([entry(3)])
    earlier = rows_of(engine, "states")
    ledger.record([entry(3, at=NOW + 1)])
    assert seal(engine, KEY, NOW + 2 * LAG) is not None
    change(engine, "DELETE FROM events WHERE seq = 2")
    change(engine, "DELETE FROM states")
    with writing(engine) as connection:
        connection.execute(insert(states), [dict(zip(states.c.keys(), row, strict=True)) for row in earlier])
    assert faults(engine) == (CheckpointFault(1, "sealed 2 events, and there are 1"),)


@pytest.mark.usefixtures("sealed")
def test_a_subject_that_was_exchanged_for_another_is_found(engine: Engine, ledger: Ledger, clock: Clock):
    for table in ("events", "states"):
        change(engine, f"DELETE FROM {table} WHERE subject = :subject", subject=entry(0).subject)
    clock.now = NOW
    ledger.record([entry(0)])
    assert faults(engine) == (CheckpointFault(1, "its events are others than were sealed"),)


def test_a_span_that_nobody_sealed_is_found_though_the_seals_fit(engine: Engine, ledger: Ledger):
    ledger.record([entry(0)])
    first = seal(engine, KEY, NOW + LAG)
    assert first is not None
    apart = Checkpoint(2, NOW + 9, NOW + 1, NOW + 2, 0, MerkleTree().root())
    assert insert_checkpoint(engine, replace(apart, seal=seal_of(apart, previous=first.seal, key=KEY)))
    assert faults(engine) == (CheckpointFault(2, "does not begin where the one before it ends"),)


OTHER = {
    "number": "number + 10",
    "sealed_at": "sealed_at + 1",
    "from_at": "from_at - 1",
    "until_at": "until_at + 1",
    "events": "events + 1",
    "root": ":other",
    "seal": ":other",
}


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("column", list(OTHER))
@pytest.mark.usefixtures("sealed")
def test_another_value_in_any_column_of_a_checkpoint_is_found(engine: Engine, column: str, number: int):
    assert set(OTHER) == set(COLUMNS)
    values = {"other": b"\x08" * 32} if OTHER[column] == ":other" else {}
    statement = f"UPDATE checkpoints SET {column} = {OTHER[column]} WHERE number = {number}"
    assert is_stored(engine, statement, **values)
    assert faults(engine)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.usefixtures("sealed")
def test_a_removed_checkpoint_is_found(engine: Engine, number: int):
    change(engine, "DELETE FROM checkpoints WHERE number = :number", number=number)
    assert f"checkpoint {number}: missing" in " ".join(map(str, faults(engine)))


def test_a_cut_tail_of_checkpoints_is_found_by_the_exported_ones(engine: Engine, sealed: Path):
    assert faults(engine, checkpoint_file=sealed) == ()
    change(engine, "DELETE FROM checkpoints WHERE number = 3")
    assert faults(engine) == ()
    gone = CheckpointFault(3, "was exported, and is gone from the database")
    assert faults(engine, checkpoint_file=sealed) == (gone,)


def test_a_checkpoint_that_was_sealed_anew_differs_from_the_exported_one(engine: Engine, sealed: Path):
    """Whoever has the key can seal again; the file that lies elsewhere tells."""
    change(engine, "DELETE FROM checkpoints WHERE number = 3")
    assert seal(engine, KEY, LATER + 90 * MINUTE) is not None
    assert faults(engine) == ()
    assert [f.number for f in faults(engine, checkpoint_file=sealed)] == [3]


def test_newer_checkpoints_than_the_exported_ones_are_no_fault(engine: Engine, sealed: Path):
    lines = sealed.read_text(encoding="utf-8").splitlines(keepends=True)
    sealed.write_text("".join(lines[:2]), encoding="utf-8")
    assert faults(engine, checkpoint_file=sealed) == ()


def test_an_exported_line_holds_what_the_table_holds(engine: Engine, sealed: Path):
    lines = sealed.read_text(encoding="utf-8").splitlines()
    found = [from_line(line) for line in lines]
    assert [tuple(getattr(one, name) for name in COLUMNS) for one in found] == rows_of(engine, "checkpoints")
    assert json.loads(lines[0])["events"] == 7


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "[]",
        "null",
        "{}",
        '{"number":1}',
        '{"number":"1","sealed_at":3,"from_at":1,"until_at":2,"events":1,"root":"00","seal":"00"}',
        '{"number":1,"sealed_at":3,"from_at":1,"until_at":2,"events":1,"root":"0x","seal":"00"}',
        '{"number":true,"sealed_at":3,"from_at":1,"until_at":2,"events":1,"root":"00","seal":"00"}',
    ],
)
def test_a_file_that_is_no_export_is_refused_by_line(sqlite_engine: Engine, tmp_path: Path, line: str):
    good = '{"number":1,"sealed_at":3,"from_at":1,"until_at":2,"events":1,"root":"00","seal":"00"}'
    path = tmp_path / "other.jsonl"
    path.write_text(f"{good}\n{line}\n", encoding="utf-8")
    with pytest.raises(CallerError, match="line 2"):
        verify_ledger(sqlite_engine, KEYS, checkpoint_file=path)


def test_a_file_that_is_absent_or_binary_is_refused(sqlite_engine: Engine, tmp_path: Path):
    path = tmp_path / "absent"
    with pytest.raises(CallerError, match="absent"):
        verify_ledger(sqlite_engine, KEYS, checkpoint_file=path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CallerError, match="cannot be read"):
        verify_ledger(sqlite_engine, KEYS, checkpoint_file=path)


@pytest.mark.parametrize("column", ["root", "seal", "until_at", "events"])
def test_a_checkpoint_of_other_types_is_a_fault_and_is_not_built_upon(sqlite_engine: Engine, column: str):
    """SQLite stores anything anywhere."""
    ledger = open_ledger(sqlite_engine, LedgerRules(KEY, clock=lambda: NOW))
    ledger.record([entry(1)])
    ledger.close()
    assert seal(sqlite_engine, KEY, NOW + LAG) is not None
    change(sqlite_engine, f"UPDATE checkpoints SET {column} = 'x', sealed_at = 'y'")
    assert [fault.number for fault in faults(sqlite_engine)] == [1]
    with pytest.raises(OurTroubleError, match="cannot be read"):
        seal(sqlite_engine, KEY, NOW + 9 * LAG)
    with pytest.raises(OurTroubleError, match="cannot be read"):
        list(export_checkpoints(sqlite_engine))
