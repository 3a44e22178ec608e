"""Every change of a row behind our back is found, on both engines: promise 8."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from support.entries import KEY, NOW, entry
from support.tampering import (
    KEYS,
    MINUTE,
    PERSON,
    SENDER,
    Clock,
    change,
    faults,
    is_stored,
    rows_of,
    write_small_ledger,
)

from gateway.consent.chain import Fault
from gateway.flows import verify_ledger as module
from gateway.flows.verify_ledger import verify_ledger
from gateway.keys import Keys
from gateway.store import ledger_scan
from gateway.store.ledger import Ledger, LedgerRules, open_ledger
from gateway.store.ledger_scan import holdings
from gateway.store.tables import events, states


@pytest.fixture
def ledger(engine: Engine) -> Iterator[Ledger]:
    """A ledger on an engine, with the events of `write_small_ledger`."""
    clock = Clock()
    ledger = open_ledger(engine, LedgerRules(KEY, clock=clock))
    write_small_ledger(ledger, clock)
    yield ledger
    ledger.close()


written = pytest.mark.usefixtures("ledger")


@written
def test_a_ledger_as_it_was_written_has_no_fault(engine: Engine):
    shown: list[tuple[int, int]] = []
    report = verify_ledger(engine, KEYS, progress=lambda *counts: shown.append(counts))
    assert report.faults == ()
    assert report.is_intact
    assert (report.subjects, report.events, report.checkpoints, report.unlisted) == (3, 7, 0, 0)
    assert shown[-1] == (3, 7)


def test_an_empty_ledger_has_no_fault(engine: Engine):
    assert verify_ledger(engine, KEYS).is_intact


# What each column is set to: "= expression", or a value.
OTHER_EVENT = {
    "subject": b"\x01" * 16,
    "account": "other",
    "message_id": "SMother",
    "seq": "= seq + 10",
    "klass": "opt_in",
    "choice": "p",
    "scope": "other",
    "sender": "+15550199001",
    "source": "api",
    "rule": "other@1",
    "said_at": "= said_at - 1",
    "received_at": "= received_at - 1",
    "recorded_at": "= recorded_at + 1",
    "actor": "bert",
    "reply": "help",
    "text": "START",
    "evidence": '{"band":"probable"}',
    "salt": b"\x02" * 16,
    "digest": b"\x03" * 32,
    "chain": b"\x04" * 32,
}
OTHER_STATE = {
    "subject": b"\x01" * 16,
    "scope": "other",
    "choice": "p",
    "said_at": "= said_at + 1",
    "seq": "= seq + 1",
    "weight": "= weight + 1",
    "last_seq": "= COALESCE(last_seq, 7) + 1",
    "prior_seq": "= COALESCE(prior_seq, 7) - 1",
    "head": b"\x05" * 32,
    "channel": "call",
    "address": "+15550100002",
    "replies": '[["+15550199000","opt_out",1]]',
}


def set_column(engine: Engine, table: str, column: str, value: object, where: str) -> bool:
    """Set a column behind the ledger's back; return False when a constraint refuses."""
    is_expression = isinstance(value, str) and value.startswith("= ")
    term = value if is_expression else "= :value"
    values = {"person": PERSON} | ({} if is_expression else {"value": value})
    return is_stored(
        engine, f"UPDATE {table} SET {column} {term} WHERE subject = :person AND {where}", **values
    )


def test_every_column_there_is_is_altered_below():
    assert set(OTHER_EVENT) == set(events.c.keys())
    assert set(OTHER_STATE) == set(states.c.keys())


@pytest.mark.parametrize("seq", [1, 4, 5])
@pytest.mark.parametrize("column", list(OTHER_EVENT))
@written
def test_another_value_in_any_column_of_an_event_is_found(engine: Engine, column: str, seq: int):
    stored = set_column(engine, "events", column, OTHER_EVENT[column], f"seq = {seq}")
    assert stored is ((seq, column) != (5, "choice"))  # a choice must have a scope
    assert stored is bool(faults(engine))


@pytest.mark.parametrize("column", [column.name for column in events.c if column.nullable])
@written
def test_a_removed_value_of_an_event_is_found(engine: Engine, column: str):
    assert set_column(engine, "events", column, None, "seq = 1")
    assert faults(engine)


