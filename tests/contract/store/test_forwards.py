"""Forwards: kept in the commit of what the webhook brought, once, and each tried without waiting for a failed one."""

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import Engine, text
from support.entries import KEY, NOW, entry
from support.outgoing import forward

from gateway.consent.entry import Entry, Outcome, Result
from gateway.errors import OurTroubleError
from gateway.store.forwards import Forward, ForwardItem, Forwards
from gateway.store.group import PoisonError
from gateway.store.ledger import Ledger, LedgerRules, open_ledger
from gateway.store.queue import ItemState, columns_of
from gateway.store.recorder import Recorder
from gateway.store.statements import FORWARD_COLUMNS

SECOND = 1_000_000
MINUTE = 60 * SECOND
STALE = NOW - 2 * MINUTE
ACCOUNT = "acme-twilio"


class Uncounted:
    def committed(self, outcomes: Sequence[Outcome], seconds: float) -> None: ...

    def failed(self, entries: int) -> None: ...


@pytest.fixture
def ledger(engine: Engine) -> Iterator[Ledger]:
    ledger = open_ledger(engine, LedgerRules(KEY, clock=lambda: NOW))
    yield ledger
    ledger.close()


@pytest.fixture
def recorder(engine: Engine) -> Iterator[Recorder]:
    rules = LedgerRules(KEY, clock=lambda: NOW)
    recorder = Recorder(engine, rules, group_limit=4, observer=Uncounted())
    yield recorder
    recorder.close()


@pytest.fixture
def forwards(engine: Engine) -> Forwards:
    return Forwards(engine)


def find(forwards: Forwards, now: int = NOW, stale: int = STALE) -> list[ForwardItem]:
    return forwards.find({ACCOUNT: 10}, now=now, stale=stale)


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def put(ledger: Ledger, *rows: Forward) -> None:
    ledger.record([], [each.row() for each in rows])


def test_the_row_has_the_columns_of_the_table():
    assert set(columns_of(ForwardItem)) | {"changed_at"} == set(FORWARD_COLUMNS)
    assert len(forward().row()) == len(FORWARD_COLUMNS)


def test_a_forward_is_kept_as_it_came(ledger: Ledger, forwards: Forwards):
    given = forward(body=bytes(range(256)), url="https://x/é?q=%00", headers='[["a", "ü"]]')
    put(ledger, given)
    (found,) = find(forwards)
    for name in columns_of(Forward):
        assert getattr(found, name) == getattr(given, name)


def test_a_forward_and_its_event_are_durable_together(engine: Engine, recorder: Recorder):
    ticket = recorder.stage(entry(1))
    sent = recorder.stage_forward(forward(), [ticket])
    assert (count(engine, "events"), count(engine, "forwards")) == (0, 0)
    assert sent.outcome().result is Result.UNCHANGED
    assert (count(engine, "events"), count(engine, "forwards")) == (1, 1)
    assert ticket.outcome().result is Result.RECORDED


def test_a_forward_shares_the_commit_of_a_group_that_is_full(engine: Engine, recorder: Recorder):
    """A crash between two commits would lose the forward, and the provider would not come again."""
    tickets = [recorder.stage(entry(number)) for number in range(4)]
    recorder.stage_forward(forward(), tickets)
    assert count(engine, "events") == 0
    tickets[0].outcome()
    assert (count(engine, "events"), count(engine, "forwards")) == (4, 1)


def test_a_webhook_that_is_delivered_twice_is_forwarded_once(engine: Engine, recorder: Recorder):
    said: Entry = entry(1)
    given = forward()
    for expected in (Result.RECORDED, Result.DUPLICATE):
        ticket = recorder.stage(said)
        sent = recorder.stage_forward(given, [ticket])
        assert ticket.outcome().result is expected
        sent.outcome()
    assert (count(engine, "events"), count(engine, "forwards")) == (1, 1)


def test_the_same_forward_twice_in_one_group_is_one(engine: Engine, recorder: Recorder):
    given = forward()
    tickets = [recorder.stage_forward(given, []) for _ in range(2)]
    for ticket in tickets:
        ticket.outcome()
    assert count(engine, "forwards") == 1


def test_what_could_not_be_recorded_is_not_forwarded(engine: Engine, recorder: Recorder):
    poisoned = recorder.stage(entry(1, said_at=2**63))
    sent = recorder.stage_forward(forward(), [poisoned])
    healthy = recorder.stage(entry(2))
    with pytest.raises(PoisonError):
        poisoned.outcome()
    with pytest.raises(OurTroubleError):
        sent.outcome()
    assert healthy.outcome().result is Result.RECORDED
    assert (count(engine, "events"), count(engine, "forwards")) == (1, 0)


def test_a_webhook_without_an_event_is_forwarded(engine: Engine, recorder: Recorder):
    recorder.stage_forward(forward(), []).outcome()
    assert (count(engine, "events"), count(engine, "forwards")) == (0, 1)


