"""10. The same behaviour on SQLite and PostgreSQL: the same script of requests gives the same answers and rows."""

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, select
from support.databases import clean, sqlite_url
from support.gateways import (
    BASE,
    CLUB_SENDER,
    FORM,
    OTHER_AUTH_TOKEN,
    PAIR,
    bearer,
    house_of,
    link,
    make,
    settings_text,
)
from support.server import AUTH_TOKEN, SENDER
from twilio.request_validator import RequestValidator
from werkzeug.test import EnvironBuilder

from gateway.store.tables import events, outbox, states, suppressions

# What depends on the moment or on chance.
_ASIDE = {
    "events": {"said_at", "received_at", "recorded_at", "salt", "digest", "chain"},
    "states": {"said_at", "head"},
    "suppressions": set(),
    "outbox": {"due_at", "expires_at", "changed_at"},
}
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|urn:uuid:[0-9a-f-]+|/u/1[\w.-]+|(?<=[.,])\d{16}")


@dataclass(frozen=True)
class Request:
    """One request; `at` completes it for an application, since tokens differ."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = FORM
    headers: dict[str, str] = field(default_factory=dict)
    with_bearer: bool = False

    def environ(self, app: Flask, token: str) -> dict[str, Any]:
        headers = {**self.headers, **({"Authorization": f"Bearer {token}"} if self.with_bearer else {})}
        path = self.path
        if path.startswith("link:"):
            _, mailbox, scope = path.split(":")
            path = link(app, mailbox, scope, issued_at=1_790_000_000)
        return EnvironBuilder(
            path,
            base_url=BASE,
            method=self.method,
            data=self.body,
            content_type=self.content_type,
            headers=headers,
        ).get_environ()


def _message(text: str, person: int, sid: int, account: str, sender: str, extra: dict[str, str]) -> Request:
    fields = {"MessageSid": f"SM{sid}", "From": f"+1555010000{person}", "To": sender, "Body": text, **extra}
    token = OTHER_AUTH_TOKEN if account == "other" else AUTH_TOKEN
    return _signed(f"/sms/{account}", fields, token if sid else "wrong")


def _report(person: int, sid: int, code: str) -> Request:
    fields = {
        "MessageSid": f"SM{sid}",
        "MessageStatus": "failed",
        "To": f"+1555010000{person}",
        "From": SENDER,
    }
    return _signed("/sms/acme/status", {**fields, "ErrorCode": code}, AUTH_TOKEN)


def _signed(path: str, fields: dict[str, str], token: str) -> Request:
    signature = RequestValidator(token).compute_signature(BASE + path, fields)
    return Request("POST", path, urlencode(fields).encode(), headers={"X-Twilio-Signature": signature})


def _link(mailbox: str, scope: str, body: bytes, method: str) -> Request:
    return Request(method, f"link:{mailbox}:{scope}", body)


def _look(path: str) -> Request:
    return Request("GET", path, with_bearer=True)


def _ask(path: str, body: object) -> Request:
    return Request("POST", path, json.dumps(body).encode(), "application/json", with_bearer=True)


_person = st.integers(0, 2)
_sid = st.integers(0, 4)
_mailbox = st.sampled_from(["a@example.org", "b@example.org"])
_texts = st.sampled_from(
    ["STOP", "START", "HELP", "Stop all", "STOP offers", "yes", "\u00c4\U0001f600", "a\0b"]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_extras = st.sampled_from([{}, {}, {"OptOutType": "STOP"}, {"OptOutType": "HELP"}, {"NumMedia": "2"}])
_requests = st.one_of(
    st.builds(
        _message,
        _texts,
        _person,
        _sid,
        st.sampled_from(["acme", "acme", "later", "other", "nobody"]),
        st.sampled_from([SENDER, CLUB_SENDER, "12345"]),
        _extras,
    ),
    st.builds(_report, _person, _sid, st.sampled_from(["21610", "30003"])),
    st.builds(
        _link,
        _mailbox,
        st.sampled_from(["offers", "news", "*"]),
        st.sampled_from([PAIR, b"", b"confirm=1", b"undo=1"]),
        st.sampled_from(["POST", "POST", "GET"]),
    ),
    st.builds(lambda person: _look(f"/v1/consents/sms/+1555010000{person}"), _person),
    st.builds(lambda person: _look(f"/v1/consents/sms/+1555010000{person}/events?limit=3"), _person),
    st.builds(lambda mailbox: _look(f"/v1/consents/email/{mailbox}?program=news"), _mailbox),
    st.sampled_from(
        [
            _ask("/v1/check", {"channel": "sms", "addresses": [f"+1555010000{n}" for n in range(3)] + ["x"]}),
            _ask("/v1/check", {"channel": "email", "program": "news", "addresses": ["a@example.org"]}),
            _ask("/v1/check", {"channel": "email", "program": "no", "addresses": ["a@example.org"]}),
            _ask("/v1/interpret", {"text": "stop it", "program": "offers"}),
            _look("/v1/programs"),
            _look("/v1/consents/sms/nobody"),
        ]
    ),
)
# Each list is a round: the application is called for all of it before the first body is taken.
_scripts = st.lists(st.lists(_requests, min_size=1, max_size=5), min_size=1, max_size=8)


def play(app: Flask, script: Sequence[Sequence[Request]]) -> list[tuple]:
    """Send the rounds and return the answers, times aside."""
    token = bearer(app)
    return [answer for requests in script for answer in _round(app, requests, token)]


def _round(app: Flask, requests: Sequence[Request], token: str) -> Iterator[tuple]:
    heads: list[list] = [[] for _ in requests]
    bodies = [
        app(request.environ(app, token), lambda *head, seen=seen: seen.append(head[:2]))
        for request, seen in zip(requests, heads, strict=True)
    ]
    for body, seen in zip(bodies, heads, strict=True):
        told = b"".join(body).decode()
        status, headers = seen[-1]
        yield status, sorted(headers), _TIMES.sub("T", told)


def kept(app: Flask) -> dict[str, list[tuple]]:
    """Return all rows about persons, times and chance aside."""
    tables = (events, states, suppressions, outbox)
    with house_of(app).engine.connect() as connection:
        return {table.name: _shown(connection.execute(_compared(table)).all()) for table in tables}


def _compared(table: Table):
    columns = [column for column in table.c if column.name not in _ASIDE[table.name]]
    return select(*columns)


def _shown(rows: Sequence[Sequence]) -> list[tuple]:
    shown = [
        tuple(_TIMES.sub("T", value) if isinstance(value, str) else value for value in row) for row in rows
    ]
    return sorted(shown, key=repr)


@pytest.fixture
def run(tmp_path: Path, postgres_url: str):
    """Play a script on an engine, from an empty database."""
    numbers = itertools.count()

    def on(engine: str, script: Sequence[Sequence[Request]]) -> tuple:
        if engine == "sqlite":
            url = sqlite_url(tmp_path)
        else:
            clean(postgres_url)
            url = postgres_url
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        app = make(folder, settings_text(url))
        try:
            return play(app, script), kept(app)
        finally:
            house_of(app).close()

    return on


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=_scripts)
def test_the_same_script_gives_the_same_answers_and_rows(run, script: list[list[Request]]):
    answers, rows = run("sqlite", script)
    others, other_rows = run("postgresql", script)
    assert answers == others
    assert rows == other_rows


def test_a_day_of_messages_does_too_and_leaves_something_to_compare(run):
    day = [
        [_message(text, person, 1 + number, account, sender, {}) for person in range(3)]
        for number, (text, account, sender) in enumerate(
            itertools.product(
                ["STOP", "START", "HELP", "yes", "STOP ALL"], ["later", "acme"], [SENDER, CLUB_SENDER]
            )
        )
    ]
    day += [
        [_link("a@example.org", scope, body, "POST")]
        for scope in ("offers", "*")
        for body in (PAIR, b"undo=1")
    ]
    answers, rows = run("sqlite", day)
    assert (answers, rows) == run("postgresql", day)
    assert [len(rows[name]) > 0 for name in ("events", "states", "outbox")] == [True] * 3
    assert len(rows["events"]) >= 60
