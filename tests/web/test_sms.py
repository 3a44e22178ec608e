"""Inbound webhooks through the whole application."""

import json
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from sqlalchemy import select, text
from support.server import AUTH_TOKEN
from support.twilio_requests import Inbound, inbound
from twilio.request_validator import RequestValidator

from gateway.consent.address import Address, Channel, subject_of
from gateway.store.tables import events, outbox, states

BASE = "https://sms.example.com"
ANN = "+15550100001"


def post(app: Flask, message: Inbound, **options):
    path = message.url.removeprefix(BASE)
    return app.test_client().post(
        path, base_url=BASE, data=message.fields, headers=message.headers, **options
    )


def texts(answer) -> list[str]:
    root = ET.fromstring(answer.data)
    assert root.tag == "Response"
    return [message.text for message in root]


def rows(app: Flask, table=events):
    with app.extensions["gateway"].engine.connect() as connection:
        return connection.execute(select(table)).all()


def choice(app: Flask, number: str = ANN) -> dict[str, str]:
    house = app.extensions["gateway"]
    subject = subject_of(Address(Channel.SMS, number), house.keys.subject)
    return {
        row.scope: row.choice for row in rows(app, states) if bytes(row.subject) == subject and row.choice
    }


def test_stop_is_recorded_with_its_evidence_and_confirmed(app: Flask):
    answer = post(app, inbound(BASE, "Stop."))
    assert (answer.status_code, answer.content_type) == (200, "text/xml; charset=utf-8")
    (text,) = texts(answer)
    assert "Acme Offers" in text
    assert "START" in text
    (event,) = rows(app)
    assert (event.klass, event.choice, event.scope, event.text) == ("opt_out", "n", "@+15555550199", "Stop.")
    assert (event.source, event.account, event.reply) == ("keyword", "acme", "opt_out")
    evidence = json.loads(event.evidence)
    assert evidence["keyword"] == "stop"
    assert evidence["provider"] == "twilio"
    assert choice(app) == {"@+15555550199": "n"}


def test_a_repeated_delivery_is_acknowledged_without_a_second_reply(app: Flask):
    message = inbound(BASE)
    assert texts(post(app, message))
    assert texts(post(app, message)) == []
    assert len(rows(app)) == 1


def test_start_brings_back_and_names_the_programs_of_the_day(app: Flask):
    post(app, inbound(BASE, "STOP"))
    (text,) = texts(post(app, inbound(BASE, "START")))
    assert "subscribed" in text
    assert choice(app) == {"@+15555550199": "y", "offers": "y"}


def test_help_changes_nothing_and_is_answered_when_out_too(app: Flask):
    post(app, inbound(BASE, "STOP"))
    (text,) = texts(post(app, inbound(BASE, "help")))
    assert "help@example.com" in text
    assert choice(app) == {"@+15555550199": "n"}


def test_a_word_that_is_none_is_kept_and_not_answered(app: Flask):
    assert texts(post(app, inbound(BASE, "see you at the bus stop"))) == []
    (event,) = rows(app)
    assert (event.klass, event.choice, event.scope) == ("other", None, "")


def test_stop_from_someone_who_is_out_is_recorded_and_answered_once(app: Flask):
    assert texts(post(app, inbound(BASE)))
    assert texts(post(app, inbound(BASE))) == []  # loop guard: one of a kind in ten minutes
    assert len(rows(app)) == 2


@pytest.mark.parametrize(("text", "replies"), [("STOP", 0), ("Stop.", 1), ("HELP", 0), ("START", 0)])
def test_where_the_provider_answers_its_own_keywords_we_are_silent(app: Flask, text: str, replies: int):
    """R33. Twilio knows STOP, but neither blocks nor answers "Stop."."""
    answer = post(app, inbound(BASE, text, account="quiet"))
    assert len(texts(answer)) == replies
    assert len(rows(app)) == 1


def test_the_marker_of_advanced_opt_out_decides_and_silences(app: Flask):
    assert texts(post(app, inbound(BASE, "basta", OptOutType="STOP"))) == []
    assert choice(app) == {"@+15555550199": "n"}


def test_replies_by_api_wait_in_the_outbox(app: Flask):
    assert texts(post(app, inbound(BASE, account="later"))) == []
    (row,) = rows(app, outbox)
    assert (row.kind, row.account, row.sender, row.state) == ("reply", "later", "+15555550199", "due")
    assert row.expires_at - row.due_at <= 300_000_000


