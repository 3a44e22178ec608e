"""The states can be rebuilt from the ledger, byte for byte, on both engines: promise 8."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from support.entries import KEY, NOW, entry
from support.tampering import (
    KEYS,
    MINUTE,
    PERSON,
    SENDER,
    Clock,
    change,
    faults,
    rows_of,
    write_small_ledger,
)

from gateway.errors import CallerError
from gateway.flows import rebuild_states as module
from gateway.flows.rebuild_states import Rebuilt, Trust, rebuild_states
from gateway.store.ledger import Ledger, LedgerRules, open_ledger
from gateway.store.ledger_scan import Holding

ADDRESSES = {PERSON: entry(1).address}


@pytest.fixture
def ledger(engine: Engine) -> Iterator[Ledger]:
    clock = Clock()
    ledger = open_ledger(engine, LedgerRules(KEY, clock=clock))
    write_small_ledger(ledger, clock)
    yield ledger
    ledger.close()


written = pytest.mark.usefixtures("ledger")

CORRUPTIONS = [
    "UPDATE states SET choice = 'y', weight = 101 WHERE subject = :person AND scope = '*'",
    "UPDATE states SET said_at = said_at + 1 WHERE subject = :person",
    "UPDATE states SET seq = seq + 1 WHERE subject = :person AND scope <> '*'",
    "UPDATE states SET head = chain FROM (SELECT chain FROM events LIMIT 1) AS other WHERE scope = 'offers'",
    "UPDATE states SET address = 'x', channel = 'fax' WHERE subject = :person AND scope = 'offers'",
    "UPDATE states SET prior_seq = 0 WHERE subject = :person AND scope = '*'",
    "UPDATE states SET prior_seq = NULL WHERE subject = :person",
    "UPDATE states SET replies = NULL WHERE subject = :person",
    "UPDATE states SET scope = 'news' WHERE subject = :person AND scope = 'offers'",
    "DELETE FROM states WHERE subject = :person AND scope <> '*'",
    "INSERT INTO states (subject, scope, choice, said_at, seq, weight) VALUES (:person, 'news', 'y', 1, 1, 101)",
]


@pytest.mark.parametrize("corruption", CORRUPTIONS)
@written
def test_a_corrupted_state_is_restored_byte_for_byte(engine: Engine, corruption: str):
    before = rows_of(engine, "states")
    change(engine, corruption, **({"person": PERSON} if ":person" in corruption else {}))
    assert rows_of(engine, "states") != before
    assert faults(engine)
    assert rebuild_states(engine, KEYS) == Rebuilt(1, ())
    assert rows_of(engine, "states") == before
    assert not faults(engine)


@written
def test_states_that_are_right_are_not_touched(engine: Engine):
    assert rebuild_states(engine, KEYS) == Rebuilt(0, ())
    assert rebuild_states(engine, KEYS, subjects=[PERSON]) == Rebuilt(0, ())


@written
def test_only_the_subjects_that_are_asked_for_are_rebuilt(engine: Engine):
    change(engine, "DELETE FROM states WHERE scope <> '*'")
    assert rebuild_states(engine, KEYS, subjects=[entry(2).subject]).rewritten == 1
    assert {fault.subject for fault in faults(engine)} == {entry(0).subject, PERSON}
    assert rebuild_states(engine, KEYS).rewritten == 2
    assert not faults(engine)


LOST_HEADS = [
    "UPDATE states SET head = :other WHERE subject = :person AND scope = '*'",
    "UPDATE states SET last_seq = 7 WHERE subject = :person AND scope = '*'",
    "UPDATE states SET address = '+15550109999' WHERE subject = :person AND scope = '*'",
    "UPDATE states SET channel = 'call' WHERE subject = :person AND scope = '*'",
    "DELETE FROM states WHERE subject = :person AND scope = '*'",
    "DELETE FROM states WHERE subject = :person",
]


@pytest.mark.parametrize("corruption", LOST_HEADS)
@written
def test_what_the_events_do_not_hold_is_restored_when_somebody_vouches_for_it(
    engine: Engine, corruption: str
):
    before = rows_of(engine, "states")
    values = {"person": PERSON} | ({"other": b"\x09" * 32} if ":other" in corruption else {})
    change(engine, corruption, **values)
    assert rebuild_states(engine, KEYS).refused
    assert faults(engine)
    trust = Trust(events=True, addresses=ADDRESSES)
    assert rebuild_states(engine, KEYS, trust=trust) == Rebuilt(1, ())
    assert rows_of(engine, "states") == before


@written
def test_a_cut_tail_is_not_made_good_by_a_rebuild(engine: Engine):
    change(engine, "DELETE FROM events WHERE subject = :person AND seq = 5", person=PERSON)
    before = faults(engine)
    refused = rebuild_states(engine, KEYS).refused
    assert "nobody vouches" in str(refused[0])
    assert faults(engine) == before


@pytest.mark.parametrize("trust", [Trust(), Trust(events=True, addresses=ADDRESSES)])
@pytest.mark.parametrize(
    "corruption",
    [
        "UPDATE events SET choice = 'y' WHERE subject = :person AND seq = 1",
        "UPDATE events SET text = 'START' WHERE subject = :person AND seq = 1",
        "DELETE FROM events WHERE subject = :person AND seq = 3",
        "DELETE FROM events WHERE subject = :person",
    ],
)
@written
def test_altered_or_missing_events_are_never_built_upon(engine: Engine, corruption: str, trust: Trust):
    change(engine, corruption, person=PERSON)
    before = rows_of(engine, "states")
    rebuilt = rebuild_states(engine, KEYS, trust=trust)
    assert rebuilt.rewritten == 0
    assert rebuilt.refused
    assert rows_of(engine, "states") == before


@written
def test_a_lost_address_is_asked_for(engine: Engine):
    change(engine, "DELETE FROM states WHERE subject = :person AND scope = '*'", person=PERSON)
    refused = rebuild_states(engine, KEYS, trust=Trust(events=True)).refused
    assert [fault.problem for fault in refused] == ["its address is lost: give it to rebuild"]


def test_an_address_of_somebody_else_is_refused(sqlite_engine: Engine):
    trust = Trust(addresses={PERSON: entry(2).address})
    with pytest.raises(CallerError):
        rebuild_states(sqlite_engine, KEYS, trust=trust)


@written
def test_after_a_rebuild_the_next_message_is_recorded(engine: Engine, ledger: Ledger):
    change(engine, "DELETE FROM states WHERE subject = :person AND scope <> '*'", person=PERSON)
    rebuild_states(engine, KEYS)
    ledger.record([entry(1, at=NOW + 9 * MINUTE)])
    assert not faults(engine)


@written
def test_a_word_that_comes_in_during_the_rebuild_is_kept(
    engine: Engine, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    if engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time: nobody can come in between")
    real, others = module.holding_of, [entry(1, at=NOW + 9 * MINUTE)]

    def interrupted(connection, subject: bytes) -> Holding:
        connection.exec_driver_sql("SELECT 1 FROM states")  # from here on it sees this moment
        if others:
            ledger.record([others.pop()])
        return real(connection, subject)

    monkeypatch.setattr(module, "holding_of", interrupted)
    change(engine, "DELETE FROM states WHERE subject = :person AND scope = 'offers'", person=PERSON)
    assert rebuild_states(engine, KEYS, subjects=[PERSON]) == Rebuilt(1, ())
    assert not faults(engine)


def test_a_state_of_another_type_is_restored(sqlite_engine: Engine):
    """SQLite stores anything anywhere."""
    ledger = open_ledger(sqlite_engine, LedgerRules(KEY))
    ledger.record([entry(1)])
    ledger.close()
    before = rows_of(sqlite_engine, "states")
    change(sqlite_engine, f"UPDATE states SET said_at = CAST(x'ff' AS TEXT) WHERE scope = '{SENDER}'")
    assert faults(sqlite_engine)
    assert rebuild_states(sqlite_engine, KEYS) == Rebuilt(1, ())
    assert rows_of(sqlite_engine, "states") == before
