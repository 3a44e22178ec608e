"""The store of parts: what is decided is decided for all of them at once and once only, on both engines."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from support.entries import KEY, NOW, entry

from gateway.errors import OurTroubleError
from gateway.store.engine import open_engine, writing
from gateway.store.message_parts import MessageParts, PartState, StoredPart

ANN = entry(1).subject


def part(number: int, **fields: object) -> StoredPart:
    given = {"message_id": f"m{number}", "total": 3, "received_at": NOW + number, "message": f"text {number}"}
    return StoredPart(
        subject=ANN, account="acme", number=number, sender="+15550199000", reference="r1", **(given | fields)
    )


@pytest.fixture
def parts(engine: Engine) -> MessageParts:
    return MessageParts(engine)


def test_parts_come_back_as_they_were_put(parts: MessageParts):
    for number in (2, 1):
        parts.put(part(number))
    assert parts.kin(part(3)) == [part(1), part(2)]


def test_a_part_that_is_there_stays_as_it_is(parts: MessageParts):
    parts.put(part(1))
    parts.put(part(1, message="other", received_at=NOW + 9))
    assert parts.kin(part(1)) == [part(1)]


@pytest.mark.parametrize(
    "other",
    [{"subject": entry(2).subject}, {"account": "b"}, {"sender": "b"}, {"reference": "b"}, {"total": 2}],
)
def test_kin_share_person_account_sender_reference_and_total(parts: MessageParts, other: dict[str, object]):
    parts.put(part(1))
    assert parts.kin(replace(part(1), **other)) == []


def test_all_parts_are_moved_or_none(parts: MessageParts):
    for number in (1, 2, 3):
        parts.put(part(number))
    assert parts.move([part(2)], PartState.ALONE)
    assert not parts.move([part(1), part(2), part(3)], PartState.JOINED, lead="m1")
    assert [each.state.value for each in parts.kin(part(1))] == ["waiting", "alone", "waiting"]
    assert parts.move([part(3), part(1)], PartState.JOINED, lead="m1")
    assert [each.lead for each in parts.kin(part(1))] == ["m1", None, "m1"]


def test_a_text_goes_once_the_ledger_has_it_and_not_before_it_is_decided(parts: MessageParts):
    parts.put(part(1))
    parts.finish([part(1)])
    assert [each.message for each in parts.kin(part(1))] == ["text 1"]
    parts.move([part(1)], PartState.ALONE)
    parts.finish([part(1)])
    assert [each.message for each in parts.kin(part(1))] == [None]


def test_unread_parts_are_found_by_their_age_oldest_first(parts: MessageParts):
    for number in (3, 1, 2):
        parts.put(part(number))
    parts.move([part(1), part(2)], PartState.ALONE)
    parts.finish([part(1)])
    found = parts.unread(until=NOW + 3, limit=9)
    assert [each.message_id for each in found] == ["m2", "m3"]
    assert parts.unread(until=NOW + 2, limit=9) == found[:1] == parts.unread(until=NOW + 9, limit=1)


def test_only_what_the_ledger_has_is_deleted(parts: MessageParts):
    for number in (1, 2, 3):
        parts.put(part(number))
    parts.move([part(1), part(3)], PartState.ALONE)
    parts.finish([part(1), part(3)])
    assert parts.prune(before=NOW + 3) == 1
    assert [each.number for each in parts.kin(part(1))] == [2, 3]


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": 0},
        {"number": 4},
        {"total": 1, "number": 1},
        {"total": 256},
        {"message": None},
        {"lead": "m1"},
    ],
)
def test_the_database_refuses_a_part_that_cannot_be(parts: MessageParts, wrong: dict[str, object]):
    with pytest.raises(OurTroubleError) as caught:
        parts.put(part(**({"number": 1} | wrong)))
    assert isinstance(caught.value.__cause__, IntegrityError)


def test_no_text_shows_in_a_part():
    assert "text 1" not in repr(part(1))
    assert KEY.decode() not in repr(part(1))


def test_of_many_who_decide_at_once_one_does(database_url: str, parts: MessageParts):
    for number in (1, 2, 3):
        parts.put(part(number))
    start = threading.Barrier(6)

    def decide(number: int) -> bool:
        engine = open_engine(database_url)
        own = MessageParts(engine)
        start.wait()
        pieces = [part(each) for each in (1, 2, 3)][:: 1 if number % 2 else -1]
        if number % 3:
            moved = own.move(pieces, PartState.JOINED, lead="m1")
        else:
            moved = own.move(pieces, PartState.ALONE)
        engine.dispose()
        return moved

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(decide, range(6))) == [False] * 5 + [True]
    assert len({each.state for each in parts.kin(part(1))}) == 1


def test_a_database_without_the_table_is_our_trouble(parts: MessageParts, engine: Engine):
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE message_parts RENAME TO elsewhere"))
    try:
        for use in (
            lambda: parts.put(part(1)),
            lambda: parts.kin(part(1)),
            lambda: parts.unread(until=NOW, limit=1),
            lambda: parts.move([part(1)], PartState.ALONE),
            lambda: parts.finish([part(1)]),
            lambda: parts.prune(before=NOW),
        ):
            with pytest.raises(OurTroubleError):
                use()
    finally:
        with writing(engine) as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO message_parts"))
