"""Recorded Clickatell requests: accepted or refused, and read, as their authors say."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.base import WebhookRequest
from gateway.providers.clickatell import Clickatell, ClickatellSettings
from gateway.providers.numbers import person
from gateway.providers.times import from_iso

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "vectors" / "clickatell.json"
FIELDS = {"basic-auth": "basic", "url-secret": "url_secrets"}


def recorded() -> list[Any]:
    if not VECTORS.exists():
        reason = pytest.mark.skip(reason=f"no recorded requests: {VECTORS} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["id"]) for vector in vectors]


def provider_of(vector: dict[str, Any]) -> Clickatell:
    values: dict[str, Any] = {"provider": "clickatell", FIELDS[vector["scheme"]]: vector["secret"]}
    if parameter := vector.get("options", {}).get("query_param"):
        values["secret_parameter"] = parameter
    return Clickatell(ClickatellSettings(**values), Web())


def request_of(vector: dict[str, Any]) -> WebhookRequest:
    wire = vector["request"]
    headers = {name.lower(): value for name, value in wire["headers"].items()}
    return WebhookRequest(wire["method"], wire["url"], headers, wire["body_raw"].encode())


@pytest.mark.parametrize("vector", recorded())
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    provider, request = provider_of(vector), request_of(vector)
    if vector["valid"]:
        provider.verify(request)
        return
    for call in (provider.verify, provider.receive):
        with pytest.raises(NotAuthenticError):
            call(request)


@pytest.mark.parametrize(
    "vector", [case for case in recorded() if not case.values[0] or case.values[0]["valid"]]
)
def test_a_recorded_message_is_read_as_its_author_says(vector):
    received, expected = provider_of(vector).receive(request_of(vector)), vector["expect"]
    [message] = received.messages
    assert message.message_id == expected["message_id"]
    assert message.origin == expected["from"]
    assert message.address == person(expected["from"])
    assert message.sender.removeprefix("+") == expected.get("to", "")
    assert message.text == expected["text"]
    assert message.said_at == from_iso(expected.get("timestamp", "2018-01-17T19:35:11Z"))
