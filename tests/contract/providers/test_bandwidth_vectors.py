"""Recorded Bandwidth requests: accepted or refused, and read, as their authors say."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.bandwidth import Bandwidth, BandwidthSettings
from gateway.providers.base import Received, WebhookRequest

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "vectors" / "bandwidth.json"


def recorded(*, valid: bool) -> list[Any]:
    if not VECTORS.exists():
        reason = pytest.mark.skip(reason=f"no recorded requests: {VECTORS} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["id"]) for vector in vectors if vector["valid"] is valid]


def provider_of(vector: dict[str, Any]) -> Bandwidth:
    settings = {"provider": "bandwidth", "basic": ["another:one", vector["secret"]]}
    return Bandwidth(BandwidthSettings.model_validate(settings), Web())


def request_of(vector: dict[str, Any]) -> WebhookRequest:
    wire = vector["request"]
    headers = {name.lower(): value for name, value in wire["headers"].items()}
    return WebhookRequest(wire["method"], wire["url"], headers, wire["body_raw"].encode())


@pytest.mark.parametrize("vector", recorded(valid=False))
def test_a_recorded_forgery_is_refused_and_answered_as_its_author_says(vector):
    provider, request = provider_of(vector), request_of(vector)
    with pytest.raises(NotAuthenticError):
        provider.receive(request)
    refusal = provider.refuse(request)
    assert refusal.status == vector.get("expect", {}).get("http_status", 401)
    assert "WWW-Authenticate" in dict(refusal.headers)


@pytest.mark.parametrize("vector", recorded(valid=True))
def test_a_recorded_request_is_accepted_and_read_as_its_author_says(vector):
    expected = vector.get("expect", {})
    received = provider_of(vector).receive(request_of(vector))
    if expected.get("messages") == []:
        assert received == Received([], [], [])
    elif expected.get("kind") == "status":
        assert_status(received, expected)
    else:
        assert_message(received, expected)


def assert_status(received, expected):
    [status] = received.statuses
    assert not received.messages
    assert status.error_code == (str(expected["error_code"]) if "error_code" in expected else None)
    assert status.opted_out is (expected.get("error_code") == 4775)


def assert_message(received, expected):
    [message] = received.messages
    assert not received.statuses
    assert message.message_id == expected.get("message_id", message.message_id)
    assert message.origin == expected.get("from", message.origin)
    assert message.text == expected.get("text", message.text)
    assert message.sender == expected.get("owner", message.sender)
    assert message.said_at == 1_473_877_216_000_000
