"""What the reading side promises, the same on both engines."""

import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import Engine, insert, text
from support.entries import KEY, NOW, entry

from gateway.consent.choice import Choice
from gateway.consent.person import Person, replay
from gateway.consent.state import State
from gateway.errors import OurTroubleError
from gateway.store import reader as reader_module
from gateway.store.engine import is_sqlite, open_engine, writing
from gateway.store.ledger import Ledger, LedgerRules, open_ledger
from gateway.store.queries import select_persons
from gateway.store.reader import DecidingEvent, PersonRows, Reader, Standing, Suppression
from gateway.store.tables import suppressions

SENDER = "@+15550199000"


@pytest.fixture
def ledger(engine: Engine):
    ledger = open_ledger(engine, LedgerRules(KEY))
    yield ledger
    ledger.close()


@pytest.fixture
def reader(engine: Engine):
    reader = Reader(engine)
    yield reader
    reader.close()


def _status(reader: Reader, subject: bytes) -> PersonRows | None:
    return reader.statuses([subject]).get(subject)


def _suppress(engine: Engine, subject: bytes, reason: str = "hard_bounce") -> None:
    row = {"subject": subject, "reason": reason, "since": NOW, "source": "ses", "note": None}
    with writing(engine) as connection:
        connection.execute(insert(suppressions).values(row))


def test_nobody_is_none(reader: Reader):
    assert _status(reader, entry().subject) is None
    assert reader.persons([entry().subject]) == {}
    assert reader.events(entry().subject, limit=10) == []


def test_a_status_has_the_word_that_stands_and_the_event_in_which_it_was_said(reader: Reader, ledger: Ledger):
    stop, later = entry(), entry(choice=None, klass="other", at=NOW + 5)
    ledger.record([stop, later, entry(1)])
    assert _status(reader, stop.subject) == PersonRows(
        states={SENDER: State(Choice.NO, NOW, 1)},
        events={1: DecidingEvent("opt_out", "keyword", "keyword@1", "acme-twilio", stop.message_id, NOW)},
        suppressions={},
        last_seq=2,
        channel="sms",
        address="+15550100000",
    )


def test_each_state_has_its_own_event(reader: Reader, ledger: Ledger):
    ledger.record(
        [
            entry(rule="first@1"),
            entry(choice=Choice.YES, scope="news offers", rule="second@1", at=NOW + 1),
            entry(scope="*", rule="third@1", at=NOW + 2),
        ]
    )
    found = _status(reader, entry().subject)
    rules = {scope: found.events[state.seq].rule for scope, state in found.states.items()}
    assert rules == {SENDER: "first@1", "offers": "second@1", "news": "second@1", "*": "third@1"}
    assert found.last_seq == 3


def test_suppressions_stand_beside_consent_and_without_any_event(
    reader: Reader, ledger: Ledger, engine: Engine
):
    ledger.record([entry()])
    for number in (0, 7):
        _suppress(engine, entry(number).subject)
        _suppress(engine, entry(number).subject, "manual")
    expected = {name: Suppression(name, NOW, "ses") for name in ("hard_bounce", "manual")}
    with_events, without = (_status(reader, entry(number).subject) for number in (0, 7))
    assert with_events.suppressions == without.suppressions == expected
    assert with_events.states
    assert (without.states, without.last_seq, without.address) == ({}, 0, None)


def test_an_erased_address_leaves_what_stands(reader: Reader, ledger: Ledger, engine: Engine):
    ledger.record([entry()])
    with writing(engine) as connection:
        connection.execute(text("UPDATE states SET address = NULL"))
    found = _status(reader, entry().subject)
    assert (found.address, found.channel) == (None, "sms")
    assert found.states[SENDER].choice is Choice.NO


def test_a_read_sees_every_word_that_was_accepted_before_it(reader: Reader, ledger: Ledger):
    """Promise 12: no snapshot of an earlier read lingers."""
    for number, choice in enumerate([Choice.NO, Choice.YES, Choice.NO, Choice.YES]):
        ledger.record([entry(choice=choice, at=NOW + number)])
        assert _status(reader, entry().subject).states[SENDER].choice is choice
        assert reader.persons([entry().subject])[entry().subject].states[SENDER].choice is choice
        assert reader.events(entry().subject, limit=1)[0].choice is choice


def test_many_persons_come_with_their_words_and_suppressions_however_the_list_is_cut(
    reader: Reader, ledger: Ledger, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reader_module, "_SQLITE_CHUNK", 7)
    monkeypatch.setattr(reader_module, "_POSTGRES_CHUNK", 7)
    ledger.record([entry(number) for number in range(20)])
    ledger.record([entry(number, choice=None) for number in range(20, 25)])
    _suppress(engine, entry(3).subject)
    _suppress(engine, entry(30).subject)
    found = reader.persons([entry(number).subject for number in range(40)])
    assert set(found) == {entry(number).subject for number in [*range(20), 30]}
    assert found[entry(3).subject] == Standing(
        {SENDER: State(Choice.NO, NOW, 1)}, {"hard_bounce": Suppression("hard_bounce", NOW, "ses")}
    )
    assert found[entry(4).subject].suppressions == {}
    assert found[entry(30).subject].states == {}