@pytest.mark.parametrize("scope", ["*", SENDER])
@pytest.mark.parametrize("column", list(OTHER_STATE))
@written
def test_another_value_in_any_column_of_a_state_is_found(engine: Engine, column: str, scope: str):
    stored = set_column(engine, "states", column, OTHER_STATE[column], f"scope = '{scope}'")
    refused = {("*", "scope"), (SENDER, "last_seq")}  # nor can choice and weight change one by one
    assert stored is (column not in {"choice", "weight"} and (scope, column) not in refused)
    assert stored is bool(faults(engine))


@pytest.mark.parametrize(
    "assignment",
    [
        "choice = 'p', weight = 105",
        "choice = NULL, weight = 0, seq = 0",
        "choice = NULL, weight = 0, seq = 0, said_at = 0",
        "said_at = said_at - 1",
        "prior_seq = NULL",
        "prior_seq = -1",
        "address = NULL",
        "replies = NULL",
        "replies = ''",
        "replies = replies || ' '",
        "channel = 'telegram'",
        "channel = 'email'",
        "last_seq = last_seq + 1, prior_seq = last_seq",
        "last_seq = last_seq - 1, prior_seq = prior_seq - 1",
    ],
)
@written
def test_a_change_of_a_head_that_every_constraint_lets_through_is_found(engine: Engine, assignment: str):
    change(engine, f"UPDATE states SET {assignment} WHERE subject = :person AND scope = '*'", person=PERSON)
    assert faults(engine)


@pytest.mark.parametrize(("seq", "others"), [(1, 4), (3, 4), (5, 4)])
@written
def test_a_removed_event_is_found(engine: Engine, seq: int, others: int):
    change(engine, "DELETE FROM events WHERE subject = :person AND seq = :seq", person=PERSON, seq=seq)
    assert faults(engine)
    assert verify_ledger(engine, KEYS).events == 2 + others


@pytest.mark.parametrize("column", ["seq", "chain", "digest", "salt", "choice", "scope", "reply"])
@written
def test_two_events_that_changed_places_are_found(engine: Engine, column: str):
    where = "WHERE subject = :person AND account = 'acme-twilio' AND message_id = :message_id"
    with engine.connect() as connection:
        query = text(f"SELECT message_id, {column} FROM events WHERE subject = :person AND seq IN (1, 2)")
        (first, one), (second, other) = connection.execute(query, {"person": PERSON}).all()
    for message_id, value in ((first, other), (second, one)):
        statement = f"UPDATE events SET {column} = :value {where}"
        change(engine, statement, value=value, person=PERSON, message_id=message_id)
    assert one != other
    assert faults(engine)


@written
def test_a_cut_tail_is_found_though_the_head_was_set_back(engine: Engine):
    change(engine, "DELETE FROM events WHERE subject = :person AND seq = 5", person=PERSON)
    change(
        engine,
        "UPDATE states SET last_seq = 4, prior_seq = 2 WHERE subject = :person AND scope = '*'",
        person=PERSON,
    )
    assert faults(engine) == (Fault(PERSON, None, "its head does not follow from its last event"),)


@written
def test_an_event_slipped_in_is_found(engine: Engine):
    columns = [column.name for column in events.c if column.name not in {"message_id", "seq"}]
    change(
        engine,
        f"INSERT INTO events (message_id, seq, {', '.join(columns)}) "
        f"SELECT 'forged', 6, {', '.join(columns)} FROM events WHERE subject = :person AND seq = 5",
        person=PERSON,
    )
    assert faults(engine)


@written
def test_a_lost_head_and_events_without_states_are_found(engine: Engine):
    change(engine, "DELETE FROM states WHERE subject = :person AND scope = '*'", person=PERSON)
    assert "no row of scope *" in str(faults(engine)[0])
    change(engine, "DELETE FROM states WHERE subject = :person", person=PERSON)
    assert "no row of scope *" in str(faults(engine)[0])


@written
def test_states_without_events_are_found(engine: Engine):
    change(engine, "DELETE FROM events WHERE subject = :person", person=PERSON)
    assert any("holds events up to 0" in str(fault) for fault in faults(engine))


@written
def test_a_subject_whose_rows_all_got_another_key_is_found(engine: Engine):
    for table in ("events", "states"):
        change(
            engine,
            f"UPDATE {table} SET subject = :other WHERE subject = :person",
            other=b"\x07" * 16,
            person=PERSON,
        )
    assert faults(engine)


