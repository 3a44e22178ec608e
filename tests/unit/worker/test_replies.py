"""Replies from the outbox: at most once, in order, in time, or not at all."""

import pytest
from sqlalchemy import update
from support.entries import NOW, entry

from gateway.consent.choice import Choice
from gateway.errors import OurTroubleError
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.store.engine import writing
from gateway.store.tables import events, states
from gateway.worker import replies as module

SECOND = 1_000_000
MINUTE = 60 * SECOND
BUSY = SendResult(SendOutcome.BUSY, error_code="20429")
OPTED_OUT = SendResult(SendOutcome.OPTED_OUT, error_code="21610")


def test_a_reply_goes_to_the_person_from_the_number_that_was_written_to(bench):
    bench.put()
    assert bench.turn() == ["sent"]
    reference = f"{entry(1).subject.hex()}-1"
    assert bench.provider.sent == [
        OutboundMessage(entry(1).address, "+15550199000", "text of help", reference=reference)
    ]
    assert bench.rows() == [("done", "SM1", 1)]
    assert bench.turn() == []


def test_nothing_to_do_is_nothing_done(bench):
    assert bench.turn() == []


@pytest.mark.parametrize(
    ("result", "ending", "row"),
    [
        (SendResult(SendOutcome.REFUSED, error_code="21211"), "refused", ("dead", "21211", 1)),
        (SendResult(SendOutcome.UNKNOWN), "unknown", ("dead", "unknown", 1)),
        (SendResult(SendOutcome.UNKNOWN, error_code="20500"), "unknown", ("dead", "unknown 20500", 1)),
        (OPTED_OUT, "opted_out", ("dropped", "21610", 1)),
    ],
)
def test_an_outcome_that_is_final_is_never_repeated(bench, result, ending, row):
    bench.provider.results = [result]
    bench.put()
    assert bench.turn() == [ending]
    assert bench.rows() == [row]
    bench.clock.now += MINUTE
    assert bench.turn() == []
    assert len(bench.provider.sent) == 1


