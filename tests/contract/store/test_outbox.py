"""The outbox's contract, the same on both engines: one worker per item, in order per person."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text, update
from support.entries import KEY, NOW, entry

from gateway.consent.entry import Reply
from gateway.errors import OurTroubleError
from gateway.store.engine import is_sqlite, open_engine, writing
from gateway.store.ledger import Ledger, LedgerRules, open_ledger
from gateway.store.outbox import Item, Outbox
from gateway.store.queue import ItemState, find_statement
from gateway.store.tables import outbox as table
from gateway.store.tables import states

SECOND = 1_000_000
MINUTE = 60 * SECOND
STALE = NOW - 2 * MINUTE
ACCOUNT = "acme-twilio"


@pytest.fixture
def ledger(engine: Engine) -> Iterator[Ledger]:
    ledger = open_ledger(engine, LedgerRules(KEY, clock=lambda: NOW))
    yield ledger
    ledger.close()


@pytest.fixture
def outbox(engine: Engine) -> Outbox:
    return Outbox(engine)


@pytest.fixture
def reply(ledger: Ledger) -> Callable[..., None]:
    """Puts replies by API to a person into the outbox."""

    def put(person: int = 1, *, klass: str = "help", at: int = NOW) -> None:
        words = Reply(klass, f"text of {klass}", inline=False)
        ledger.record([entry(person, None, klass=klass, at=at, reply=words)])

    return put


def find(outbox: Outbox, now: int = NOW, stale: int = STALE) -> list[Item]:
    return outbox.find({ACCOUNT: 10}, now=now, stale=stale)


def of_person(number: int, found: list[Item]) -> Item:
    (item,) = [item for item in found if item.subject == entry(number).subject]
    return item


def row(engine: Engine, seq: int = 1) -> dict[str, object]:
    with engine.connect() as connection:
        found = connection.execute(table.select().where(table.c.seq == seq)).one()
    return dict(found._mapping)


def test_a_due_item_is_found_claimed_and_settled(engine: Engine, outbox: Outbox, reply: Callable[..., None]):
    reply()
    (item,) = find(outbox)
    assert (item.payload, item.state, item.attempts, item.expires_at) == (
        "text of help",
        ItemState.DUE,
        0,
        NOW + 5 * MINUTE,
    )
    claimed = outbox.claim(item, NOW + 1)
    assert claimed is not None
    assert claimed.address == entry(1).address
    assert (row(engine)["state"], row(engine)["attempts"], row(engine)["changed_at"]) == (
        "sending",
        1,
        NOW + 1,
    )
    assert outbox.settle(claimed, ItemState.DONE, now=NOW + 2, result="SM1")
    assert (row(engine)["state"], row(engine)["result"], row(engine)["changed_at"]) == (
        "done",
        "SM1",
        NOW + 2,
    )
    assert find(outbox, NOW + 9 * MINUTE, NOW + 9 * MINUTE) == []


def test_an_item_is_claimed_once(outbox: Outbox, reply: Callable[..., None]):
    reply()
    (item,) = find(outbox)
    assert outbox.claim(item, NOW) is not None
    assert outbox.claim(item, NOW) is None
    assert find(outbox) == []


@pytest.mark.parametrize("state", [ItemState.DONE, ItemState.DROPPED, ItemState.DEAD])
def test_an_item_that_has_ended_is_never_claimed_or_moved_again(
    outbox: Outbox, reply: Callable[..., None], state: ItemState
):
    reply()
    (item,) = find(outbox)
    claimed = outbox.claim(item, NOW)
    assert claimed is not None
    assert outbox.settle(claimed, state, now=NOW)
    assert outbox.claim(item, NOW) is None
    assert not outbox.settle(claimed, ItemState.DUE, now=NOW)
    assert not outbox.settle(item, ItemState.DUE, now=NOW)


def test_an_item_that_went_back_is_due_again_at_its_time(outbox: Outbox, reply: Callable[..., None]):
    reply()
    first = outbox.claim(find(outbox)[0], NOW)
    assert first is not None
    assert outbox.settle(first, ItemState.DUE, now=NOW, result="busy", due_at=NOW + 4 * SECOND)
    assert find(outbox, NOW + 4 * SECOND - 1) == []
    (again,) = find(outbox, NOW + 4 * SECOND)
    assert again.attempts == 1
    assert outbox.claim(again, NOW + 4 * SECOND - 1) is None
    second = outbox.claim(again, NOW + 4 * SECOND)
    assert second is not None
    assert second.attempts == 2
    assert not outbox.settle(first, ItemState.DONE, now=NOW)  # who was taken for dead settles nothing


def test_an_expired_item_is_found_but_cannot_be_claimed(outbox: Outbox, reply: Callable[..., None]):
    reply()
    late = NOW + 5 * MINUTE
    (item,) = find(outbox, late)
    assert not item.is_expired(late - 1)
    assert item.is_expired(late)
    assert outbox.claim(item, late) is None
    assert outbox.settle(item, ItemState.DROPPED, now=late, result="expired")


def test_an_item_without_an_end_never_expires(engine: Engine, outbox: Outbox, reply: Callable[..., None]):
    reply()
    with writing(engine) as connection:
        connection.execute(update(table).values(expires_at=None))
    (item,) = find(outbox, NOW + 99 * MINUTE)
    assert not item.is_expired(NOW + 99 * MINUTE)
    assert outbox.claim(item, NOW + 99 * MINUTE) is not None


def test_a_later_item_of_a_person_waits_for_the_earlier_one(outbox: Outbox, reply: Callable[..., None]):
    reply(klass="help")
    reply(klass="opt_out")
    reply(2)
    found = find(outbox)
    assert sorted((item.subject, item.seq) for item in found) == sorted(
        [(entry(1).subject, 1), (entry(2).subject, 1)]
    )
    first = of_person(1, found)
    later = replace(first, seq=2)
    assert outbox.claim(later, NOW) is None
    claimed = outbox.claim(first, NOW)
    assert claimed is not None
    assert outbox.claim(later, NOW) is None
    outbox.settle(claimed, ItemState.DUE, now=NOW, due_at=NOW + SECOND)
    assert outbox.claim(later, NOW) is None
    assert outbox.settle(of_person(1, find(outbox, NOW + SECOND)), ItemState.DEAD, now=NOW)
    assert outbox.claim(later, NOW) is not None


def test_what_waits_does_not_hide_the_others(outbox: Outbox, reply: Callable[..., None]):
    """Items behind one that is busy must not fill the page."""
    for klass in ("help", "opt_in", "opt_out"):
        reply(klass=klass)
    first = outbox.claim(find(outbox)[0], NOW)
    assert first is not None
    outbox.settle(first, ItemState.DUE, now=NOW, due_at=NOW + MINUTE)
    reply(2, at=NOW + SECOND)
    (found,) = outbox.find({ACCOUNT: 1}, now=NOW + SECOND, stale=STALE)
    assert found.subject == entry(2).subject


def test_an_item_left_in_sending_is_found_when_it_is_old(outbox: Outbox, reply: Callable[..., None]):
    reply()
    outbox.claim(find(outbox)[0], NOW)
    assert find(outbox, NOW + MINUTE, NOW - 1) == []
    (left,) = find(outbox, NOW + MINUTE, NOW)
    assert (left.state, left.attempts) == (ItemState.SENDING, 1)
    assert outbox.claim(left, NOW + MINUTE) is None
    assert outbox.settle(left, ItemState.DEAD, now=NOW + MINUTE, result="unknown")
    assert find(outbox, NOW + 9 * MINUTE, NOW + 9 * MINUTE) == []


def test_the_address_is_gone_after_erasure(engine: Engine, outbox: Outbox, reply: Callable[..., None]):
    reply()
    with writing(engine) as connection:
        connection.execute(update(states).values(address=None))
    claimed = outbox.claim(find(outbox)[0], NOW)
    assert claimed is not None
    assert claimed.address is None


def test_no_address_or_text_shows_in_an_item(outbox: Outbox, reply: Callable[..., None]):
    reply()
    claimed = outbox.claim(find(outbox)[0], NOW)
    assert claimed is not None
    assert claimed.address is not None
    assert claimed.address.value not in repr(claimed)
    assert claimed.payload not in repr(claimed)


def test_the_search_goes_by_the_partial_index(engine: Engine, reply: Callable[..., None]):
    """Items that have ended stay in the table: nobody may read through them."""
    reply()
    explain = "EXPLAIN QUERY PLAN " if is_sqlite(engine) else "EXPLAIN "
    query = text(explain + find_statement(Outbox.shape, 1).text)
    with engine.connect() as connection:
        if not is_sqlite(engine):
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            connection.execute(text("SET LOCAL enable_sort = off"))
        values = {"now": NOW, "stale": STALE, "account0": ACCOUNT, "room0": 10}
        plan = connection.execute(query, values).all()
    assert "ix_outbox_due" in str(plan)


def work(url: str, start: threading.Barrier, sent: list[tuple[bytes, int]]) -> None:
    """Claim and settle until nothing is left, with connections of its own."""
    engine = open_engine(url)
    outbox = Outbox(engine)
    start.wait()
    while found := find(outbox):
        for item in found:
            claimed = outbox.claim(item, NOW)
            if claimed is not None:
                sent.append((item.subject, item.seq))
                assert outbox.settle(claimed, ItemState.DONE, now=NOW)
    engine.dispose()


def test_workers_at_the_same_time_send_each_item_once_and_in_order(
    database_url: str, reply: Callable[..., None]
):
    for person in range(6):
        for klass in ("help", "opt_in", "opt_out"):
            reply(person, klass=klass)
    sent: list[tuple[bytes, int]] = []
    start = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, database_url, start, sent) for _ in range(4)]:
            done.result(60)
    assert len(sent) == len(set(sent)) == 18
    for person in range(6):
        assert [seq for subject, seq in sent if subject == entry(person).subject] == [1, 2, 3]


def test_a_database_without_the_table_is_our_trouble(
    engine: Engine, outbox: Outbox, reply: Callable[..., None]
):
    reply()
    (item,) = find(outbox)
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE outbox RENAME TO elsewhere"))
    try:
        with pytest.raises(OurTroubleError):
            find(outbox)
        with pytest.raises(OurTroubleError):
            outbox.claim(item, NOW)
        with pytest.raises(OurTroubleError):
            outbox.settle(item, ItemState.DEAD, now=NOW)
    finally:
        with writing(engine) as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO outbox"))
