"""A long message in parts: one event and one reply, whatever the order, the repeats, the processes and the crashes."""

import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from support.databases import sqlite_url
from support.paper import ANN, Desk, MutePaper, Paper, supply, texts

from gateway.errors import OurTroubleError
from gateway.flows.intake import ApiAccount, Intake
from gateway.house import House
from gateway.store.ledger import now_microseconds
from gateway.store.message_parts import MessageParts
from gateway.store.tables import events, message_parts, outbox, states
from gateway.worker.upkeep import LateParts

SECOND = 1_000_000
WAIT = 120 * SECOND
TEXTS = ("Thank you for all, but please do ", "stop sending", " me these messages")


@dataclass
class Clock:
    """The system's clock and what the test adds."""

    ahead: int = 0

    def __call__(self) -> int:
        return now_microseconds() + self.ahead


@pytest.fixture
def desk(make_app, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    paper = Paper()
    supply(monkeypatch, paper)
    return Desk(make_app(database_url), paper)


def house_of(app: Flask) -> House:
    house: House = app.extensions["gateway"]
    return house


def rows(desk: Desk, table=events):
    with house_of(desk.app).engine.connect() as connection:
        return connection.execute(select(table)).all()


def part(number: int, total: int = 3, *, name: str = "m", reference: str = "r1", text: str | None = None):
    said = TEXTS[number - 1] if text is None else text
    return {"id": f"{name}{number}", "from": ANN, "text": said, "part": [reference, number, total]}


def worker(desk: Desk, clock: Clock) -> LateParts:
    house = house_of(desk.app)
    intake = Intake(house.book, house.recorder, house.keys.subject, MessageParts(house.engine))
    accounts = {"acme": ApiAccount("acme", "twilio", desk.paper)}
    return LateParts(intake.long_messages, accounts, wait=WAIT, clock=clock)


def read_late(desk: Desk, seconds: int = 121) -> int:
    return worker(desk, Clock(seconds * SECOND)).turn()


def waiting(desk: Desk) -> list[str]:
    return sorted(row.state for row in rows(desk, message_parts) if row.message is not None)


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_parts_in_any_order_are_one_message_of_the_first_parts_id(desk: Desk, order: tuple[int, ...]):
    for number in order[:2]:
        assert texts(desk.post([part(number)])) == []
    assert rows(desk) == []
    assert len(waiting(desk)) == 2
    desk.post([part(order[2])])
    (event,) = rows(desk)
    assert (event.message_id, event.text) == ("m1", "".join(TEXTS))
    assert json.loads(event.evidence)["parts"] == ["m1", "m2", "m3"]
    assert waiting(desk) == []
    assert read_late(desk) == 0


def test_a_stop_over_two_parts_stops_and_is_answered_once(desk: Desk):
    assert texts(desk.post([part(2, 2, text="op")])) == []
    (reply,) = texts(desk.post([part(1, 2, text="St")]))
    assert "unsubscribed" in reply
    assert [row.choice for row in rows(desk)] == ["n"]


def test_all_parts_in_one_delivery_are_joined_too(desk: Desk):
    assert len(texts(desk.post([part(1, 2, text="ST"), part(2, 2, text="OP")]))) == 1
    assert [row.text for row in rows(desk)] == ["STOP"]


def test_repeated_parts_change_nothing(desk: Desk):
    for number in (1, 1, 2, 2, 1, 3, 1, 2, 3):
        desk.post([part(number)])
    assert len(rows(desk)) == 1
    assert read_late(desk) == 0
    assert len(rows(desk)) == 1


def test_a_part_says_nothing_before_the_others_are_there(desk: Desk):
    assert texts(desk.post([part(1, 2, text="STOP")])) == []
    assert rows(desk) == rows(desk, states) == []


def test_a_message_in_parts_that_is_whole_is_read_at_once(desk: Desk):
    for number, odd in enumerate([["r1", 1, 1], ["r1", 0, 3], ["r1", 4, 3], ["r1", 1, 256], ["r1", 1, -1]]):
        desk.post([{"id": f"m{number}", "from": ANN, "text": "STOP", "part": odd}])
    assert len(rows(desk)) == 5
    assert rows(desk, message_parts) == []


def test_other_senders_references_and_totals_are_other_messages(desk: Desk):
    desk.post([part(1, 2, text="ST")])
    for other in (
        part(2, 2, name="a", reference="r2", text="OP"),
        part(2, 3, name="b", text="OP"),
        {**part(2, 2, name="c", text="OP"), "from": "+15550100002"},
    ):
        desk.post([other])
    assert rows(desk) == []
    assert read_late(desk) == 4


def test_the_worker_reads_alone_what_is_there_when_the_time_is_over(desk: Desk):
    desk.post([part(1, 3, text="STOP")])
    desk.post([part(3, 3, text="and more")])
    assert read_late(desk, 118) == 0
    assert read_late(desk) == 2
    found = {row.message_id: row for row in rows(desk)}
    assert {name: row.text for name, row in found.items()} == {"m1": "STOP", "m3/3": "and more"}
    assert json.loads(found["m3/3"].evidence)["parts"] == ["m3"]
    assert found["m1"].choice == "n"
    assert waiting(desk) == []


def test_a_late_part_is_read_alone_and_at_once(desk: Desk):
    desk.post([part(1, 2, text="hello")])
    read_late(desk)
    (reply,) = texts(desk.post([part(2, 2, text="STOP")]))
    assert "unsubscribed" in reply
    assert [row.text for row in rows(desk)] == ["hello", "STOP"]
    assert texts(desk.post([part(2, 2, text="STOP")])) == []
    assert len(rows(desk)) == 2


def test_a_reference_may_come_again_for_another_message(desk: Desk):
    for name in ("a", "b"):
        for number in (1, 2):
            desk.post([part(number, 2, name=name, text=f"{name}{number} ")])
    assert [row.text for row in rows(desk)] == ["a1 a2 ", "b1 b2 "]


def test_parts_that_all_have_one_id_are_told_apart_by_their_number(desk: Desk):
    for number in (1, 2):
        desk.post([{**part(number), "id": "same"}])
    read_late(desk)
    assert sorted(row.message_id for row in rows(desk)) == ["same", "same/2"]


def test_the_worker_joins_what_a_crash_left_complete(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """Both parts are stored; the process dies before it decides."""
    desk.post([part(1, 2, text="ST")])
    monkeypatch.setattr(MessageParts, "kin", _die)
    assert desk.post([part(2, 2, text="OP")]).status_code == 503
    monkeypatch.undo()
    assert waiting(desk) == ["waiting", "waiting"]
    assert read_late(desk) == 1
    assert [row.text for row in rows(desk)] == ["STOP"]
    assert len(rows(desk, outbox)) == 1


def test_the_worker_reads_what_was_joined_and_not_recorded(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """The process dies between the decision and the commit of the event."""
    desk.post([part(1, 2, text="ST")])
    monkeypatch.setattr("gateway.flows.long_messages.LongMessages.stage", _die)
    assert desk.post([part(2, 2, text="OP")]).status_code == 503
    monkeypatch.undo()
    assert waiting(desk) == ["joined", "joined"]
    assert read_late(desk) == 1
    assert [row.text for row in rows(desk)] == ["STOP"]
    assert waiting(desk) == []


@pytest.mark.parametrize("again", [1, 2])
def test_a_repeated_delivery_reads_it_sooner(desk: Desk, monkeypatch: pytest.MonkeyPatch, again: int):
    desk.post([part(1, 2, text="ST")])
    monkeypatch.setattr("gateway.flows.long_messages.LongMessages.stage", _die)
    desk.post([part(2, 2, text="OP")])
    monkeypatch.undo()
    assert len(texts(desk.post([part(again, 2, text="-")]))) == 1
    assert [row.text for row in rows(desk)] == ["STOP"]


def test_an_event_whose_parts_were_not_let_go_is_not_made_again(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """The process dies after the commit of the event; meanwhile the reply has gone out with the answer."""
    desk.post([part(1, 2, text="ST")])
    monkeypatch.setattr(MessageParts, "finish", _die)
    assert len(texts(desk.post([part(2, 2, text="OP")]))) == 1
    monkeypatch.undo()
    assert waiting(desk) == ["joined", "joined"]
    assert read_late(desk) == 1
    assert len(rows(desk)) == 1
    assert rows(desk, outbox) == []
    assert waiting(desk) == []


def _die(*_: object) -> None:
    raise OurTroubleError("killed")


def test_a_part_that_cannot_be_kept_is_a_503_and_stages_nothing(desk: Desk):
    engine = house_of(desk.app).engine
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE message_parts RENAME TO gone"))
    try:
        whole = {"id": "w", "from": "+15550100009", "text": "STOP"}
        assert desk.post([whole, part(1)]).status_code == 503
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO message_parts"))
    assert len(texts(desk.post([whole, part(1)]))) == 1


def test_what_a_database_cannot_hold_is_replaced_not_refused(desk: Desk):
    desk.post([part(1, 2, text="bad \ud800"), part(2, 2, text=" and \0 STOP")])
    (event,) = rows(desk)
    assert event.text == "bad ? and \ufffd STOP"


def test_the_reply_waits_in_the_outbox_where_the_answer_carries_none(make_app, database_url, monkeypatch):
    supply(monkeypatch, MutePaper())
    mute = Desk(make_app(database_url), MutePaper())
    for number, said in ((1, "ST"), (2, "OP")):
        assert texts(mute.post([part(number, 2, text=said)])) == []
    assert len(rows(mute, outbox)) == 1


def test_parts_of_an_account_that_is_gone_are_read_without_a_reply(desk: Desk):
    desk.post([part(1, 2, text="STOP")], path="/sms/later")
    assert read_late(desk) == 1
    assert [row.choice for row in rows(desk)] == ["n"]
    assert rows(desk, outbox) == []


def test_no_text_is_kept_twice(desk: Desk):
    for number in (1, 2, 3):
        desk.post([part(number)])
    assert {row.message for row in rows(desk, message_parts)} == {None}


@pytest.mark.parametrize("total", [2, 3])
def test_parts_at_the_same_time_from_several_processes_make_one_event_and_one_reply(
    make_app, database_url: str, monkeypatch: pytest.MonkeyPatch, total: int
):
    supply(monkeypatch, Paper())
    desks = [Desk(make_app(database_url), Paper()) for _ in range(4)]
    words = {2: ("ST", "OP"), 3: ("S", "TO", "P")}[total]
    for turn in range(6):
        batch = [
            [{**part(n, total, name=f"{turn}.", text=words[n - 1]), "from": f"+155501002{turn:02d}"}]
            for n in range(1, total + 1)
        ]
        replies = _together(desks, batch * 2)
        assert len(replies) == 1
    assert [row.text for row in rows(desks[0])] == ["STOP"] * 6
    assert waiting(desks[0]) == []
    assert rows(desks[0], outbox) == []


def test_the_worker_and_the_last_part_at_the_same_time_lose_nothing(
    make_app, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    supply(monkeypatch, Paper())
    desks = [Desk(make_app(database_url), Paper()) for _ in range(2)]
    for turn in range(6):
        pieces = [
            {**part(n, 2, name=f"{turn}.", text="STOP"), "from": f"+155501003{turn:02d}"} for n in (1, 2)
        ]
        desks[0].post(pieces[:1])
        start = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            late = pool.submit(lambda start=start: (start.wait(), read_late(desks[1])))
            last = pool.submit(lambda start=start, last=pieces[1]: (start.wait(), desks[0].post([last])))
            assert last.result(30)[1].status_code == 200
            late.result(30)
        read_late(desks[0], 300)
        found = [row.text for row in rows(desks[0]) if row.message_id.startswith(f"{turn}.")]
        assert found in (["STOPSTOP"], ["STOP", "STOP"])
    assert waiting(desks[0]) == []


def _together(desks: list[Desk], deliveries: list) -> list[str]:
    start = threading.Barrier(len(deliveries))

    def deliver(number: int) -> list[str]:
        start.wait()
        return texts(desks[number % len(desks)].post(deliveries[number]))

    with ThreadPoolExecutor(len(deliveries)) as pool:
        return [reply for found in pool.map(deliver, range(len(deliveries))) for reply in found]


_cuts = st.lists(st.integers(0, 30), min_size=1, max_size=4)
_said = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=_said, cuts=_cuts, data=st.data())
def test_however_a_text_is_cut_and_delivered_it_is_read_whole(
    make_app, tmp_path, monkeypatch, said, cuts, data
):
    supply(monkeypatch, Paper())
    desk = Desk(make_app(sqlite_url(tmp_path)), Paper())
    edges = [0, *sorted(min(cut, len(said)) for cut in cuts), len(said)]
    pieces = [said[start:end] for start, end in itertools.pairwise(edges)]
    parts = [part(number, len(pieces), text=piece) for number, piece in enumerate(pieces, start=1)]
    order = data.draw(st.permutations(parts))
    repeats = data.draw(st.lists(st.sampled_from(parts), max_size=3))
    for each in [*repeats, *order, *repeats]:
        desk.post([each])
    assert [row.text for row in rows(desk)] == [said]
    house_of(desk.app).close()
