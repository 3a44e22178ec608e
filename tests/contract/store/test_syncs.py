"""Words that providers must be told of: one row for each person and sender, and the newest word counts."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from support.entries import KEY, NOW, entry

from gateway.consent.choice import Choice
from gateway.consent.listed import ListedSender
from gateway.store.ledger import Ledger, LedgerRules, open_ledger
from gateway.store.queue import ItemState
from gateway.store.syncs import SyncItem, Syncs

SENDER = "+15550199000"
ACCOUNT = "acme-twilio"
STALE = NOW - 120_000_000
LISTED = (
    ListedSender(ACCOUNT, SENDER, frozenset({"*", f"@{SENDER}", "offers"})),
    ListedSender("other", "54321", frozenset({"*", "@54321"}), opt_ins=True),
)


@pytest.fixture
def ledger(engine: Engine) -> Iterator[Ledger]:
    ledger = open_ledger(engine, LedgerRules(KEY, clock=lambda: NOW, listed=LISTED))
    yield ledger
    ledger.close()


@pytest.fixture
def syncs(engine: Engine) -> Syncs:
    return Syncs(engine)


def find(syncs: Syncs) -> list[SyncItem]:
    return syncs.find({ACCOUNT: 10, "other": 10}, now=NOW, stale=STALE)


def test_an_opt_out_is_to_be_told_wherever_it_covers_a_sender(ledger: Ledger, syncs: Syncs):
    ledger.record([entry(1, scope="*", account="link"), entry(2, scope="@54321"), entry(3, scope="news")])
    found = {(item.subject, item.account, item.sender) for item in find(syncs)}
    assert found == {
        (entry(1).subject, ACCOUNT, SENDER),
        (entry(1).subject, "other", "54321"),
        (entry(2).subject, "other", "54321"),
    }


def test_what_the_provider_itself_told_is_no_news_to_it(ledger: Ledger, syncs: Syncs):
    ledger.record([entry(1, scope="*", source="provider", account=ACCOUNT)])
    assert [item.account for item in find(syncs)] == ["other"]


def test_opt_ins_are_told_only_where_it_is_wanted(ledger: Ledger, syncs: Syncs):
    ledger.record([entry(1, Choice.YES, klass="opt_in", scope="*")])
    assert [item.account for item in find(syncs)] == ["other"]


def test_nothing_else_is_told(ledger: Ledger, syncs: Syncs):
    ledger.record([entry(1, None, klass="help"), entry(2, Choice.PENDING, scope="*")])
    assert find(syncs) == []


def test_a_newer_word_takes_the_place_of_the_one_that_waits(ledger: Ledger, syncs: Syncs, engine: Engine):
    ledger.record([entry(1), entry(1)])
    ledger.record([entry(1)])
    (item,) = find(syncs)
    assert item.seq == 3
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM syncs")).scalar_one() == 1


def test_a_word_that_comes_while_the_provider_is_told_is_told_after_it(ledger: Ledger, syncs: Syncs):
    ledger.record([entry(1)])
    claimed = syncs.claim(find(syncs)[0], NOW)
    assert claimed is not None
    assert claimed.address == entry(1).address
    ledger.record([entry(1)])
    assert find(syncs) == []  # never two at once about the same person
    assert syncs.settle(claimed, ItemState.DONE, now=NOW)
    (again,) = find(syncs)
    assert (again.seq, again.attempts, again.state) == (2, 0, ItemState.DUE)


def test_a_word_that_was_told_is_told_anew_when_another_comes(ledger: Ledger, syncs: Syncs):
    ledger.record([entry(1)])
    claimed = syncs.claim(find(syncs)[0], NOW)
    assert claimed is not None
    assert syncs.settle(claimed, ItemState.DONE, now=NOW)
    assert find(syncs) == []
    ledger.record([entry(1)])
    assert [item.seq for item in find(syncs)] == [2]


def test_several_are_claimed_in_one_transaction_and_by_one_worker(ledger: Ledger, syncs: Syncs):
    ledger.record([entry(number) for number in range(5)])
    found = find(syncs)
    assert syncs.claim(found[2], NOW) is not None
    assert len(syncs.claim_all(found, NOW)) == 4
    assert syncs.claim_all(found, NOW) == []


def test_who_is_out_is_listed_in_chunks_without_those_of_other_channels(
    ledger: Ledger, syncs: Syncs, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gateway.store.syncs._CHUNK", 2)
    ledger.record([entry(number) for number in range(5)])
    ledger.record([entry(5, scope="news"), entry(6, Choice.YES)])
    found = [subject for chunk in syncs.opted_out([f"@{SENDER}", "*"]) for subject, _ in chunk]
    assert sorted(found) == sorted(entry(number).subject for number in range(5))


def test_persons_can_be_asked_for(syncs: Syncs):
    rows = [(bytes([number]) * 16, ACCOUNT, SENDER, 7) for number in range(3)]
    assert syncs.ask(rows, NOW) == 3
    assert syncs.ask(rows[:1], NOW) == 1
    assert len(find(syncs)) == 3
