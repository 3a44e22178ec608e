"""`gateway sync`: the drift as an operator sees it, and what is done about it."""

from pathlib import Path

import pytest
from sqlalchemy import select
from support.lists import FakeList
from support.twilio_requests import SENDER, inbound

from gateway.app import create_app
from gateway.configuration.loading import load
from gateway.consent.address import Address, Channel
from gateway.providers.opt_outs import ListEntry
from gateway.providers.twilio import Twilio
from gateway.store.engine import open_engine
from gateway.store.tables import events, syncs


def configure(setting: str) -> None:
    path = Path("config/gateway.toml")
    path.write_text(
        path.read_text().replace('account_sid = "ACtest"', f'account_sid = "ACtest"\nsync = "{setting}"')
    )


def stop(number: str) -> None:
    app = create_app(load(Path("config/gateway.toml"), {}))
    message = inbound("http://127.0.0.1:8080", number=number)
    assert (
        app.test_client().post("/sms/acme", data=message.fields, headers=message.headers).status_code == 200
    )
    app.extensions["gateway"].close()


def listed(number: str) -> ListEntry:
    return ListEntry(Address(Channel.SMS, number), SENDER, opted_out=True)


@pytest.fixture
def theirs(migrated, monkeypatch: pytest.MonkeyPatch) -> FakeList:  # noqa: ARG001 - the database must be there
    found = FakeList(pages=[[listed("+15550100002"), listed("+15550100003")]])
    monkeypatch.setattr(Twilio, "opt_outs", property(lambda _: found))
    return found


def rows(tmp_path: Path, table) -> int:
    engine = open_engine(f"sqlite:///{tmp_path}/gateway.sqlite3")
    with engine.connect() as connection:
        number = len(connection.execute(select(table.c.subject)).all())
    engine.dispose()
    return number


def test_a_dry_run_shows_the_drift_masked_and_changes_nothing(theirs, run, told, tmp_path):
    stop("+15550100001")
    stop("+15550100002")
    assert told("sync", "acme", "--dry-run") == {
        "only_there": 1,
        "only_here": 1,
        "both": 1,
        "samples": {
            "only_there": [{"address": "•••0003", "sender": SENDER}],
            "only_here": [{"address": "•••0001", "sender": SENDER}],
        },
        "recorded": 0,
        "to_be_told": 0,
    }
    shown = run("sync", "acme", "--dry-run").output
    assert "•••0003" in shown
    assert "555010000" not in shown
    assert (rows(tmp_path, events), rows(tmp_path, syncs), theirs.pushed) == (2, 0, [])


@pytest.mark.usefixtures("theirs")
def test_both_puts_both_right(told, tmp_path):
    stop("+15550100001")
    configure("both")
    assert {"recorded": 2, "to_be_told": 1}.items() <= told("sync", "acme").items()
    assert (rows(tmp_path, events), rows(tmp_path, syncs)) == (3, 1)
    assert told("sync", "acme", "--dry-run")["only_there"] == 0


@pytest.mark.usefixtures("theirs")
def test_pull_asks_for_no_push_and_push_records_nothing(told, tmp_path):
    stop("+15550100001")
    configure("push")
    assert {"recorded": 0, "to_be_told": 1}.items() <= told("sync", "acme").items()
    assert rows(tmp_path, events) == 1


@pytest.mark.usefixtures("theirs")
def test_an_account_that_is_not_to_be_synced_says_what_to_do(run):
    assert "--dry-run" in run("sync", "acme", code=1).stderr


def test_a_list_that_cannot_be_read_is_told(theirs, run):
    theirs.is_down = True
    assert "could not be read: 503" in run("sync", "acme", "--dry-run", code=1).stderr
    theirs.can_pull = False
    assert "written and not read" in run("sync", "acme", "--dry-run", code=1).stderr
    assert "no account" in run("sync", "nobody", "--dry-run", code=1).stderr
