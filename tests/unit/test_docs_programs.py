"""The programs that stand in the documentation, run as they stand there."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import pytest
import responses
from sqlalchemy import Engine
from support.entries import NOW, entry
from support.tampering import Clock

from gateway.consent.address import subject_of
from gateway.consent.choice import Choice
from gateway.consent.merkle import MerkleTree
from gateway.flows.seal_checkpoint import export_checkpoints, seal
from gateway.keys import Keys
from gateway.providers.base import WebhookRequest
from gateway.providers.twilio import Twilio, TwilioSettings
from gateway.settings import KeySettings
from gateway.store.ledger import LedgerRules, open_ledger

DOCS = Path(__file__).parents[2] / "docs"
MASTER = "m" * 40
KEYS = Keys.of(KeySettings.model_validate({"master": MASTER}))
HOUR = 3_600_000_000


def program(page: str, beginning: str) -> str:
    """Return the block of Python on a page that begins so."""
    found = re.findall(
        r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (block,) = (each for each in found if each.startswith(beginning))
    return str(block)


def run(page: str, beginning: str, **names: Any) -> ModuleType:
    module = ModuleType("example")
    vars(module).update(names)
    exec(compile(program(page, beginning), page, "exec"), vars(module))
    return module


# -- reference/ledger-format.md --------------------------------------------------------------------------

Check = Callable[[], list[str]]


@pytest.fixture
def written(sqlite_engine: Engine) -> Iterator[sqlite3.Connection]:
    """A ledger of two persons under two checkpoints; the first person has four events, the second two."""
    clock = Clock()
    ledger = open_ledger(sqlite_engine, LedgerRules(KEYS.ledger, clock=clock))
    ledger.record([_said(1, text="Stop ✋"), _said(2, evidence=None)])
    ledger.record([_said(1, Choice.YES, scope="@+15550199000 offers", actor="anna"), _said(2, None)])
    seal(sqlite_engine, KEYS.ledger, NOW + HOUR)
    clock.now += 2 * HOUR
    ledger.record([_said(1, Choice.DEFAULT_NO, scope="*"), _said(1, at=NOW - HOUR)])
    seal(sqlite_engine, KEYS.ledger, NOW + 3 * HOUR)
    ledger.close()
    with closing(sqlite3.connect(str(sqlite_engine.url.database))) as connection:
        yield connection


def _said(number: int, choice: Choice | None = Choice.NO, **fields: Any) -> Any:
    said = entry(number, choice, **fields)
    object.__setattr__(said, "subject", subject_of(said.address, KEYS.subject))
    return said


@pytest.fixture
def check(written: sqlite3.Connection, sqlite_engine: Engine) -> Check:
    """The page's program, over the ledger and the checkpoints as they were exported at first."""
    exported = list(export_checkpoints(sqlite_engine))
    assert len(exported) == 2
    auditor = run("reference/ledger-format.md", '"""check_ledger.py')
    return lambda: list(auditor.check(written, MASTER, exported))


def test_the_auditors_program_finds_an_untouched_ledger_intact(check: Check):
    assert check() == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE events SET said_at = said_at - 1 WHERE seq = 2", "altered, or the one before it"),
        ("UPDATE events SET text = 'START' WHERE seq = 1", "text or evidence was altered"),
        ("UPDATE events SET actor = NULL WHERE actor = 'anna'", "altered, or the one before it"),
        ("DELETE FROM events WHERE seq = 1", "event 1 is missing"),
        ("DELETE FROM events WHERE seq = 4", "its head does not follow"),
        ("UPDATE states SET address = '+15550109999' WHERE address IS NOT NULL", "its address is another"),
        ("DELETE FROM states WHERE scope = 'offers'", "its states do not follow"),
        ("DELETE FROM checkpoints", "was exported, and is gone"),
        ("UPDATE checkpoints SET sealed_at = sealed_at + 1", "checkpoint 1: altered"),
        ("UPDATE checkpoints SET events = events + 1", "its events are others"),
    ],
)
def test_the_auditors_program_finds_what_was_changed(
    check: Check, written: sqlite3.Connection, change: str, fault: str
):
    assert written.execute(change).rowcount > 0
    assert any(fault in found for found in check())