def test_a_short_code_at_the_other_end_is_no_person(app: Flask):
    assert texts(post(app, inbound(BASE, "STOP", number="54321"))) == []
    (event,) = rows(app)
    assert (event.klass, event.choice, event.rule) == ("other", None, "no_person@1")


def test_a_stop_to_a_number_of_no_program_stops_everything(app: Flask):
    post(app, inbound(BASE, "STOP", To="+15555550111"))
    assert choice(app) == {"*": "n"}


def test_double_opt_in_waits_for_the_confirming_word(app: Flask):
    assert texts(post(app, inbound(BASE, "yes", To="+15555550177"))) == []
    assert choice(app) == {}
    (asked,) = texts(post(app, inbound(BASE, "START", To="+15555550177")))
    assert "YES" in asked
    assert set(choice(app).values()) == {"p"}
    (done,) = texts(post(app, inbound(BASE, "Yes!", To="+15555550177")))
    assert "subscribed" in done
    assert set(choice(app).values()) == {"y"}


def test_whatsapp_is_a_channel_of_its_own(app: Flask):
    post(app, inbound(BASE, "STOP", number=f"whatsapp:{ANN}", To="whatsapp:+15555550199"))
    assert choice(app) == {}
    (head,) = [row for row in rows(app, states) if row.scope == "*"]
    assert (head.channel, head.address) == ("whatsapp", ANN)


def test_get_webhooks_are_signed_over_the_url(app: Flask):
    message = inbound(BASE)
    target = f"/sms/acme?{urlencode(message.fields)}"
    signature = RequestValidator(AUTH_TOKEN).compute_signature(BASE + target, {})
    answer = app.test_client().get(target, base_url=BASE, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 200
    assert choice(app) == {"@+15555550199": "n"}


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_and_options_store_nothing(app: Flask, method: str):
    message = inbound(BASE)
    app.test_client().open(
        "/sms/acme", method=method, base_url=BASE, query_string=message.fields, headers=message.headers
    )
    assert rows(app) == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Twilio-Signature": ""}, {"X-Twilio-Signature": "x"}, {"X-Twilio-Signature": "\xfc" * 28}],
)
def test_a_forged_webhook_is_refused_unread(app: Flask, headers: dict[str, str]):
    message = inbound(BASE)
    answer = app.test_client().post("/sms/acme", base_url=BASE, data=message.fields, headers=headers)
    assert (answer.status_code, answer.data) == (403, b"")
    assert rows(app) == []


def test_an_unknown_account_is_not_found_and_a_redirect_never_happens(app: Flask):
    message = inbound(BASE, account="nobody")
    assert post(app, message).status_code == 404
    for path in ("/sms/acme/", "//sms/acme", "/sms//acme"):
        answer = app.test_client().post(path, base_url=BASE, data=message.fields, headers=message.headers)
        assert answer.status_code in (403, 404)


def test_a_body_over_the_limit_is_refused(app: Flask):
    answer = post(app, inbound(BASE, "x" * 70_000))
    assert answer.status_code == 413
    assert rows(app) == []


def test_an_older_token_is_accepted_while_it_rotates(app: Flask):
    assert post(app, inbound(BASE, token="older-token")).status_code == 200


def test_a_delivery_report_of_21610_is_an_opt_out(app: Flask):
    fields = {
        "MessageSid": "SM" + "9" * 32,
        "MessageStatus": "failed",
        "ErrorCode": "21610",
        "To": ANN,
        "From": "+15555550199",
        "AccountSid": "ACtest",
    }
    url = f"{BASE}/sms/acme/status"
    headers = {"X-Twilio-Signature": RequestValidator(AUTH_TOKEN).compute_signature(url, fields)}
    for _ in range(2):
        answer = app.test_client().post("/sms/acme/status", base_url=BASE, data=fields, headers=headers)
        assert answer.status_code == 200
    (event,) = rows(app)
    assert (event.source, event.choice, event.rule) == ("provider", "n", "provider_refusal_21610@1")


def test_a_failing_database_is_a_503_so_that_the_provider_retries(app: Flask):
    house = app.extensions["gateway"]
    with house.engine.begin() as connection:
        connection.execute(text("ALTER TABLE events RENAME TO gone"))
    try:
        answer = post(app, inbound(BASE))
        assert (answer.status_code, answer.data) == (503, b"")
        assert answer.headers["Retry-After"]
    finally:
        with house.engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO events"))
    assert post(app, inbound(BASE)).status_code == 200
