"""What is genuine and cannot be read is acknowledged and kept; nothing of it is lost, nothing shows."""

import json

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from structlog.testing import capture_logs
from support.databases import sqlite_url
from support.paper import ANN, BASE, Desk, Paper, supply, texts
from support.server import AUTH_TOKEN
from support.twilio_requests import inbound
from twilio.request_validator import RequestValidator

from gateway.store.dead_letters import DeadLetters
from gateway.store.tables import dead_letters, events

TWIML = b'<?xml version="1.0" encoding="UTF-8"?>'


@pytest.fixture
def desk(make_app, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    paper = Paper()
    supply(monkeypatch, paper)
    return Desk(make_app(database_url), paper)


def rows(app: Flask, table=dead_letters):
    with app.extensions["gateway"].engine.connect() as connection:
        return connection.execute(select(table)).all()


def piece(number: int, **fields: object) -> dict[str, object]:
    return {"id": f"m{number}", "from": f"+1555010{number:04d}", "text": "STOP", **fields}


def malformed(app: Flask, **fields: str):
    """A webhook of Twilio without an id, signed."""
    sent = {"From": ANN, "To": "+15555550199", "Body": "STOP", **fields}
    signature = RequestValidator(AUTH_TOKEN).compute_signature(f"{BASE}/sms/acme", sent)
    return app.test_client().post(
        "/sms/acme", base_url=BASE, data=sent, headers={"X-Twilio-Signature": signature}
    )


@pytest.mark.parametrize("lane", [True, False])
def test_a_malformed_webhook_is_acknowledged_in_the_providers_form_and_kept(make_app, database_url, lane):
    app = make_app(database_url, lane=lane)
    answer = malformed(app)
    assert (answer.status_code, answer.content_type) == (200, "text/xml; charset=utf-8")
    assert answer.data.startswith(TWIML)
    (row,) = rows(app)
    assert (row.account, row.kind, row.reason, row.method) == (
        "acme",
        "inbound",
        "MessageSid is missing",
        "POST",
    )
    assert row.url == f"{BASE}/sms/acme"
    assert b"Body=STOP" in bytes(row.body)
    assert json.loads(row.headers) == {"content-type": "application/x-www-form-urlencoded"}
    assert rows(app, events) == []


def test_repeated_deliveries_are_one_letter_with_a_counter(desk: Desk):
    for _ in range(3):
        assert texts(desk.post(b"{broken")) == []
    desk.post(b"{broken", path="/sms/acme/status")
    assert sorted((row.kind, row.deliveries) for row in rows(desk.app)) == [("inbound", 3), ("status", 1)]
    first = next(row for row in rows(desk.app) if row.kind == "inbound")
    assert first.received_at < first.repeated_at


def test_nothing_that_is_not_proved_is_kept(desk: Desk):
    assert desk.post(b"{broken", x_key="wrong").status_code == 401
    assert desk.paper.parsed == 0
    assert rows(desk.app) == []


def test_a_request_whose_proof_cannot_be_read_is_a_forged_one(desk: Desk):
    assert desk.post(b"no proof in here").status_code == 401
    assert rows(desk.app) == []


def test_neither_secrets_nor_signatures_are_kept(sqlite_app: Flask):
    target = f"/sms/acme?From=%2B15550100001&To=%2B15555550199&token={AUTH_TOKEN}&sig=abc&x=older-token"
    signature = RequestValidator(AUTH_TOKEN).compute_signature(BASE + target, {})
    headers = {"X-Twilio-Signature": signature, "Authorization": "Basic eDp5", "X-Other": AUTH_TOKEN}
    assert sqlite_app.test_client().get(target, base_url=BASE, headers=headers).status_code == 200
    (row,) = rows(sqlite_app)
    assert row.url == f"{BASE}/sms/acme?From=%2B15550100001&To=%2B15555550199&token=***&sig=***&x=***"
    assert row.headers == "{}"


def test_the_log_tells_of_a_letter_without_what_it_says(desk: Desk):
    with capture_logs() as logs:
        desk.post(b'{"from": "+15550107777", "text": "private words"')
    (line,) = [log for log in logs if log["event"] == "dead letter"]
    assert (line["account"], line["kind"], line["problem"]) == ("acme", "inbound", "no JSON")
    assert "7777" not in str(logs)
    assert "private" not in str(logs)


def test_letters_are_counted(desk: Desk):
    desk.post(b"{broken")
    text = desk.app.extensions["gateway"].metrics.exposition().decode()
    assert 'gateway_dead_letters_total{account="acme",kind="inbound"} 1.0' in text
    assert "gateway_refused_webhooks_total{" not in text


@pytest.mark.parametrize("body", [b"{broken", b'[{"id": "m1"}]'])
def test_a_letter_that_cannot_be_kept_is_a_503(desk: Desk, body: bytes):
    engine = desk.app.extensions["gateway"].engine
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE dead_letters RENAME TO gone"))
    try:
        assert desk.post(body).status_code == 503
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO dead_letters"))
    assert texts(desk.post(body)) == []
    assert len(rows(desk.app)) == 1


def test_a_batch_is_recorded_but_for_what_cannot_be_read(desk: Desk):
    batch = [piece(1), {"id": "m2"}, piece(3), {"id": "m4"}]
    assert len(texts(desk.post(batch))) == 2
    assert {row.message_id for row in rows(desk.app, events)} == {"m1", "m3"}
    (row,) = rows(desk.app)
    assert row.reason == "from is missing (2 times)"
    assert json.loads(bytes(row.body)) == batch


def test_a_message_that_the_database_refuses_is_kept_and_the_others_are_recorded(desk: Desk):
    assert texts(desk.post([piece(1), piece(2, text="bad \ud800"), piece(3)]))
    assert {row.message_id for row in rows(desk.app, events)} == {"m1", "m3"}
    (row,) = rows(desk.app)
    assert row.reason == "the database refused what it says"


def test_what_is_not_for_us_is_acknowledged_and_not_kept(desk: Desk):
    assert texts(desk.post("not for us")) == []
    assert rows(desk.app) == []


def test_reports_and_messages_are_taken_at_both_addresses(desk: Desk):
    report = {"id": "s1", "status": "opted_out"}
    desk.post([{**report, "to": "+15550100011"}, piece(1)])
    desk.post([{**report, "to": "+15550100012"}, piece(2)], path="/sms/acme/status")
    found = sorted((row.source, row.message_id) for row in rows(desk.app, events))
    reported = ("provider", "status:s1")
    assert found == [("keyword", "m1"), ("keyword", "m2"), reported, reported]


def signed(app: Flask, place: str, fields: dict[str, str]):
    signature = RequestValidator(AUTH_TOKEN).compute_signature(BASE + place, fields)
    return app.test_client().post(
        place, base_url=BASE, data=fields, headers={"X-Twilio-Signature": signature}
    )


@pytest.mark.parametrize("lane", [True, False])
def test_exchanged_addresses_at_twilio_lose_neither_a_stop_nor_a_refusal(make_app, database_url, lane):
    """Its reports and messages are forms that differ in their status only."""
    app = make_app(database_url, lane=lane)
    message = inbound(BASE)
    answer = signed(app, "/sms/acme/status", message.fields)
    assert answer.status_code == 200
    assert b"unsubscribed" in answer.data
    ends = {"To": "+15550100002", "From": "+15555550199"}
    report = {"MessageSid": "SM7", "MessageStatus": "failed", "ErrorCode": "21610", **ends}
    assert signed(app, "/sms/acme", report).status_code == 200
    assert sorted((row.source, row.choice) for row in rows(app, events)) == [
        ("keyword", "n"),
        ("provider", "n"),
    ]
    assert rows(app) == []


def test_a_malformed_report_is_no_message_of_the_business(make_app, database_url):
    app = make_app(database_url)
    report = {"MessageSid": "SM7", "To": ANN, "From": "+15555550199"}
    assert signed(app, "/sms/acme/status", report).status_code == 200
    assert rows(app, events) == []
    assert [row.kind for row in rows(app)] == ["status"]


_good = st.builds(piece, st.integers(0, 30))
_bad = st.sampled_from([{"id": "x"}, {"text": "STOP"}, {"id": "y", "to": ANN}])
_poison = st.builds(lambda number: piece(100 + number, text="\ud800"), st.integers(0, 3))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(st.one_of(_good, _good, _bad, _poison), max_size=9))
def test_a_batch_with_bad_elements_loses_none_of_the_good(make_app, tmp_path, monkeypatch, batch):
    supply(monkeypatch, Paper())
    app = make_app(sqlite_url(tmp_path))
    answer = Desk(app, Paper()).post(batch)
    assert answer.status_code == 200
    good = {each["id"] for each in batch if "from" in each and "\ud800" not in str(each["text"])}
    assert {row.message_id for row in rows(app, events)} == good
    is_bad = any(each.get("id") not in good for each in batch)
    assert len(rows(app)) == is_bad
    app.extensions["gateway"].close()


def test_a_letter_shows_nothing_in_its_repr(desk: Desk):
    desk.post(b'{"from": "+15550107777"')
    (letter,) = DeadLetters(desk.app.extensions["gateway"].engine).all(handled=False, limit=9)
    assert "7777" not in repr(letter)


def test_a_forged_message_of_twilio_is_refused_as_before(sqlite_app: Flask):
    message = inbound(BASE, token="wrong")
    answer = sqlite_app.test_client().post(
        "/sms/acme", base_url=BASE, data=message.fields, headers=message.headers
    )
    assert (answer.status_code, answer.data) == (403, b"")
    text = sqlite_app.extensions["gateway"].metrics.exposition().decode()
    assert 'gateway_refused_webhooks_total{account="acme",reason="not_authentic"} 1.0' in text
