"""Recorded Sinch requests, signed by others: accepted or refused, and read, as their authors say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sinch.domains.authentication.sinch_events.v1.authentication_validation import (
    compute_hmac_signature,
    validate_signature_header,
    validate_sinch_event_signature_with_nonce,
)
from support.recorded import assert_judged, cases, is_valid
from support.vectors import Vector, request_of

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.base import Received, Rehearsal, WebhookRequest
from gateway.providers.numbers import person
from gateway.providers.sinch import Sinch, SinchSettings

FIELDS = {
    "sinch-hmac-sha256": "webhook_secrets",
    "sinch-numbers-hmac-sha1": "numbers_secrets",
    "basic-auth": "basic",
    "url-secret": "url_secrets",
}
URL = "https://sms.example.com/sms/acme"


def provider_of(vector: Vector) -> Sinch:
    field = FIELDS[vector["scheme"]]
    values: dict[str, Any] = {"provider": "sinch", field: vector["secret"]}
    if field == "numbers_secrets":
        values["webhook_secrets"] = "another"
    if "tolerance_s" in vector:
        values["tolerance_seconds"] = vector["tolerance_s"]
    return Sinch(SinchSettings(**values), Web())


@pytest.mark.parametrize("vector", cases("sinch"))
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    if not vector["secret"]:
        with pytest.raises(ValidationError, match=r"is empty|no secret proves"):
            provider_of(vector)
        return
    assert_judged(provider_of(vector), request_of(vector), valid=vector["valid"])


@pytest.mark.parametrize("vector", cases("sinch", is_valid))
def test_a_recorded_event_is_read_as_its_author_says(vector):
    received, expected = provider_of(vector).receive(request_of(vector)), vector.get("expect", {})
    assert not received.unreadable
    if "message_id" in expected:
        [message] = received.messages
        assert message.message_id == expected["message_id"]
        assert message.origin == expected["from"]
        assert message.address == person(expected["from"])
        assert message.sender.removeprefix("+") == expected["to"]
        assert message.text == expected.get("text", message.text)
    elif expected.get("kind") == "opt_out" and expected.get("consent_change", True):
        [status] = received.statuses
        assert status.opted_out
        assert status.address == person(expected["from"])
        assert status.message_id == expected["dedupe"]
    elif expected.get("kind") == "status":
        assert not any(status.opted_out for status in received.statuses)
        assert {status.message_id for status in received.statuses} <= set(expected.values())
    else:
        assert received == Received()


@given(st.text(), st.text(min_size=1), st.integers(946_684_800, 4_102_444_799))
def test_the_official_library_takes_what_is_signed_here(text, secret, seconds):
    if "\ud800" <= max(secret) <= "\udfff" or not secret.strip():
        secret = "s3cret"
    provider = Sinch(SinchSettings(provider="sinch", webhook_secrets=secret), Web())
    request = provider.rehearse(
        Rehearsal(URL, "+15555550100", "+15555550199", text, "01XXXX", seconds * 1_000_000)
    )
    provider.verify(request)
    assert validate_sinch_event_signature_with_nonce(secret, dict(request.headers), request.body.decode())
    altered = WebhookRequest("POST", URL, request.headers, request.body + b" ", request.received_at)
    with pytest.raises(NotAuthenticError):
        provider.verify(altered)
    assert not validate_sinch_event_signature_with_nonce(secret, dict(request.headers), altered.body.decode())


@given(st.text(st.characters(codec="utf-8")))
def test_an_event_of_the_numbers_api_is_judged_as_the_official_library_does(text):
    settings = SinchSettings(provider="sinch", webhook_secrets="another", numbers_secrets=["old", "s3cret"])
    body = json.dumps({"eventId": "1", "eventType": text})
    headers = {"x-sinch-signature": compute_hmac_signature(body, "s3cret")}
    assert validate_signature_header("s3cret", headers, body)
    assert Sinch(settings, Web()).receive(WebhookRequest("POST", URL, headers, body.encode())) == Received()
    with pytest.raises(NotAuthenticError):
        Sinch(settings, Web()).verify(WebhookRequest("POST", URL, headers, body.encode() + b" "))
