"""Webhooks on their way to an application: again by the schedule, never beyond it, never elsewhere."""

from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text
from support.entries import NOW, entry
from support.outgoing import SECRET, forward

from gateway.flows.forward_request import Targets
from gateway.net.addresses import Inside
from gateway.net.outgoing import Call, NotAllowedError, NothingSentError, OutcomeUnknownError, Returned
from gateway.providers.account import AccountSettings
from gateway.store.forwards import Forward, Forwards
from gateway.store.queues import Queues
from gateway.worker.endings import HOUR, MINUTE, SECOND
from gateway.worker.forwards import ForwardDelivery

# Standard Webhooks 1.0: the attempts, counted from the first.
SCHEDULE = (
    0,
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)


class Application:
    """Answers calls with what it was given, the last again and again; an exception is raised."""

    def __init__(self) -> None:
        self.answers: list[Any] = [Returned(204, {}, b"")]
        self.calls: list[Call] = []

    def call(self, call: Call) -> Returned:
        self.calls.append(call)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Scene:
    def __init__(self, bench) -> None:
        self.bench = bench
        bench.chance = 0.0
        self.application = Application()
        self.settings: dict[str, Any] = {"forward_to": "https://app.example.com/sms"}

    def put(self, **fields: Any) -> Forward:
        given = forward(**fields)
        self.bench.ledger.record([], [given.row()])
        return given

    def turn(self) -> list[str]:
        accounts = {"acme-twilio": AccountSettings(provider="twilio", forward_secret=SECRET, **self.settings)}
        targets = Targets(accounts, Inside())
        engine = self.bench.engine
        return self.bench.turn(
            ForwardDelivery(Forwards(engine), targets, self.application, self.bench.timing)
        )

    def rows(self) -> list[tuple[Any, ...]]:
        query = text("SELECT state, result, attempts FROM forwards ORDER BY received_at, id")
        with self.bench.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    @property
    def clock(self):
        return self.bench.clock


@pytest.fixture
def scene(bench) -> Scene:
    return Scene(bench)


def test_a_webhook_is_brought_to_the_application_once(scene: Scene):
    given = scene.put()
    assert scene.turn() == ["sent"]
    assert scene.turn() == []
    (call,) = scene.application.calls
    assert (call.url, call.body) == ("https://app.example.com/sms", given.body)
    assert scene.rows() == [("done", "204", 1)]


def test_ten_attempts_are_made_at_the_times_of_the_schedule_and_then_it_is_dead(scene: Scene):
    scene.application.answers = [Returned(500, {}, b"")]
    scene.put()
    at = 0
    for number, pause in enumerate(SCHEDULE, start=1):
        at += pause
        scene.clock.now = NOW + at - 1
        assert number == 1 or scene.turn() == []
        scene.clock.now = NOW + at
        assert scene.turn() == ["later" if number < len(SCHEDULE) else "given_up"]
    assert scene.rows() == [("dead", "500", 10)]
    scene.clock.now += 100 * HOUR
    assert scene.turn() == []


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Returned(301, {"location": "https://elsewhere.example/"}, b""), "301"),
        (Returned(404, {}, b""), "404"),
        (Returned(429, {}, b""), "429"),
        (NothingSentError("no connection"), "nothing_sent"),
        (NotAllowedError("private"), "not_allowed"),
        (OutcomeUnknownError("slow"), "unknown"),
    ],
)
def test_every_failure_comes_again(scene: Scene, answer: Any, result: str):
    scene.application.answers = [answer, Returned(200, {}, b"")]
    scene.put()
    assert scene.turn() == ["later"]
    assert scene.rows() == [("due", result, 1)]
    scene.clock.now += 5 * SECOND
    assert scene.turn() == ["sent"]


def test_an_application_that_is_gone_is_not_asked_again(scene: Scene):
    scene.application.answers = [Returned(410, {}, b"")]
    scene.put()
    assert scene.turn() == ["refused"]
    assert scene.rows() == [("dead", "410", 1)]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("1", 5),
        (formatdate(NOW / SECOND + 600, usegmt=True), 600),
        ("999999999999", 24 * 3600),
        ("soon", 5),
        ("", 5),
        ("-5", 5),
        (formatdate(NOW / SECOND - 600, usegmt=True), 5),
    ],
)
def test_an_application_says_for_how_long_it_wants_to_be_left_alone(scene: Scene, value: str, seconds: int):
    scene.application.answers = [Returned(503, {"retry-after": value}, b""), Returned(200, {}, b"")]
    scene.put()
    assert scene.turn() == ["later"]
    scene.clock.now = NOW + seconds * SECOND - 1
    assert scene.turn() == []
    scene.clock.now += 1
    assert scene.turn() == ["sent"]


