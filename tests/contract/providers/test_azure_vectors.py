"""Recorded Event Grid deliveries: accepted or refused, and read, as their authors say."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.azure import Azure, AzureSettings
from gateway.providers.base import WebhookRequest

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "vectors" / "azure.json"


def recorded(*, valid: bool) -> list[Any]:
    if not VECTORS.exists():
        reason = pytest.mark.skip(reason=f"no recorded requests: {VECTORS} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["id"]) for vector in vectors if vector["valid"] is valid]


def provider_of(vector: dict[str, Any]) -> Azure:
    settings = {
        "provider": "azure",
        "url_secrets": ["another", vector["secret"]],
        "secret_parameter": vector["options"]["query_param"],
    }
    return Azure(AzureSettings.model_validate(settings), Web())


def request_of(vector: dict[str, Any]) -> WebhookRequest:
    wire = vector["request"]
    headers = {name.lower(): value for name, value in wire["headers"].items()}
    return WebhookRequest(wire["method"], wire["url"], headers, wire["body_raw"].encode())


def digits(number: str) -> str:
    return number.removeprefix("+")


@pytest.mark.parametrize("vector", recorded(valid=False))
def test_a_recorded_forgery_is_refused(vector):
    with pytest.raises(NotAuthenticError):
        provider_of(vector).receive(request_of(vector))


@pytest.mark.parametrize("vector", recorded(valid=True))
def test_a_recorded_delivery_is_accepted_and_read_as_its_author_says(vector):
    expected = vector.get("expect", {})
    received = provider_of(vector).receive(request_of(vector))
    if "http_status" in expected:
        assert_answer(received.answer, expected)
    elif expected.get("kind") == "status":
        [status] = received.statuses
        assert status.opted_out is expected.get("opted_out", False)
        assert status.address.value == "+15555550100"
        assert status.sender == "+15555550199"
    elif "messages" in expected:
        assert [message.message_id for message in received.messages] == expected["messages"]
    else:
        [message] = received.messages
        assert_message(message, expected)
    assert not received.unreadable


def assert_answer(answer, expected):
    assert answer.status == expected["http_status"]
    if "json" in expected:
        assert json.loads(answer.body) == expected["json"]


def assert_message(message, expected):
    assert message.message_id == expected.get("message_id", message.message_id)
    assert message.text == expected["text"]
    assert digits(message.origin) == digits(expected.get("from", message.origin))
    assert digits(message.sender) == digits(expected.get("to", message.sender))
    assert message.address.value == "+15555550100"
    assert message.said_at == 1_767_225_600_123_000
