"""8. The state can be rebuilt from the ledger, byte for byte; every change of a row behind our back, a cut tail
included, is found by `gateway ledger verify`.
"""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import Engine, text
from support.gateways import BASE, CLUB_SENDER, FORM, PAIR, deliver, house_of, link, rows, settings_text
from support.server import AUTH_TOKEN, ROOT, SENDER
from support.twilio_requests import inbound
from twilio.request_validator import RequestValidator

from gateway.cli.main import main
from gateway.consent.address import Address, Channel, subject_of
from gateway.flows.rebuild_states import Trust, rebuild_states
from gateway.flows.seal_checkpoint import seal
from gateway.store.engine import writing
from gateway.store.ledger import now_microseconds
from gateway.store.tables import events, states

PEOPLE = [f"+1555010000{digit}" for digit in range(8)]
MAILBOXES = [f"person{digit}@example.org" for digit in range(4)]
VICTIM = PEOPLE[0]


@pytest.fixture
def app(make_app, database_url: str, tmp_path: Path) -> Flask:
    """An application with the history of some people, its settings in a file for the command."""
    (tmp_path / "command.toml").write_text(settings_text(database_url))
    app = make_app(database_url)
    rng = random.Random(8)
    # The last one changes no state and gets no reply: who cuts it off needs to invent nothing but the head.
    for said in ("START", "STOP", "START", "help", "see you"):
        deliver(app, inbound(BASE, said, number=VICTIM))
    for _ in range(120):
        rng.choice([say, say, click, report])(app, rng)
    return app


def say(app: Flask, rng: random.Random) -> None:
    texts = ["STOP", "START", "HELP", "yes", "STOP ALL", "STOP offers", "hello", "\u00e9\U0001f600"]
    message = inbound(
        BASE,
        rng.choice(texts),
        number=rng.choice(PEOPLE[1:]),
        account=rng.choice(["acme", "later"]),
        To=rng.choice([SENDER, CLUB_SENDER, "12345"]),
    )
    assert deliver(app, message).status_code == 200


def click(app: Flask, rng: random.Random) -> None:
    path = link(app, rng.choice(MAILBOXES), rng.choice(["offers", "news", "*"]))
    body = rng.choice([PAIR, b"confirm=1", b"undo=1", b""])
    assert app.test_client().post(path, base_url=BASE, data=body, content_type=FORM).status_code == 200


def report(app: Flask, rng: random.Random) -> None:
    fields = {"MessageSid": f"SM{rng.random()}", "MessageStatus": "failed", "ErrorCode": "21610"}
    fields |= {"To": rng.choice(PEOPLE[1:]), "From": SENDER}
    url = f"{BASE}/sms/acme/status"
    headers = {"X-Twilio-Signature": RequestValidator(AUTH_TOKEN).compute_signature(url, fields)}
    body = urlencode(fields).encode()
    answer = app.test_client().post(
        "/sms/acme/status", base_url=BASE, data=body, content_type=FORM, headers=headers
    )
    assert answer.status_code == 200


def engine_of(app: Flask) -> Engine:
    return house_of(app).engine


def subject(app: Flask, number: str = VICTIM) -> bytes:
    return subject_of(Address(Channel.SMS, number), house_of(app).keys.subject)


# -- rebuilding ------------------------------------------------------------------------------------------


def addresses(app: Flask) -> dict[bytes, Address]:
    key = house_of(app).keys.subject
    known = [Address(Channel.SMS, number) for number in PEOPLE]
    known += [Address(Channel.EMAIL, mailbox) for mailbox in MAILBOXES]
    return {subject_of(address, key): address for address in known}


def test_the_states_are_rebuilt_from_the_events_alone(app: Flask):
    engine, before = engine_of(app), rows(engine_of(app), states)
    assert len(before) > 20
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM states"))
    kept = {row[0] for row in rows(engine, events)}
    known = {key: address for key, address in addresses(app).items() if key in kept}
    done = rebuild_states(engine, house_of(app).keys, trust=Trust(events=True, addresses=known))
    assert done.refused == ()
    assert rows(engine, states) == before


# -- tampering -------------------------------------------------------------------------------------------


def verify(tmp_path: Path, *options: str) -> Result:
    """Run the command on the settings of the application."""
    return CliRunner().invoke(
        main, ["--config", str(tmp_path / "command.toml"), "ledger", "verify", *options]
    )


@pytest.mark.usefixtures("app")
def test_a_ledger_as_it_was_written_is_found_intact(tmp_path: Path):
    assert verify(tmp_path).exit_code == 0


