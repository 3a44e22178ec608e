"""The ledger and a provider's list on both engines: what is told, what is taken over, what is only compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, select
from structlog.testing import capture_logs
from support.entries import KEY, NOW, entry
from support.lists import FakeList

from gateway.consent.address import Address, Channel
from gateway.consent.choice import Choice
from gateway.consent.entry import Outcome
from gateway.flows.listing import Listing
from gateway.flows.provider_sync import NoListError, ProviderSync, Rooms
from gateway.keywords.interpreter import Interpreter
from gateway.programs import ProgramBook
from gateway.providers.account import AccountSettings
from gateway.providers.opt_outs import ListEntry, ListUnavailableError, PushOutcome, PushResult
from gateway.settings import ProgramSettings
from gateway.store.ledger import LedgerRules
from gateway.store.reader import Reader
from gateway.store.recorder import Recorder
from gateway.store.syncs import Syncs
from gateway.store.tables import events, syncs
from gateway.worker.endings import HOUR, MINUTE, SECOND, Ending, Timing
from gateway.worker.pulls import ListPulls
from gateway.worker.syncs import SyncDelivery

SENDER = "+15550199000"
ACCOUNT = "acme"
BOOK = ProgramBook(
    {
        "offers": ProgramSettings(
            name="Acme",
            purpose="marketing",
            default_choice="n",
            senders=(SENDER,),
            contact="help@example.com",
        )
    },
    Interpreter.shipped(),
)


class Uncounted:
    def committed(self, outcomes: Sequence[Outcome], seconds: float) -> None: ...

    def failed(self, entries: int) -> None: ...


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Scene:
    engine: Engine
    theirs: FakeList = field(default_factory=FakeList)
    settings: dict[str, Any] = field(default_factory=lambda: {"sync": "both"})
    clock: Clock = field(default_factory=Clock)
    opened: list[Any] = field(default_factory=list)

    def flow(self) -> ProviderSync:
        accounts = {ACCOUNT: AccountSettings(provider="bird", **self.settings)}
        listed = Listing(accounts, BOOK).told([ACCOUNT])
        rules = LedgerRules(KEY, clock=self.clock, listed=listed)
        recorder = Recorder(self.engine, rules, group_limit=8, observer=Uncounted())
        reader = Reader(self.engine)
        self.opened += [recorder, reader]
        provider = SimpleNamespace(opt_outs=self.theirs)
        return ProviderSync(
            Rooms(accounts, {ACCOUNT: provider}, BOOK, reader, recorder, Syncs(self.engine), KEY)  # type: ignore[dict-item]  # its list is all that is asked of it
        )

    def say(self, person: int, choice: Choice = Choice.NO, at: int = NOW, **fields: Any) -> None:
        klass = "opt_out" if choice is Choice.NO else "opt_in"
        values = {"scope": f"@{SENDER}", "klass": klass, "at": at, "account": ACCOUNT, **fields}
        self.flow()._rooms.recorder.stage(entry(person, choice, **values)).outcome()

    def tell(self) -> list[Ending]:
        timing = Timing(self.clock, lambda: 0.0)
        delivery = SyncDelivery(Syncs(self.engine), self.flow(), timing)
        found = delivery.queue.find({ACCOUNT: 50}, now=self.clock.now, stale=self.clock.now - 2 * MINUTE)
        return list(delivery.deliver(found)) if found else []

    def events(self) -> list[tuple[Any, ...]]:
        query = select(events.c.source, events.c.rule, events.c.scope, events.c.said_at).order_by(
            events.c.recorded_at, events.c.subject, events.c.seq
        )
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def rows(self) -> list[tuple[Any, ...]]:
        query = select(syncs.c.state, syncs.c.result, syncs.c.attempts).order_by(syncs.c.subject)
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def scene(engine: Engine) -> Iterator[Scene]:
    found = Scene(engine)
    yield found
    for each in found.opened:
        each.close()


def number(person: int) -> str:
    return entry(person).address.value


def listed(person: int, sender: str = SENDER, *, out: bool = True, at: int | None = None) -> ListEntry:
    return ListEntry(entry(person).address, sender, out, at)


# -- told ------------------------------------------------------------------------------------------------


def test_an_opt_out_is_told_to_the_provider(scene: Scene):
    scene.say(1, account="link", source="one_click", scope="*")
    assert scene.tell() == [Ending.SENT]
    assert scene.theirs.told == [(number(1), SENDER, True)]
    assert scene.theirs.pushed[0][0].at == NOW
    assert scene.rows() == [("done", "out", 1)]
    assert scene.tell() == []


def test_many_are_told_in_one_push(scene: Scene):
    for person in range(5):
        scene.say(person)
    assert scene.tell() == [Ending.SENT] * 5
    assert [len(batch) for batch in scene.theirs.pushed] == [5]


def test_told_is_where_the_person_stands_now(scene: Scene):
    scene.say(1)
    scene.say(1, Choice.YES, at=NOW + 1, scope=f"@{SENDER} offers")
    assert scene.tell() == [Ending.UNNEEDED]
    assert scene.theirs.told == []


def test_an_opt_in_is_told_where_it_is_wanted_and_recorded_after_the_opt_out(scene: Scene):
    scene.settings["sync_opt_ins"] = True
    scene.clock.now += SECOND
    scene.say(1)
    scene.tell()
    scene.say(1, Choice.YES, at=NOW + 1, scope=f"@{SENDER} offers")
    assert scene.tell() == [Ending.SENT]
    assert scene.theirs.told == [(number(1), SENDER, True), (number(1), SENDER, False)]
    scene.say(1, Choice.YES, at=NOW - 1)  # an older one that comes late
    scene.say(2, at=NOW + 5)
    scene.say(2, Choice.YES, at=NOW + 4)
    scene.tell()
    assert (number(2), SENDER, False) not in scene.theirs.told


def test_no_opt_in_is_told_without_the_setting(scene: Scene):
    scene.say(1)
    scene.tell()
    scene.say(1, Choice.YES, at=NOW + 1, scope=f"@{SENDER} offers")
    assert scene.tell() == []


def test_what_the_list_itself_told_is_not_told_back(scene: Scene):
    scene.theirs.pages = [[listed(1)]]
    assert list(scene.flow().take_over(ACCOUNT, NOW)) == [1]
    assert scene.tell() == []


def test_what_the_provider_refuses_is_dead_and_what_it_cannot_take_comes_again(scene: Scene):
    scene.theirs.results = [PushResult(PushOutcome.REFUSED, "40001"), PushResult(PushOutcome.LATER, "429")]
    for person in range(3):
        scene.say(person)
    assert sorted(scene.tell()) == sorted([Ending.REFUSED, Ending.LATER, Ending.SENT])
    assert sorted(scene.rows()) == [("dead", "40001", 1), ("done", "out", 1), ("due", "429", 1)]
    scene.clock.now += 5 * SECOND
    assert scene.tell() == [Ending.SENT]


def test_a_list_that_never_takes_it_is_given_up(scene: Scene):
    scene.theirs.results = [PushResult(PushOutcome.LATER)] * 20
    scene.say(1)
    endings = []
    for _ in range(12):
        endings += scene.tell()
        scene.clock.now += 30 * HOUR
    assert endings == [Ending.LATER] * 9 + [Ending.GIVEN_UP]
    assert scene.rows() == [("dead", "later", 10)]


def test_an_account_that_is_not_synced_any_more_tells_nothing(scene: Scene):
    scene.say(1)
    scene.settings["sync"] = "pull"
    assert scene.tell() == [Ending.NO_ACCOUNT]
    assert scene.theirs.told == []


def test_what_a_dead_worker_left_is_told_again(scene: Scene):
    scene.say(1)
    queue = Syncs(scene.engine)
    queue.claim_all(queue.find({ACCOUNT: 5}, now=NOW, stale=0), NOW)
    scene.clock.now += 2 * MINUTE
    assert scene.tell() == [Ending.LATER]
    scene.clock.now += 5 * SECOND
    assert scene.tell() == [Ending.SENT]


# -- taken over ------------------------------------------------------------------------------------------


def test_opt_outs_of_the_list_are_recorded_and_consents_are_not(scene: Scene):
    scene.theirs.pages = [[listed(1, at=NOW - HOUR), listed(2, out=False)], [listed(3)]]
    assert list(scene.flow().take_over(ACCOUNT, NOW)) == [1, 1]
    assert sorted(scene.events()) == [
        ("provider", "provider_list@1", f"@{SENDER}", NOW - HOUR),
        ("provider", "provider_list@1", f"@{SENDER}", NOW),
    ]


def test_a_second_pull_records_nothing_new(scene: Scene):
    scene.theirs.pages = [[listed(1, at=NOW - HOUR), listed(3)]]
    list(scene.flow().take_over(ACCOUNT, NOW))
    for day in range(1, 4):
        later = NOW + day * 24 * HOUR
        scene.clock.now = later
        assert list(scene.flow().take_over(ACCOUNT, later)) == [0]


def test_a_consent_that_is_newer_than_the_list_stands(scene: Scene):
    scene.say(1, Choice.YES, at=NOW, scope=f"@{SENDER} offers")
    scene.theirs.pages = [[listed(1, at=NOW - HOUR)]]
    list(scene.flow().take_over(ACCOUNT, NOW))
    drift = scene.flow().drift(ACCOUNT)
    assert [each.subject for each in drift.only_there] == [entry(1).subject]


def test_of_an_unknown_time_the_opt_out_wins(scene: Scene):
    scene.say(1, Choice.YES, at=NOW - HOUR, scope=f"@{SENDER} offers")
    scene.theirs.pages = [[listed(1)]]
    assert list(scene.flow().take_over(ACCOUNT, NOW)) == [1]
    assert scene.flow().drift(ACCOUNT).only_there == []


def test_a_time_in_the_future_is_now(scene: Scene):
    scene.theirs.pages = [[listed(1, at=NOW + HOUR)]]
    list(scene.flow().take_over(ACCOUNT, NOW))
    assert scene.events()[0][3] == NOW


def test_a_list_of_the_whole_account_covers_its_senders(scene: Scene):
    scene.theirs.pages = [[listed(1, sender="")]]
    assert list(scene.flow().take_over(ACCOUNT, NOW)) == [1]
    assert scene.events()[0][2] == f"@{SENDER}"


def test_other_channels_are_left_alone(scene: Scene):
    scene.theirs.pages = [[ListEntry(Address(Channel.WHATSAPP, number(1)), SENDER, opted_out=True)]]
    assert list(scene.flow().take_over(ACCOUNT, NOW)) == [0]


def test_a_list_that_goes_round_in_a_circle_is_left(scene: Scene):
    scene.theirs.pages, scene.theirs.circle = [[listed(1)]], True
    with pytest.raises(ListUnavailableError):
        list(scene.flow().take_over(ACCOUNT, NOW))


# -- compared --------------------------------------------------------------------------------------------


def test_the_drift_names_who_is_where(scene: Scene):
    for person in (1, 2):
        scene.say(person)
    scene.say(3, Choice.YES)
    scene.theirs.pages = [[listed(2), listed(3)], [listed(4)]]
    drift = scene.flow().drift(ACCOUNT)
    assert drift.both == 1
    assert [each.subject for each in drift.only_here] == [entry(1).subject]
    assert sorted(each.subject for each in drift.only_there) == sorted(
        entry(person).subject for person in (3, 4)
    )
    assert number(1) not in repr(drift)


def test_what_only_the_ledger_has_can_be_asked_for(scene: Scene):
    scene.say(1)
    scene.tell()
    flow = scene.flow()
    assert flow.ask(ACCOUNT, flow.drift(ACCOUNT).only_here, NOW) == 1
    scene.theirs.pushed.clear()
    assert scene.tell() == [Ending.SENT]
    assert scene.theirs.told == [(number(1), SENDER, True)]


def test_an_account_without_a_readable_list_says_so(scene: Scene):
    scene.theirs.can_pull = False
    with pytest.raises(NoListError, match="can be written and not read"):
        scene.flow().drift(ACCOUNT)
    with pytest.raises(NoListError, match="no account"):
        scene.flow().drift("other")


# -- by the worker ---------------------------------------------------------------------------------------


def pulls(scene: Scene, *, stopped: bool = False) -> ListPulls:
    return ListPulls(scene.engine, scene.flow(), {ACCOUNT: 6}, lambda: stopped, scene.clock)


def pull(chore: ListPulls) -> None:
    chore.turn()
    chore.close()


def test_one_of_several_workers_pulls_every_so_many_hours(scene: Scene):
    scene.theirs.pages = [[listed(1)]]
    with capture_logs() as logs:
        for _ in range(3):
            pull(pulls(scene))
    assert [log["opt_outs"] for log in logs] == [1]
    scene.clock.now += 6 * HOUR
    with capture_logs() as logs:
        for _ in range(2):
            pull(pulls(scene))
    assert [log["opt_outs"] for log in logs] == [0]


def test_a_pull_that_failed_comes_again_in_ten_minutes(scene: Scene):
    scene.theirs.is_down = True
    with capture_logs() as logs:
        pull(pulls(scene))
        scene.clock.now += 10 * MINUTE - 1
        pull(pulls(scene))
        assert [log["problem"] for log in logs] == ["the list could not be read: 503"]
        scene.theirs.is_down = False
        scene.theirs.pages = [[listed(1)]]
        scene.clock.now += 1
        pull(pulls(scene))
    assert len(scene.events()) == 1


def test_a_stop_ends_a_pull_after_the_page_in_hand_and_another_worker_goes_on(scene: Scene):
    scene.theirs.pages = [[listed(1)], [listed(2)]]
    pull(pulls(scene, stopped=True))
    assert len(scene.events()) == 1
    pull(pulls(scene))
    assert len(scene.events()) == 2


def test_an_account_that_does_not_pull_is_not_pulled(scene: Scene):
    scene.settings["sync"] = "push"
    scene.theirs.pages = [[listed(1)]]
    pull(pulls(scene))
    assert scene.events() == []