@written
def test_a_state_that_nobody_said_and_one_that_is_missing_are_found(engine: Engine):
    change(engine, "DELETE FROM states WHERE subject = :person AND scope = 'offers'", person=PERSON)
    assert [fault.problem for fault in faults(engine)] == ["its state in scope offers is missing"]
    change(
        engine,
        "INSERT INTO states (subject, scope, choice, said_at, seq, weight) VALUES (:person, 'news', 'y', 1, 1, 101)",
        person=PERSON,
    )
    assert "its state in scope news does not follow from its events" in [f.problem for f in faults(engine)]


@written
def test_another_key_fits_no_event(engine: Engine):
    wrong = Keys(subject=KEY, ledger=b"w" * 32, links=())
    places = {(fault.subject, fault.seq) for fault in verify_ledger(engine, wrong).faults}
    assert {(PERSON, seq) for seq in range(1, 6)} <= places


@written
def test_faults_beyond_a_number_are_counted_only(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_LISTED", 2)
    change(engine, "UPDATE events SET rule = 'forged'")
    report = verify_ledger(engine, KEYS)
    assert len(report.faults) == 2
    assert report.unlisted == 5
    assert not report.is_intact


@pytest.mark.parametrize("page_rows", [1, 2, 3, 7, 8, 1000])
@written
def test_pages_of_any_size_hold_each_subject_once_and_whole(engine: Engine, page_rows: int):
    found = [(h.subject, len(h.states), len(list(h.events))) for h in holdings(engine, page_rows=page_rows)]
    assert sorted(subject for subject, *_ in found) == sorted(entry(number).subject for number in range(3))
    assert {subject: counts for subject, *counts in found}[PERSON] == [3, 5]


def test_two_writes_on_one_microsecond_are_no_fault(engine: Engine):
    ledger = open_ledger(engine, LedgerRules(KEY, clock=lambda: NOW))
    for _ in range(3):
        ledger.record([entry(1), entry(2)])
    ledger.close()
    assert not faults(engine)


@written
def test_what_is_written_during_the_check_is_no_fault(engine: Engine, ledger: Ledger):
    ledger.record([entry(number) for number in range(20)])
    found = []
    for holding in holdings(engine, page_rows=4):
        ledger.record([entry(number, at=NOW + 9 * MINUTE) for number in range(20)])
        found += [module.check_subject(holding, KEYS).faults]
    assert len(found) == 20
    assert not any(found)


@written
def test_states_and_events_of_a_subject_are_read_at_one_moment(
    engine: Engine, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    real = ledger_scan._stream

    def interrupted(*args: object) -> object:
        ledger.record([entry(number, at=NOW + 9 * MINUTE) for number in range(3)])
        return real(*args)

    monkeypatch.setattr(ledger_scan, "_stream", interrupted)
    assert verify_ledger(engine, KEYS).events == 7
    assert not faults(engine)


WRONG_VALUES = ("'text'", "'sixteen letters!'", "1.5", "x'ff'", "CAST(x'ff' AS TEXT)")


@pytest.mark.parametrize(("table", "columns"), [("events", events.c.keys()), ("states", states.c.keys())])
def test_a_value_of_another_type_is_found_and_does_not_end_the_check(
    sqlite_engine: Engine, table: str, columns: list[str]
):
    """SQLite stores anything anywhere."""
    ledger = open_ledger(sqlite_engine, LedgerRules(KEY))
    ledger.record([entry(1), entry(2)])
    ledger.close()
    before = rows_of(sqlite_engine, table)
    for column in columns:
        for value in WRONG_VALUES:
            statement = f"UPDATE {table} SET {column} = {value} WHERE subject = :person"
            if is_stored(sqlite_engine, statement, person=PERSON):
                assert faults(sqlite_engine), (column, value)
                change(sqlite_engine, f"DELETE FROM {table}")
                for row in before:
                    marks = ", ".join(f":v{number}" for number in range(len(row)))
                    values = {f"v{number}": part for number, part in enumerate(row)}
                    change(sqlite_engine, f"INSERT INTO {table} VALUES ({marks})", **values)
                assert not faults(sqlite_engine)