def test_ten_thousand_take_few_statements(reader: Reader, ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    ledger.record([entry(9999)])
    statements = []
    rows = reader._rows
    monkeypatch.setattr(
        reader, "_rows", lambda query, values: statements.append(query) or rows(query, values)
    )
    found = reader.persons([entry(number).subject for number in range(10_000)])
    assert list(found) == [entry(9999).subject]
    assert len(statements) <= 20


def test_the_timeline_is_newest_first_and_goes_on_where_it_ended(reader: Reader, ledger: Ledger):
    ledger.record([entry(at=NOW + number) for number in range(5)] + [entry(1)])
    subject = entry().subject
    first = reader.events(subject, limit=3)
    rest = reader.events(subject, before_seq=first[-1].seq, limit=3)
    assert [event.seq for event in (*first, *rest)] == [5, 4, 3, 2, 1]
    assert reader.events(subject, before_seq=1, limit=3) == []


def test_a_read_event_is_the_recorded_one(reader: Reader, ledger: Ledger):
    entries = [entry(choice=None, text=None, evidence=None), entry(text="Stóp 🛑", actor="kim", at=NOW + 1)]
    recorded = [outcome.event for outcome in ledger.record(entries)]
    read = reader.events(entry().subject, limit=10)
    assert read == recorded[::-1]
    assert replay(read[::-1], key=KEY).last_seq == 2
    assert isinstance(replay(read[::-1], key=KEY), Person)


def test_each_thread_reads_over_its_own_connection(reader: Reader, ledger: Ledger):
    ledger.record([entry()])
    found = []

    def read() -> None:
        found.extend(_status(reader, entry().subject) for _ in range(50))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 400
    assert all(found)


def test_threads_that_end_give_their_connections_back(reader: Reader, engine: Engine):
    """More threads, one after the other, than the pool has connections."""
    for _ in range(40):
        thread = threading.Thread(target=reader.statuses, args=([entry().subject],))
        thread.start()
        thread.join()
    assert engine.pool.checkedout() <= 1


def test_a_connection_goes_back_as_it_came(engine: Engine, reader: Reader):
    """A reader's autocommit must not reach those who count on a transaction."""
    _status(reader, entry().subject)
    reader.close()
    row = {"subject": entry().subject, "reason": "manual", "since": NOW, "source": "x"}
    for _ in range(3):
        with suppress(ZeroDivisionError), writing(engine) as connection:
            connection.execute(insert(suppressions).values(row))
            raise ZeroDivisionError
    assert _status(reader, entry().subject) is None


def test_after_an_error_of_the_database_the_next_read_has_a_new_connection(
    reader: Reader, ledger: Ledger, engine: Engine
):
    ledger.record([entry()])
    assert _status(reader, entry().subject)
    driver = reader._local.line.held.driver_connection
    driver.close()
    with pytest.raises(OurTroubleError):
        _status(reader, entry().subject)
    assert _status(reader, entry().subject)
    assert reader._local.line.held.driver_connection is not driver
    assert engine.pool.checkedout() <= 2


def test_a_database_that_cannot_be_reached_is_our_trouble(tmp_path):
    (tmp_path / "folder.sqlite3").mkdir()
    for url in (f"sqlite:///{tmp_path}/folder.sqlite3", "postgresql://nobody@127.0.0.1:1/none"):
        engine = open_engine(url)
        with pytest.raises(OurTroubleError):
            _status(Reader(engine), b"s" * 16)
        engine.dispose()


def test_nothing_is_opened_before_the_first_read(engine: Engine):
    Reader(engine)
    assert engine.pool.checkedout() == 0


def test_a_closed_reader_may_read_again(reader: Reader, ledger: Ledger):
    ledger.record([entry()])
    assert _status(reader, entry().subject)
    reader.close()
    assert _status(reader, entry().subject)


def test_the_status_of_one_who_wrote_much_is_found_by_its_key(engine: Engine):
    if not is_sqlite(engine):
        pytest.skip("the plan of PostgreSQL depends on its statistics")
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN " + select_persons("IN (?1, ?2)"), (b"", b"")
        ).all()
    assert not [row.detail for row in plan if row.detail.startswith("SCAN") or "AUTOMATIC" in row.detail]


def test_a_word_of_every_choice_comes_back(reader: Reader, ledger: Ledger):
    ledger.record([entry(number, choice=choice, scope="offers") for number, choice in enumerate(Choice)])
    for number, choice in enumerate(Choice):
        found = _status(reader, entry(number).subject)
        assert found.states == {"offers": State(choice, NOW, 1)}
        assert replace(reader.events(entry(number).subject, limit=1)[0]).choice is choice