_LAST = "(SELECT max(seq) FROM events WHERE subject = :s)"
_AND_STATE = (
    "UPDATE states SET last_seq = last_seq - 1, prior_seq = last_seq - 2 WHERE subject = :s AND scope = '*'"
)
TAMPERINGS = {
    "a text": ["UPDATE events SET text = 'START' WHERE subject = :s AND seq = 2"],
    "no text": ["UPDATE events SET text = NULL, evidence = NULL, salt = NULL WHERE subject = :s AND seq = 2"],
    "a word turned around": ["UPDATE events SET choice = 'y' WHERE subject = :s AND seq = 2"],
    "a time": ["UPDATE events SET said_at = said_at - 1 WHERE subject = :s AND seq = 3"],
    "a message id": ["UPDATE events SET message_id = 'SMother' WHERE subject = :s AND seq = 1"],
    "an event gone": ["DELETE FROM events WHERE subject = :s AND seq = 2"],
    "the first event gone": ["DELETE FROM events WHERE subject = :s AND seq = 1"],
    "the tail cut": [f"DELETE FROM events WHERE subject = :s AND seq = {_LAST}"],
    "the tail cut, and the state told so": [
        f"DELETE FROM events WHERE subject = :s AND seq = {_LAST}",
        _AND_STATE,
    ],
    "all events gone": ["DELETE FROM events WHERE subject = :s"],
    "all states gone": ["DELETE FROM states WHERE subject = :s"],
    "a state gone": ["DELETE FROM states WHERE subject = :s AND scope = 'offers'"],
    "a state turned around": [
        "UPDATE states SET choice = 'n', weight = 109 WHERE subject = :s AND scope = 'offers'"
    ],
    "a state invented": [
        "INSERT INTO states (subject, scope, choice, said_at, seq, weight) VALUES (:s, 'news', 'y', 1, 1, 101)"
    ],
    "an address swapped": ["UPDATE states SET address = '+15550109999' WHERE subject = :s AND scope = '*'"],
    "an event moved to somebody else": [
        "UPDATE events SET subject = :other, seq = 900 WHERE subject = :s AND seq = 4"
    ],
}


def tamper(app: Flask, statements: list[str]) -> None:
    """Change rows of the victim as somebody does who has the database and not the keys."""
    with writing(engine_of(app)) as connection:
        for statement in statements:
            values = {"s": subject(app), "other": subject(app, PEOPLE[1])}
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            assert connection.execute(text(statement), used).rowcount > 0


@pytest.mark.parametrize("statements", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_a_change_behind_our_back_is_found(app: Flask, tmp_path: Path, statements: list[str]):
    tamper(app, statements)
    found = verify(tmp_path)
    assert found.exit_code == 1
    assert subject(app).hex() in found.output


def test_the_command_itself_ends_with_1(app: Flask, tmp_path: Path):
    command = [
        sys.executable,
        "-m",
        "gateway.cli",
        "--config",
        str(tmp_path / "command.toml"),
        "ledger",
        "verify",
    ]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}

    def run() -> int:
        return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, check=False).returncode

    assert run() == 0
    tamper(app, TAMPERINGS["the tail cut, and the state told so"])
    assert run() == 1


# -- cut tails that fit ----------------------------------------------------------------------------------


def restore_an_old_copy(app: Flask) -> None:
    """Take back a person's last word with rows that once were genuine."""
    engine, who = engine_of(app), subject(app)
    with writing(engine) as connection:
        old = connection.execute(states.select().where(states.c.subject == who)).mappings().all()
    deliver(app, inbound(BASE, "STOP", number=VICTIM))
    _seal(app)
    with writing(engine) as connection:
        connection.execute(text(f"DELETE FROM events WHERE subject = :s AND seq = {_LAST}"), {"s": who})
        connection.execute(states.delete().where(states.c.subject == who))
        connection.execute(states.insert(), [dict(row) for row in old])


def forget_a_person(app: Flask) -> None:
    """Take a person out of all tables."""
    _seal(app)
    tamper(app, ["DELETE FROM events WHERE subject = :s", "DELETE FROM states WHERE subject = :s"])


def _seal(app: Flask) -> None:
    house = house_of(app)
    assert seal(house.engine, house.keys.ledger, now_microseconds() + 2, lag=1) is not None


@pytest.mark.parametrize("cut", [restore_an_old_copy, forget_a_person])
def test_a_cut_that_leaves_consistent_rows_is_found_by_the_checkpoints(
    app: Flask, tmp_path: Path, cut: Callable[[Flask], None]
):
    cut(app)
    found = verify(tmp_path)
    assert found.exit_code == 1
    assert "checkpoint" in found.output


@pytest.mark.parametrize("cut", [restore_an_old_copy, forget_a_person])
def test_a_cut_of_the_checkpoints_too_is_found_by_the_exported_ones(
    app: Flask, tmp_path: Path, cut: Callable[[Flask], None]
):
    cut(app)
    kept = tmp_path / "checkpoints.jsonl"
    export = CliRunner().invoke(
        main, ["--config", str(tmp_path / "command.toml"), "ledger", "export", str(kept)]
    )
    assert export.exit_code == 0
    tamper(app, ["DELETE FROM checkpoints WHERE number = 1"])
    assert verify(tmp_path).exit_code == 0  # nothing in the database tells any more
    assert verify(tmp_path, "--checkpoints", str(kept)).exit_code == 1
