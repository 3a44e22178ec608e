"""The ledger's contract, the same on both engines."""

import multiprocessing
import os
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError
from support.entries import KEY, NOW, entry

from gateway.consent.choice import Choice
from gateway.consent.entry import Reply, Result
from gateway.store import statements
from gateway.store.engine import open_engine, writing
from gateway.store.group import PoisonError
from gateway.store.ledger import Ledger, LedgerRules, open_ledger
from gateway.store.tables import events, outbox, states

REFUSED = r"(?i)constraint"


@pytest.fixture
def ledger(engine: Engine):
    ledger = open_ledger(engine, LedgerRules(KEY))
    yield ledger
    ledger.close()


def _results(outcomes):
    return [outcome.result for outcome in outcomes]


def _change(engine: Engine, statements: list[str]) -> None:
    with writing(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def _count(engine: Engine, table) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_message_makes_one_event_and_the_rows_of_its_scopes(ledger: Ledger, engine: Engine):
    assert _results(ledger.record([entry()])) == [Result.RECORDED]
    assert _count(engine, events) == 1
    with engine.connect() as connection:
        rows = connection.execute(select(states.c.scope, states.c.choice).order_by(states.c.scope)).all()
    assert rows == [("*", None), ("@+15550199000", "n")]


def test_a_second_delivery_is_a_duplicate_in_the_same_group_and_later(ledger: Ledger, engine: Engine):
    one = entry()
    assert _results(ledger.record([one, one])) == [Result.RECORDED, Result.DUPLICATE]
    assert _results(ledger.record([one, entry(1)])) == [Result.DUPLICATE, Result.RECORDED]
    assert _count(engine, events) == 2


def test_a_group_of_mixed_sizes_keeps_the_order_of_its_outcomes(ledger: Ledger):
    group = [entry(number % 7) for number in range(53)]
    outcomes = ledger.record(group)
    assert [outcome.event.message_id for outcome in outcomes] == [one.message_id for one in group]
    assert Counter(outcome.event.seq for outcome in outcomes)[1] == 7


def test_a_poisoned_entry_is_refused_and_leaves_nothing(ledger: Ledger, engine: Engine):
    poison = replace(entry(1), said_at=NOW + 1)
    with pytest.raises(PoisonError):
        ledger.record([entry(), poison])
    assert _count(engine, events) == 0
    assert _results(ledger.record([entry()])) == [Result.RECORDED]


@pytest.mark.parametrize("bad", ["\ud800", "x\ud800y"])
def test_text_that_cannot_be_stored_is_poison(ledger: Ledger, bad: str):
    with pytest.raises(PoisonError):
        ledger.record([entry(text=bad)])
    assert _results(ledger.record([entry()])) == [Result.RECORDED]


def test_a_late_older_word_displaces_nothing(ledger: Ledger, engine: Engine):
    ledger.record([entry(at=NOW)])
    ledger.record([entry(choice=Choice.YES, said_at=NOW - 1, received_at=NOW + 5)])
    with engine.connect() as connection:
        choice = connection.execute(select(states.c.choice).where(states.c.scope != "*")).scalar_one()
    assert choice == "n"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE states SET said_at = NULL",
        "UPDATE states SET last_seq = prior_seq WHERE scope = '*'",
        "UPDATE states SET choice = 'y' WHERE scope <> '*'",
        "UPDATE states SET choice = 'x'",
        "UPDATE events SET choice = 'maybe'",
        "UPDATE events SET seq = 0",
        "UPDATE events SET received_at = recorded_at + 1",
        "INSERT INTO events SELECT * FROM events",
        "DELETE FROM states WHERE scope = '*'; UPDATE states SET scope = '*'",
    ],
)
def test_the_database_refuses_what_must_never_be(ledger: Ledger, engine: Engine, change: str):
    ledger.record([entry()])
    with pytest.raises(DBAPIError, match=REFUSED):
        _change(engine, change.split(";"))


def test_an_older_word_over_a_newer_one_is_refused_by_the_database(ledger: Ledger, engine: Engine):
    """Newest wins even if the code that folds were wrong."""
    ledger.record([entry()])
    with engine.connect() as connection:
        row = connection.execute(select(states).where(states.c.scope != "*")).one()
    older = [value - 1 if name == "said_at" else value for name, value in row._mapping.items()]
    raw = engine.raw_connection()
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    with pytest.raises(Exception, match=REFUSED):
        raw.cursor().execute(statements.upsert_states(1, mark), tuple(older))
    raw.rollback()
    raw.close()


def test_a_reply_by_api_waits_in_the_outbox_of_the_same_transaction(ledger: Ledger, engine: Engine):
    ledger.record([entry(reply=Reply("help", "Help text", inline=False))])
    with engine.connect() as connection:
        row = connection.execute(select(outbox)).one()
    assert (row.kind, row.payload, row.state, row.expires_at) == (
        "reply",
        "Help text",
        "due",
        NOW + 300_000_000,
    )


def _hammer(url: str, person: int, claims: list[str], results) -> None:
    engine = open_engine(url)
    ledger = open_ledger(engine, LedgerRules(KEY))
    for claim in claims:
        results.put(
            [
                o.result.value
                for o in ledger.record(
                    [entry(person, message_id=claim), entry(9, message_id=f"{os.getpid()}-{claim}")]
                )
            ]
        )
    ledger.close()


def test_several_processes_on_one_person_make_each_event_once(engine: Engine, database_url: str):
    """Every process delivers the same messages of the same person, and one more of another, at the same time."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    claims = [f"SM{number}" for number in range(25)]
    workers = [context.Process(target=_hammer, args=(database_url, 3, claims, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=60) for _ in range(100)]
    for worker in workers:
        worker.join(60)
    assert Counter(first for first, _ in found) == {"recorded": 25, "duplicate": 75}
    with engine.connect() as connection:
        found = connection.execute(select(events.c.subject, events.c.seq)).all()
    assert len(set(found)) == len(found) == 125
    assert sorted(seq for _, seq in found) == sorted([*range(1, 26), *range(1, 101)])