def test_the_auditors_program_finds_a_person_gone(check: Check, written: sqlite3.Connection):
    written.execute("DELETE FROM events WHERE subject = (SELECT min(subject) FROM events)")
    written.execute("DELETE FROM states WHERE subject NOT IN (SELECT subject FROM events)")
    assert "checkpoint 1: its events are others" in check()
    assert not any("-" in fault for fault in check())


def test_the_auditors_tree_is_that_of_the_checkpoints():
    auditor = run("reference/ledger-format.md", '"""check_ledger.py')
    for size in range(20):
        leaves = [bytes([number]) for number in range(size)]
        assert auditor.merkle(leaves) == MerkleTree(leaves).root()


# -- how-to/mint-unsubscribe-headers.md ------------------------------------------------------------------


def test_the_mail_of_the_page_carries_its_fields_unfolded():
    url = "https://consent.example.com/u/1k2026." + "x" * 300
    headers = {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    made = run("how-to/mint-unsubscribe-headers.md", "from email", link={"url": url, "headers": headers})
    assert isinstance(made.message, EmailMessage)
    lines = made.message.as_bytes().split(b"\r\n")
    assert f"List-Unsubscribe: <{url}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


# -- how-to/check-before-sending.md ----------------------------------------------------------------------


def test_the_sender_of_the_page_sends_only_where_it_is_allowed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_TOKEN", "gw_x")
    sender = run("how-to/check-before-sending.md", "import os")
    with responses.RequestsMock() as gateway:
        results = [{"allowed": False}, {"allowed": True}, {"allowed": False, "error": "no address"}]
        gateway.post(f"{sender.GATEWAY}/v1/check", json={"results": results})
        assert sender.allowed(["a", "b", "c"], "offers") == ["b"]
        gateway.post(f"{sender.GATEWAY}/v1/check", status=503)
        with pytest.raises(sender.requests.HTTPError):
            sender.allowed(["b"], "offers")


# -- runbooks/restore-from-backup.md ---------------------------------------------------------------------

URL = "https://consent.example.com/sms/acme-twilio"
ACCOUNT, TOKEN = "AC" + "0" * 32, "secret"
_MESSAGES = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


def _listed(sid: str, minute: int, direction: str = "inbound") -> dict[str, Any]:
    """Return a message as Twilio's API lists it."""
    return {
        "sid": sid,
        "account_sid": ACCOUNT,
        "from": "+15550100123",
        "to": "+15550100100",
        "body": "STOP & <go>",
        "direction": direction,
        "num_media": "0",
        "date_sent": f"Mon, 23 Nov 2026 02:{minute:02d}:00 +0000",
    }


def test_the_replay_posts_inbound_messages_signed_and_in_order(monkeypatch: pytest.MonkeyPatch):
    for name, value in {
        "WEBHOOK_URL": URL,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("POST_TO", raising=False)
    page = run("runbooks/restore-from-backup.md", '"""replay.py')
    with responses.RequestsMock() as net:
        listed = [_listed("SM2", 9), _listed("SM3", 5, "outbound-api"), _listed("SM1", 1)]
        net.get(_MESSAGES, json={"messages": listed, "next_page_uri": None})
        net.post(URL, body="<Response/>")
        assert page.replay(page.datetime.fromisoformat("2026-11-23T02:00:00+00:00")) == 2
        posts = [call.request for call in net.calls if call.request.url == URL]
    assert [dict(parse_qsl(str(post.body)))["MessageSid"] for post in posts] == ["SM1", "SM2"]
    provider = Twilio(TwilioSettings(provider="twilio", account_sid=ACCOUNT, auth_tokens=[TOKEN]))
    for post in posts:
        headers = {name.lower(): value for name, value in post.headers.items()}
        (message,) = provider.receive(WebhookRequest("POST", URL, headers, str(post.body).encode())).messages
        assert message.text == "STOP & <go>"