def test_forwards_of_a_person_are_tried_in_the_order_in_which_they_came(ledger: Ledger, forwards: Forwards):
    first, second = forward(received_at=NOW), forward(received_at=NOW + 1)
    put(ledger, second, first, forward(subject=b"t" * 16, received_at=NOW + 1))
    found = find(forwards, NOW + 1)
    assert [item.received_at for item in found if item.subject == first.subject] == [NOW]
    assert len(found) == 2
    claimed = forwards.claim(found[0], NOW + 1)
    assert claimed is not None
    assert [item.subject for item in find(forwards, NOW + 1)] == [b"t" * 16]


def test_a_forward_that_failed_holds_up_no_later_one(ledger: Ledger, forwards: Forwards):
    put(ledger, forward(received_at=NOW), forward(received_at=NOW + 1))
    claimed = forwards.claim(find(forwards, NOW + 1)[0], NOW + 1)
    assert claimed is not None
    assert forwards.settle(claimed, ItemState.DUE, now=NOW + 1, due_at=NOW + MINUTE)
    (next_one,) = find(forwards, NOW + 1)
    assert next_one.received_at == NOW + 1
    assert forwards.claim(next_one, NOW + 1) is not None


def test_a_forward_that_has_arrived_keeps_its_id_and_loses_its_content(
    engine: Engine, ledger: Ledger, forwards: Forwards
):
    given = forward()
    put(ledger, given)
    claimed = forwards.claim(find(forwards)[0], NOW)
    assert claimed is not None
    assert forwards.settle(claimed, ItemState.DONE, now=NOW, result="204")
    put(ledger, given)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT state, url, headers, body, result FROM forwards")).all()
    assert [(state, url, headers, bytes(body), result) for state, url, headers, body, result in rows] == [
        ("done", "", "[]", b"", "204")
    ]


def test_a_dead_forward_keeps_its_content(engine: Engine, ledger: Ledger, forwards: Forwards):
    put(ledger, forward())
    claimed = forwards.claim(find(forwards)[0], NOW)
    assert claimed is not None
    assert forwards.settle(claimed, ItemState.DEAD, now=NOW, result="500")
    with engine.connect() as connection:
        assert bytes(connection.execute(text("SELECT body FROM forwards")).scalar_one()) == b"Body=STOP"


def test_what_a_crash_left_is_found_again(ledger: Ledger, forwards: Forwards):
    put(ledger, forward())
    forwards.claim(find(forwards)[0], NOW)
    assert find(forwards, NOW + MINUTE, NOW - 1) == []
    (left,) = find(forwards, NOW + MINUTE, NOW)
    assert left.state is ItemState.SENDING


def test_each_account_has_its_own_room(ledger: Ledger, forwards: Forwards):
    many = [forward(subject=number.to_bytes(16, "big")) for number in range(20)]
    put(ledger, *many, forward(subject=b"u" * 16, account="other", received_at=NOW + 1))
    found = forwards.find({ACCOUNT: 3, "other": 3, "third": 3}, now=NOW + 1, stale=STALE)
    assert sorted(item.account for item in found) == [ACCOUNT] * 3 + ["other"]
    assert forwards.find({ACCOUNT: 0, "other": 5}, now=NOW, stale=STALE) == []


def test_what_belongs_to_no_account_is_found_apart(ledger: Ledger, forwards: Forwards):
    put(ledger, forward(), forward(account="gone"))
    found = forwards.find_strangers([ACCOUNT], now=NOW, stale=STALE, limit=10)
    assert [item.account for item in found] == ["gone"]
    assert len(forwards.find_strangers([], now=NOW, stale=STALE, limit=10)) == 2


def test_what_waits_and_what_is_dead_is_counted_by_account(ledger: Ledger, forwards: Forwards):
    put(ledger, *(forward(subject=number.to_bytes(16, "big")) for number in range(3)))
    put(ledger, forward(subject=b"v" * 16, account="other", received_at=NOW - MINUTE))
    claimed = forwards.claim(find(forwards)[0], NOW)
    assert claimed is not None
    assert forwards.settle(claimed, ItemState.DEAD, now=NOW)
    found = {each.account: (each.due, each.oldest_due_at, each.dead) for each in forwards.waiting(NOW)}
    assert found == {ACCOUNT: (2, NOW, 1), "other": (1, NOW - MINUTE, 0)}


def test_what_ended_long_ago_is_deleted_and_what_waits_is_not(
    engine: Engine, ledger: Ledger, forwards: Forwards
):
    put(ledger, *(forward(subject=number.to_bytes(16, "big")) for number in range(3)))
    for item in find(forwards)[:2]:
        claimed = forwards.claim(item, NOW)
        assert claimed is not None
        forwards.settle(claimed, ItemState.DONE, now=NOW)
    assert forwards.prune(NOW) == 0
    assert forwards.prune(NOW + 1) == 2
    assert count(engine, "forwards") == 1


def test_the_ledger_tells_what_came_of_a_webhook(ledger: Ledger, forwards: Forwards):
    said = entry(1)
    ledger.record([said])
    claims = f'[["{said.subject.hex()}", "{said.message_id}"], ["{said.subject.hex()}", "unknown"]]'
    (event,) = forwards.recorded(forward(events=claims))
    assert (event.message_id, event.klass, event.choice, event.seq) == (said.message_id, "opt_out", "n", 1)
