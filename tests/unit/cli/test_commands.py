"""What operators type, and what they see."""

import csv
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from support.twilio_requests import inbound

from gateway.app import create_app
from gateway.configuration.loading import load
from gateway.store.migrate import newest


def stop(text: str = "STOP", number: str = "+15550100001") -> None:
    """Let a message come in."""
    app = create_app(load(Path("config/gateway.toml"), {}))
    message = inbound("http://127.0.0.1:8080", text, number=number)
    answer = app.test_client().post("/sms/acme", data=message.fields, headers=message.headers)
    assert answer.status_code == 200
    app.extensions["gateway"].close()


def change(statement: str) -> None:
    """Change a row behind the gateway's back."""
    with closing(sqlite3.connect("gateway.sqlite3", isolation_level=None)) as connection:
        connection.execute(statement)


def test_check_of_good_settings(run, told):
    assert "1 accounts, 1 programs" in run("config", "check").output
    assert told("config", "check") == {"ok": True, "faults": [], "warnings": []}


def test_check_explains_faults_with_their_line_and_remedy(run, told):
    path = Path("config/gateway.toml")
    path.write_text(path.read_text().replace('default_choice = "y"', 'default_choice = "maybe"'))
    line = path.read_text().splitlines().index('default_choice = "maybe"') + 1
    result = run("config", "check", code=1)
    assert f"config/gateway.toml:{line}: programs.offers.default_choice" in result.stderr
    (fault,) = told("config", "check", code=1)["faults"]
    assert (fault["line"], fault["key"]) == (line, "programs.offers.default_choice")
    assert fault["remedy"]


def test_check_warns_of_replies_that_need_two_messages(run):
    path = Path("config/gateway.toml")
    path.write_text(
        path.read_text().replace("Acme Offers", "Acme Offers of the Week for Friends and Families")
    )
    path.write_text(path.read_text() + f'frequency = "{"Up to four messages a month. " * 3}"\n')
    assert "needs 2 SMS" in run("config", "check").output


def test_a_protected_word_cannot_be_turned(run, told):
    path = Path("config/gateway.toml")
    path.write_text(path.read_text() + '[programs.offers.keywords]\nopt_in = ["END"]\n')
    assert '"end" cannot be a word of opt_in' in run("config", "check", code=1).stderr
    assert "protected" in told("config", "check", code=1)["faults"][0]["problem"]


def test_upgrade_can_be_repeated(run, told):
    assert "was empty" in run("db", "upgrade").output
    assert "already" in run("db", "upgrade").output
    assert told("db", "upgrade") == {"before": newest(), "after": newest()}


def test_status_tells_decision_and_timeline(migrated, told):
    stop()
    text = migrated("status", "+1 (555) 010-0001").output
    assert "out" in text
    assert "opted_out" in text
    assert "'STOP'" in text
    (decision,) = told("status", "+15550100001")["decisions"]
    assert (decision["allowed"], decision["reason"]) == (False, "opted_out")
    assert "nothing is known" in migrated("status", "eve@example.org").output
    assert "no program" in migrated("status", "+15550100001", "--program", "club", code=1).stderr


def test_interpret_shows_what_decided(migrated, told):
    assert told("interpret", "please STOP!!", "--program", "offers")["scopes"] == ["@+15555550199"]
    text = migrated("interpret", "please STOP!!").output
    assert "opt_out" in text
    assert told("interpret", "yes", "--pending")["class"] == "opt_in_confirm"


def test_tokens_are_made_listed_and_revoked(migrated, told):
    made = told("token", "create", "shop", "--days", "3")["token"]
    assert re.fullmatch(r"gw_[a-z2-7]{8}_\S{43}", made)
    (row,) = told("token", "list")
    assert (row["name"], row["scopes"], row["revoked"]) == ("shop", "read", None)
    assert made[12:] not in migrated("token", "list").output
    assert "revoked" in migrated("token", "revoke", row["id"]).output
    assert "before" in migrated("token", "revoke", row["id"]).output
    assert "no token" in migrated("token", "revoke", "aaaaaaaa", code=1).stderr


def test_links_are_minted_for_a_file(migrated):
    Path("people.txt").write_text("eve@example.org\n\nno mailbox\nADAM@Example.org\n")
    migrated("links", "people.txt", "out.csv", "--program", "offers")
    with Path("out.csv").open() as file:
        eve, bad, adam = csv.DictReader(file)
    assert eve["list_unsubscribe"].startswith("<http://127.0.0.1:8080/u/")
    assert eve["list_unsubscribe_post"] == "List-Unsubscribe=One-Click"
    assert adam["address"] == "adam@example.org"
    assert bad["error"]
    lines = migrated("links", "people.txt", "-", "--json").stdout.splitlines()
    assert json.loads(lines[0])["address"] == "eve@example.org"


def test_the_ledger_is_verified_sealed_exported_and_mended(migrated, told):
    stop()
    assert told("ledger", "verify")["ok"]
    assert "ok: 1 persons, 1 events" in migrated("ledger", "verify").output
    assert "nothing new" in migrated("ledger", "seal").output
    assert migrated("ledger", "export").output == ""
    change("UPDATE states SET choice = 'y', weight = 101 WHERE choice = 'n'")
    assert "NOT INTACT" in migrated("ledger", "verify", code=1).output
    assert told("ledger", "verify", code=1)["faults"]
    assert told("ledger", "rebuild") == {"rewritten": 1, "refused": []}
    assert told("ledger", "verify")["ok"]
    change("DELETE FROM events")
    assert "NOT INTACT" in migrated("ledger", "verify", code=1).output
    assert "0 persons" in migrated("ledger", "rebuild", code=1).output


def test_doctor_finds_what_is_wrong(run, told):
    findings = {each["what"]: each["ok"] for each in told("doctor", code=1)}
    assert findings["schema"] is False
    run("db", "upgrade")
    assert "has never run" in run("doctor", code=1).output
    run("token", "create", "shop")
    change(f"INSERT INTO probes VALUES ('worker', {10**18})")
    assert {each["ok"] for each in told("doctor")} == {True}


def test_a_missing_configuration_is_one_line_not_a_trace(run):
    Path("config/gateway.toml").unlink()
    result = run("status", "+15550100001", code=1)
    assert "keys.master" in result.stderr
    assert "Traceback" not in result.output
