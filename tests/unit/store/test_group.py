"""A group: who shares a commit, and who is hurt when it fails."""

import pytest
from support.entries import entry

from gateway.consent.entry import Outcome, Result
from gateway.errors import OurTroubleError
from gateway.store.group import Group, PoisonError


class Counting:
    """An observer that adds up."""

    def __init__(self) -> None:
        self.committed_entries = self.failed_entries = 0

    def committed(self, outcomes, seconds):
        assert seconds >= 0
        self.committed_entries += len(outcomes)

    def failed(self, entries):
        self.failed_entries += entries


class Book:
    """Stands for the ledger: refuses what it is told to."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.poison: set[str] = set()
        self.is_down = False

    def record(self, entries):
        self.calls.append(len(entries))
        if self.is_down:
            raise OurTroubleError("down")
        if self.poison & {each.message_id for each in entries}:
            raise PoisonError("refused")
        return [Outcome(Result.RECORDED) for _ in entries]


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def observer() -> Counting:
    return Counting()


@pytest.fixture
def group(book: Book, observer: Counting) -> Group:
    return Group(book.record, 4, observer)


def test_the_first_who_asks_commits_for_all(group: Group, book: Book, observer: Counting):
    tickets = [group.stage(entry(number)) for number in range(3)]
    assert [ticket.outcome().result for ticket in reversed(tickets)] == [Result.RECORDED] * 3
    assert book.calls == [3]
    assert observer.committed_entries == 3


def test_a_full_group_is_committed_before_the_next_entry(group: Group, book: Book):
    tickets = [group.stage(entry(number)) for number in range(9)]
    assert book.calls == [4, 4]
    tickets[-1].outcome()
    assert book.calls == [4, 4, 1]


def test_a_poisoned_entry_hurts_only_itself(group: Group, book: Book, observer: Counting):
    tickets = [group.stage(entry(number)) for number in range(3)]
    book.poison = {tickets[1].entry.message_id}
    assert tickets[0].outcome().result is Result.RECORDED
    assert tickets[2].outcome().result is Result.RECORDED
    with pytest.raises(OurTroubleError):
        tickets[1].outcome()
    assert (observer.committed_entries, observer.failed_entries) == (2, 1)


def test_a_database_that_is_down_fails_all(group: Group, book: Book, observer: Counting):
    book.is_down = True
    tickets = [group.stage(entry(number)) for number in range(2)]
    for ticket in tickets:
        with pytest.raises(OurTroubleError, match="down"):
            ticket.outcome()
    assert (book.calls, observer.failed_entries) == ([2], 2)
    book.is_down = False
    assert group.stage(entry()).outcome().result is Result.RECORDED


def test_a_database_that_hangs_is_left_alone_for_a_moment(book: Book, monkeypatch: pytest.MonkeyPatch):
    """Requests that have waited behind its time-out get their 503 at once."""
    now = [0.0]
    monkeypatch.setattr("gateway.store.group.perf_counter", lambda: now[0])
    record = book.record

    def hang(entries):
        now[0] += 5
        return record(entries)

    book.is_down = True
    slow = Group(hang, 4, Counting())
    for _ in range(3):
        with pytest.raises(OurTroubleError, match="down"):
            slow.stage(entry()).outcome()
    assert book.calls == [1]
    book.is_down = False
    now[0] += 1
    assert slow.stage(entry()).outcome().result is Result.RECORDED


def test_an_outcome_can_be_asked_twice(group: Group, book: Book):
    ticket = group.stage(entry())
    assert ticket.outcome() is ticket.outcome()
    assert book.calls == [1]
