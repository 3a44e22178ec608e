"""Reads that are asked for together share one statement, and each gets its own."""

import threading
from collections.abc import Sequence

import pytest

from gateway.consent.state import NO_STATES
from gateway.errors import OurTroubleError
from gateway.store.reader import NO_SUPPRESSIONS, PersonRows
from gateway.store.rounds import Rounds


class Store:
    """Knows every subject but b"nobody", and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[bytes]] = []
        self.trouble: OurTroubleError | None = None

    def read(self, subjects: Sequence[bytes]) -> dict[bytes, PersonRows]:
        self.asked.append(list(subjects))
        if self.trouble is not None:
            raise self.trouble
        return {subject: _rows(subject) for subject in subjects if subject != b"nobody"}


def _rows(subject: bytes) -> PersonRows:
    return PersonRows(NO_STATES, {}, NO_SUPPRESSIONS, 1, "sms", subject.decode())


@pytest.fixture
def store() -> Store:
    return Store()


def test_nothing_is_read_before_somebody_wants_to_know(store: Store):
    Rounds(store.read).join(b"a")
    assert store.asked == []


def test_the_first_who_wants_to_know_reads_for_all(store: Store):
    rounds = Rounds(store.read)
    joined = [(subject, rounds.join(subject)) for subject in (b"a", b"nobody", b"b", b"a")]
    found = [shared.rows(subject) for subject, shared in joined]
    assert found == [_rows(b"a"), None, _rows(b"b"), _rows(b"a")]
    assert store.asked == [[b"a", b"nobody", b"b", b"a"]]


def test_who_asks_after_a_read_gets_a_read_of_its_own(store: Store):
    rounds = Rounds(store.read)
    first = rounds.join(b"a")
    first.rows(b"a")
    assert rounds.join(b"a").rows(b"a") == _rows(b"a")
    assert store.asked == [[b"a"], [b"a"]]


def test_trouble_is_everybodys_in_the_round_and_nobodys_after_it(store: Store):
    rounds = Rounds(store.read)
    joined = [rounds.join(subject) for subject in (b"a", b"b")]
    store.trouble = OurTroubleError("the database could not be read")
    for subject, shared in zip((b"a", b"b"), joined, strict=True):
        with pytest.raises(OurTroubleError, match="could not be read"):
            shared.rows(subject)
    assert len(store.asked) == 1
    store.trouble = None
    assert rounds.join(b"b").rows(b"b") == _rows(b"b")


def test_a_round_is_bounded(store: Store):
    rounds = Rounds(store.read)
    joined = [rounds.join(b"%d" % number) for number in range(600)]
    for number, shared in enumerate(joined):
        assert shared.rows(b"%d" % number) == _rows(b"%d" % number)
    assert [len(subjects) for subjects in store.asked] == [256, 256, 88]


def test_threads_do_not_share_a_round(store: Store):
    rounds = Rounds(store.read)
    ours, theirs = rounds.join(b"a"), []
    thread = threading.Thread(target=lambda: theirs.append(rounds.join(b"b")))
    thread.start()
    thread.join()
    assert ours.rows(b"a") == _rows(b"a")
    assert theirs[0].rows(b"b") == _rows(b"b")
    assert store.asked == [[b"a"], [b"b"]]