def test_chance_makes_a_pause_longer_by_a_tenth_at_most(scene: Scene):
    scene.bench.chance = 1.0
    timing = scene.bench.timing
    assert [timing.long_pause(number) for number in (1, 9, 10)] == [5_500_000, 24 * HOUR * 11 // 10, None]


def test_what_a_dead_worker_left_comes_again(scene: Scene):
    scene.put()
    forwards = Forwards(scene.bench.engine)
    (item,) = forwards.find({"acme-twilio": 1}, now=NOW, stale=0)
    forwards.claim(item, NOW)
    scene.clock.now += 2 * MINUTE
    assert scene.turn() == ["later"]
    scene.clock.now += 5 * SECOND
    assert scene.turn() == ["sent"]
    assert scene.rows() == [("done", "204", 2)]


def test_without_an_application_it_is_dropped_with_its_content(scene: Scene):
    scene.put()
    scene.settings = {}
    assert scene.turn() == ["no_account"]
    with scene.bench.engine.connect() as connection:
        row = connection.execute(text("SELECT state, body, url, headers FROM forwards")).one()
    assert tuple(row) == ("dropped", b"", "", "[]")


def test_a_changed_address_counts_for_what_waits(scene: Scene):
    scene.put()
    scene.settings = {"forward_to": "https://new.example.com/"}
    scene.turn()
    assert scene.application.calls[0].url == "https://new.example.com/"


@pytest.mark.parametrize(("mode", "klass", "ending"), [("other", "opt_in_confirm", "unneeded"), ("other", "other", "sent"), ("all", "opt_in_confirm", "sent")])  # fmt: skip
def test_a_word_that_only_its_context_made_a_keyword_is_held_back(
    scene: Scene, mode: str, klass: str, ending: str
):
    said = entry(
        1, None if klass == "other" else "y", klass=klass, scope="" if klass == "other" else "offers"
    )
    scene.bench.ledger.record([said])
    scene.settings["forward"] = mode
    scene.put(events=f'[["{said.subject.hex()}", "{said.message_id}"]]')
    assert scene.turn() == [ending]


def test_a_webhook_whose_events_are_not_all_known_goes_on(scene: Scene):
    scene.settings["forward"] = "other"
    scene.put(events=f'[["{"00" * 16}", "unknown"]]')
    assert scene.turn() == ["sent"]


def test_a_dead_one_is_sent_again_by_hand(scene: Scene):
    scene.application.answers = [Returned(410, {}, b""), Returned(200, {}, b"")]
    scene.put()
    scene.turn()
    queues = Queues(scene.bench.engine)
    (dead,) = queues.items(kinds=list(queues.all), states=["dead"], account=None, limit=10)
    queues.retry(dead.id, actor="test", now=NOW)
    assert scene.turn() == ["sent"]
    with scene.bench.engine.connect() as connection:
        (row,) = connection.execute(text("SELECT actor, action FROM audit")).all()
    assert tuple(row) == ("test", "outbox.retry")


def test_a_forward_that_fails_holds_up_no_reply_and_a_reply_no_forward(scene: Scene):
    bench = scene.bench
    bench.put(1)
    scene.put(subject=entry(1).subject)
    scene.application.answers = [Returned(500, {}, b"")]
    targets = Targets(
        {"acme-twilio": AccountSettings(provider="t", forward_secret=SECRET, **scene.settings)}, Inside()
    )
    forwards = ForwardDelivery(Forwards(bench.engine), targets, scene.application, bench.timing)
    assert sorted(bench.turn(forwards, bench.replies())) == ["later", "sent"]


def test_the_content_is_not_read_before_it_is_ours(scene: Scene):
    """Two workers find the same; the second calls nobody."""
    scene.put()
    forwards = Forwards(scene.bench.engine)
    found = forwards.find({"acme-twilio": 1}, now=NOW, stale=0)
    assert forwards.claim(found[0], NOW) is not None
    net = SimpleNamespace(call=lambda _: pytest.fail("called twice"))
    delivery = ForwardDelivery(forwards, Targets({}, Inside()), net, scene.bench.timing)
    assert list(delivery.deliver(found)) == []
