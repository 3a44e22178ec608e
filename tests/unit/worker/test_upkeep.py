"""The worker's chores beside the outbox: each looks when it is time, and deletes what is old."""

from dataclasses import dataclass

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs
from support.entries import KEY, NOW, entry

from gateway.configuration.limits import LimitSettings, RetentionSettings
from gateway.consent.entry import Outcome, Result
from gateway.errors import OurTroubleError
from gateway.store.dead_letters import DeadLetter, DeadLetters, LetterKind
from gateway.store.engine import writing
from gateway.store.group import PoisonError
from gateway.store.message_parts import MessageParts, PartState, StoredPart
from gateway.store.nonces import Nonces
from gateway.worker.upkeep import LateParts, Retention

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def letter(number: int, at: int) -> DeadLetter:
    return DeadLetter(f"{number}", "acme", LetterKind.INBOUND, "why", at, "POST", "u", {}, b"")


def part(number: int, at: int) -> StoredPart:
    subject = entry(number).subject
    return StoredPart(subject, "acme", "m", 1, 2, "s", "r", at, message="{}")


@pytest.fixture
def stores(sqlite_engine):
    return DeadLetters(sqlite_engine), Nonces(sqlite_engine), MessageParts(sqlite_engine)


def retention(stores, clock, **limits: int) -> Retention:
    settings = RetentionSettings(dead_letters_days=30, nonces_days=90)
    return Retention(*stores, settings, LimitSettings(**limits), clock=clock)


def left(engine) -> tuple[int, ...]:
    with engine.connect() as connection:
        names = ("dead_letters", "nonces", "message_parts")
        return tuple(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names)


def test_what_is_older_than_the_settings_say_goes(sqlite_engine, stores, bench):
    letters, nonces, parts = stores
    for number, days in enumerate((29, 31, 91)):
        letters.keep(letter(number, NOW - days * DAY))
        nonces.claim("acme", f"{number}", KEY, now=NOW - days * DAY)
    for number, days in enumerate((6, 8)):
        parts.put(part(number, NOW - days * DAY))
        parts.move([part(number, 0)], PartState.ALONE)
        parts.finish([part(number, 0)])
    parts.put(part(2, NOW - 99 * DAY))  # not in the ledger: it stays
    with capture_logs() as logs:
        retention(stores, bench.clock).turn()
    assert left(sqlite_engine) == (1, 2, 2)
    (line,) = logs
    assert (line["dead_letters"], line["nonces"], line["message_parts"]) == (2, 1, 1)


def test_no_more_letters_stay_than_the_settings_say(sqlite_engine, stores, bench):
    for number in range(103):
        stores[0].keep(letter(number, NOW - number))
    retention(stores, bench.clock, dead_letters=100).turn()
    assert left(sqlite_engine)[0] == 100


def test_it_deletes_once_an_hour(sqlite_engine, stores, bench):
    chore = retention(stores, bench.clock)
    chore.turn()
    stores[0].keep(letter(1, NOW - 99 * DAY))
    bench.clock.now += HOUR - 1
    chore.turn()
    assert left(sqlite_engine)[0] == 1
    bench.clock.now += 1
    chore.turn()
    assert left(sqlite_engine)[0] == 0


def test_a_database_in_trouble_is_told(sqlite_engine, stores, bench):
    with writing(sqlite_engine) as connection:
        connection.execute(text("DROP TABLE nonces"))
    with pytest.raises(OurTroubleError):
        retention(stores, bench.clock).turn()


class Ticket:
    def __init__(self, trouble: OurTroubleError | None = None) -> None:
        self.trouble = trouble
        self.asked = 0

    def outcome(self) -> Outcome:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return Outcome(Result.RECORDED)


@dataclass
class Overdue:
    number: int
    account: str = "gone"


class Messages:
    """Stands for the flow: two texts are overdue at every look."""

    def __init__(self, *tickets: Ticket) -> None:
        self.tickets = tickets
        self.asked: list[int] = []
        self.accounts: list[str] = []

    def overdue(self, until: int, limit: int):
        assert limit > 0
        self.asked.append(until)
        return [Overdue(number) for number in range(len(self.tickets))]

    def stage(self, readable, account) -> Ticket:
        self.accounts.append((account.name, account.inline_replies, account.replies_by_itself(None, None)))
        return self.tickets[readable.number]


def test_overdue_parts_are_looked_for_once_a_second_and_read_without_an_account_too(bench):
    messages = Messages(Ticket(), Ticket())
    chore = LateParts(messages, {}, wait=120 * SECOND, clock=bench.clock)
    assert chore.turn() == 2
    assert messages.accounts == [("gone", False, True)] * 2
    bench.clock.now += SECOND - 1
    assert chore.turn() == 0
    bench.clock.now += 1
    chore.turn()
    assert messages.asked == [NOW - 120 * SECOND, NOW - 119 * SECOND]


def test_a_text_that_the_database_refuses_does_not_hold_up_the_others(bench):
    tickets = [Ticket(PoisonError("refused")), Ticket()]
    chore = LateParts(Messages(*tickets), {}, wait=SECOND, clock=bench.clock)
    with pytest.raises(PoisonError):
        chore.turn()
    assert [ticket.asked for ticket in tickets] == [1, 1]