def test_a_busy_provider_is_asked_again_with_growing_pauses_until_the_reply_would_expire(bench):
    bench.provider.results = [BUSY]
    asked: list[int] = []
    bench.provider.before = lambda: asked.append((bench.clock.now - NOW) // SECOND)
    bench.put()
    for _ in range(400):
        bench.turn()
        bench.clock.now += SECOND
    assert asked == [0, 2, 6, 14, 30, 62, 122, 182, 242]
    assert bench.rows() == [("dropped", "20429", 9)]


def test_pauses_double_up_to_a_minute_and_half_of_each_is_left_to_chance(bench):
    for chance, expected in ((0.0, [1, 2, 4, 8, 16, 30, 30]), (1.0, [2, 4, 8, 16, 32, 60, 60])):
        bench.chance = chance
        pause = bench.timing.short_pause
        assert [pause(number) // SECOND for number in range(1, 8)] == expected
        assert pause(10_000) == expected[-1] * SECOND


def test_a_busy_provider_gets_the_reply_once_it_takes_it(bench):
    bench.provider.results = [BUSY, BUSY, SendResult(SendOutcome.SENT, message_id="SM9")]
    bench.put()
    assert bench.turn() == ["later"]
    assert bench.rows() == [("due", "20429", 1)]
    bench.clock.now += 2 * SECOND - 1
    assert bench.turn() == []
    bench.clock.now += 1
    assert bench.turn() == ["later"]
    bench.clock.now += 4 * SECOND
    assert bench.turn() == ["sent"]
    assert bench.rows() == [("done", "SM9", 3)]


def test_a_reply_that_would_come_after_its_end_is_dropped_at_once(bench):
    bench.provider.results = [BUSY]
    bench.put()
    bench.clock.now += 5 * MINUTE - 2 * SECOND
    assert bench.turn() == ["expired"]
    assert bench.rows() == [("dropped", "20429", 1)]


def test_a_reply_older_than_five_minutes_is_not_sent(bench):
    """47 CFR 64.1200(a)(12)."""
    bench.put()
    bench.clock.now += 5 * MINUTE
    assert bench.turn() == ["expired"]
    assert bench.rows() == [("dropped", "expired", 0)]
    assert bench.provider.sent == []


def test_a_reply_just_within_five_minutes_is_sent(bench):
    bench.put()
    bench.clock.now += 5 * MINUTE - 1
    assert bench.turn() == ["sent"]


def test_replies_of_one_person_go_out_in_order_and_wait_for_each_other(bench):
    bench.provider.results = [BUSY, SendResult(SendOutcome.SENT)]
    bench.put(klass="help")
    bench.put(klass="opt_out")
    assert bench.turn() == ["later"]
    assert bench.turn() == []
    bench.clock.now += 2 * SECOND
    assert bench.turn() == ["sent"]
    assert bench.turn() == ["sent"]
    assert [message.text for message in bench.provider.sent] == ["text of help"] * 2 + ["text of opt_out"]


def test_the_item_is_sending_in_the_database_and_no_session_is_open_during_the_call(bench):
    seen = []

    def look() -> None:
        seen.append((bench.engine.pool.checkedout(), bench.rows()))

    bench.put()
    bench.ledger.close()
    bench.provider.before = look
    replies = bench.replies()
    list(replies.deliver(replies.queue.find({"acme-twilio": 1}, now=NOW, stale=0)))
    assert seen == [(0, [("sending", None, 1)])]


@pytest.mark.parametrize("crash", [KeyboardInterrupt(), RuntimeError()])
def test_an_item_that_a_crash_left_in_sending_is_never_sent_again(bench, crash):
    bench.provider.results = [crash, SendResult(SendOutcome.SENT)]
    bench.put()
    assert bench.turn() == ["failed"]
    assert bench.rows() == [("sending", None, 1)]
    bench.clock.now += 2 * MINUTE - 1
    assert bench.turn() == []
    bench.clock.now += 1
    assert bench.turn() == ["unknown"]
    assert bench.rows() == [("dead", "unknown", 1)]
    assert len(bench.provider.sent) == 1


def test_what_follows_a_crash_goes_out(bench):
    bench.provider.results = [RuntimeError(), SendResult(SendOutcome.SENT)]
    bench.put(klass="help")
    assert bench.turn() == ["failed"]
    bench.clock.now += MINUTE
    bench.put(klass="opt_out", at=bench.clock.now)
    assert bench.turn() == []
    bench.clock.now += MINUTE
    assert bench.turn() == ["unknown"]
    assert bench.turn() == ["sent"]


def test_an_erased_person_gets_no_reply(bench):
    bench.put()
    with writing(bench.engine) as connection:
        connection.execute(update(states).values(address=None))
    assert bench.turn() == ["erased"]
    assert bench.rows() == [("dropped", "erased", 1)]
    assert bench.provider.sent == []


def test_a_reply_of_an_account_that_is_gone_is_dropped(bench):
    bench.put(account="gone")
    assert bench.turn() == ["no_account"]
    assert bench.rows() == [("dropped", "no_account", 1)]


def events_of(bench) -> list[tuple[str, ...]]:
    query = events.select().order_by(events.c.seq)
    with bench.engine.connect() as connection:
        return [
            (row.klass, row.choice, row.scope, row.source, row.rule, row.message_id)
            for row in connection.execute(query)
        ]


def test_a_refusal_since_the_person_opted_out_there_is_an_opt_out_here(bench):
    bench.provider.results = [OPTED_OUT]
    bench.put()
    assert bench.turn() == ["opted_out"]
    assert events_of(bench)[1:] == [
        ("opt_out", "n", "@+15550199000", "provider", "provider_refusal_21610@1", "status:reply:1")
    ]


def test_an_opt_out_that_stands_already_is_not_recorded_again(bench):
    bench.ledger.record([entry(1)])
    bench.provider.results = [OPTED_OUT]
    bench.put(klass="opt_out")
    assert bench.turn() == ["opted_out"]
    assert len(events_of(bench)) == 2


def test_the_opt_out_is_durable_before_the_item_is_settled(bench, monkeypatch: pytest.MonkeyPatch):
    bench.provider.results = [OPTED_OUT]
    bench.put()
    replies = bench.replies()

    def crash(*_args: object, **_values: object) -> None:
        raise OurTroubleError("the power went")

    monkeypatch.setattr(replies.queue, "settle", crash)
    assert bench.turn(replies) == ["failed"]
    assert events_of(bench)[1][1] == Choice.NO


def test_an_opt_out_that_could_not_be_recorded_is_asked_for_again(bench, monkeypatch: pytest.MonkeyPatch):
    """The provider took nothing, so the same call is safe and tells the same."""
    bench.provider.results = [OPTED_OUT]
    bench.put()
    replies = bench.replies()

    class Broken:
        def outcome(self) -> None:
            raise OurTroubleError("the database did not take the write")

    with monkeypatch.context() as patch:
        patch.setattr(replies._statuses, "stage", lambda *_: Broken())
        assert bench.turn(replies) == ["later"]
    assert bench.rows() == [("due", "21610", 1)]
    bench.clock.now += 2 * SECOND
    assert bench.turn() == ["opted_out"]
    assert len(events_of(bench)) == 2


def test_every_outcome_of_a_send_is_handled():
    assert set(module._FINAL) | {SendOutcome.BUSY} == set(SendOutcome)


def test_a_welcome_is_dropped_once_the_person_has_opted_out(bench):
    bench.put(klass="opt_in")
    bench.put(klass="opt_out")
    assert bench.turn() == ["overtaken"]
    assert bench.turn() == ["sent"]
    assert [message.text for message in bench.provider.sent] == ["text of opt_out"]
