"""Recorded MessageBird and Bird requests of three generations: accepted or refused, and read, as their authors say."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.base import WebhookRequest
from gateway.providers.bird import Bird, BirdSettings

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "vectors" / "messagebird.json"
GENERATIONS = {
    "messagebird-jwt": "legacy",
    "messagebird-legacy-hmac": "legacy",
    "bird-notifications-hmac": "notifications",
    "standard-webhooks": "sms",
}
ANOTHER_KEY = "YW5vdGhlciBrZXksIGJlaW5nIHJvdGF0ZWQ="


def recorded() -> list[Any]:
    if not VECTORS.exists():
        reason = pytest.mark.skip(reason=f"no recorded requests: {VECTORS} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["id"]) for vector in vectors]


def provider_of(vector: dict[str, Any]) -> Bird:
    options = vector.get("options", {})
    # An empty secret is no account: whatever key there is must refuse.
    keys = [ANOTHER_KEY, *filter(None, [options.get("secret_prefix", "") + vector["secret"]])]
    settings = {"provider": "bird", "api": GENERATIONS[vector["scheme"]], "signing_keys": keys}
    if "tolerance_s" in vector:
        settings["tolerance_seconds"] = vector["tolerance_s"]
    if "leeway_s" in options:
        settings["leeway_seconds"] = options["leeway_s"]
    return Bird(BirdSettings.model_validate(settings), Web())


def request_of(vector: dict[str, Any]) -> WebhookRequest:
    wire = vector["request"]
    headers = {name.lower(): value for name, value in wire["headers"].items()}
    return WebhookRequest(
        wire["method"], wire["url"], headers, wire["body_raw"].encode(), vector["now"] * 1_000_000
    )


@pytest.mark.parametrize("vector", recorded())
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    provider, request = provider_of(vector), request_of(vector)
    if vector["valid"]:
        provider.verify(request)
        return
    with pytest.raises(NotAuthenticError):
        provider.verify(request)
    with pytest.raises(NotAuthenticError):
        provider.receive(request)


@pytest.mark.parametrize(
    "vector", [case for case in recorded() if not case.values[0] or case.values[0].get("expect")]
)
def test_a_recorded_message_is_read_as_its_author_says(vector):
    expected = vector["expect"]
    received = provider_of(vector).receive(request_of(vector))
    if expected.get("kind") == "opt_out":
        [status] = received.statuses
        assert status.opted_out
        assert status.address.value == expected["from"]
        assert status.sender == expected["to"]
        return
    [message] = received.messages
    assert message.message_id == expected["message_id"]
    assert message.origin == expected["from"]
    assert message.sender.removeprefix("+") == expected["to"].removeprefix("+")
    assert message.text == expected["text"]
