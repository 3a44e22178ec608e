"""What operators do with webhooks that could not be read."""

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from support.paper import ANN, Desk, Paper, supply

from gateway.app import create_app
from gateway.configuration.loading import load

BATCH = [{"id": "m1", "from": ANN, "text": "help"}, {"id": "m2", "text": "STOP"}]


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Paper:
    paper = Paper()
    supply(monkeypatch, paper)
    return paper


def deliver(paper: Paper, content: object, *, path: str = "/sms/acme") -> None:
    app = create_app(load(Path("config/gateway.toml"), {}))
    desk = Desk(app, paper)
    assert desk.post(content, path=path).status_code == 200
    app.extensions["gateway"].close()


def query(statement: str) -> list[tuple]:
    with closing(sqlite3.connect("gateway.sqlite3", isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def test_a_letter_is_listed_without_what_people_wrote_and_shown_with_it(paper, migrated, told):
    deliver(paper, BATCH)
    (row,) = told("dead-letters", "list")
    assert row | {"id": "", "received": ""} == {
        "id": "",
        "account": "acme",
        "kind": "inbound",
        "received": "",
        "deliveries": 1,
        "handled": None,
        "reason": "from is missing",
    }
    listed = migrated("dead-letters", "list").output
    assert row["id"][:8] in listed
    assert "STOP" not in listed
    shown = told("dead-letters", "show", row["id"])
    assert json.loads(shown["body"]) == BATCH
    assert shown["headers"] == {"content-type": "application/json"}
    assert "STOP" in migrated("dead-letters", "show", row["id"]).output


def test_a_body_that_is_no_text_is_shown_without_harm(paper, migrated, told):
    deliver(paper, b"\xff\x1b[2J{")
    (row,) = told("dead-letters", "list")
    assert "\\xff\\x1b[2J{" in migrated("dead-letters", "show", row["id"]).output
    assert told("dead-letters", "show", row["id"])["body_base64"] == "/xtbMkp7"


def test_what_the_code_reads_by_now_is_recorded_once_as_said_when_it_came(paper, migrated, told):
    deliver(paper, BATCH)
    (row,) = told("dead-letters", "list")
    assert told("dead-letters", "replay", row["id"], code=1) == {
        "recorded": 0,
        "repeated": 1,
        "problem": "from is missing",
    }
    assert "still not readable" in migrated("dead-letters", "replay", row["id"], code=1).output
    paper.understands_all = True
    time.sleep(0.01)
    assert told("dead-letters", "replay", row["id"]) == {"recorded": 1, "repeated": 1, "problem": None}
    ((received_at,),) = query("SELECT received_at FROM dead_letters")
    assert query("SELECT choice, received_at FROM events WHERE message_id = 'm2'") == [("n", received_at)]
    assert told("dead-letters", "list") == []
    assert told("dead-letters", "list", "--all")[0]["handled"]
    assert "0 recorded, 2 recorded before" in migrated("dead-letters", "replay", row["id"]).output
    assert [action for (action,) in query("SELECT action FROM audit")] == ["dead_letter.handle"]


def test_replies_of_a_replay_go_by_the_outbox_and_are_too_late_when_it_is_old(paper, migrated, told):
    deliver(paper, BATCH[1:])
    query("UPDATE dead_letters SET received_at = received_at - 600000000")
    paper.understands_all = True
    (row,) = told("dead-letters", "list")
    migrated("dead-letters", "replay", row["id"])
    ((expires_at, changed_at),) = query("SELECT expires_at, changed_at FROM outbox")
    assert expires_at < changed_at


@pytest.mark.usefixtures("migrated")
def test_a_report_is_read_again_as_a_report(paper, told, monkeypatch):
    deliver(paper, b"{broken", path="/sms/acme/status")
    (row,) = told("dead-letters", "list")
    assert row["kind"] == "status"
    read = []
    monkeypatch.setattr(
        Paper, "parse_status", lambda self, request: read.append(request) or self.parse(request)
    )
    assert told("dead-letters", "replay", row["id"], code=1)["problem"] == "no JSON"
    assert [request.body for request in read] == [b"{broken"]


@pytest.mark.usefixtures("migrated")
def test_what_turns_out_to_be_nothing_for_us_is_handled(paper, told):
    deliver(paper, b"{broken")
    (row,) = told("dead-letters", "list")
    paper.understands_all = True
    assert told("dead-letters", "replay", row["id"]) == {"recorded": 0, "repeated": 0, "problem": None}
    assert told("dead-letters", "list") == []


def test_a_letter_of_an_account_that_is_gone_cannot_be_read(paper, migrated, told):
    deliver(paper, BATCH)
    query("UPDATE dead_letters SET account = 'gone'")
    (row,) = told("dead-letters", "list")
    assert "not configured any more" in migrated("dead-letters", "replay", row["id"], code=1).stderr


def test_a_dropped_letter_is_gone(paper, migrated, told):
    deliver(paper, BATCH)
    (row,) = told("dead-letters", "list")
    assert told("dead-letters", "drop", row["id"]) == {"dropped": row["id"]}
    for command in ("drop", "show", "replay"):
        assert "no dead letter" in migrated("dead-letters", command, row["id"], code=1).stderr
    assert [action for (action,) in query("SELECT action FROM audit")] == ["dead_letter.drop"]


def test_doctor_tells_how_many_wait(paper, migrated, told):
    def finding() -> dict:
        return next(each for each in told("doctor", code=1) if each["what"] == "dead letters")

    assert finding()["ok"]
    deliver(paper, BATCH)
    assert (finding()["ok"], finding()["found"]) == (False, "1 wait")
    assert re.search(
        r"dead letters: 1 wait\. Look: gateway dead-letters list", migrated("doctor", code=1).output
    )
