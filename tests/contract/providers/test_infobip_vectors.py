"""Recorded Infobip requests: accepted or refused, and read, as their authors say."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.base import WebhookRequest
from gateway.providers.infobip import Infobip, InfobipSettings
from gateway.providers.numbers import person

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "vectors" / "infobip.json"
FIELDS = {"basic-auth": "basic", "url-secret": "url_secrets"}


def recorded() -> list[Any]:
    if not VECTORS.exists():
        reason = pytest.mark.skip(reason=f"no recorded requests: {VECTORS} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["id"]) for vector in vectors]


def provider_of(vector: dict[str, Any]) -> Infobip:
    values: dict[str, Any] = {"provider": "infobip", FIELDS[vector["scheme"]]: vector["secret"]}
    if parameter := vector.get("options", {}).get("query_param"):
        values["secret_parameter"] = parameter
    return Infobip(InfobipSettings(**values), Web())


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
def test_a_recorded_batch_is_read_as_its_author_says(vector):
    received, expected = provider_of(vector).receive(request_of(vector)), vector["expect"]
    if "messages_ok" in expected:
        assert [message.message_id for message in received.messages] == expected["messages_ok"]
        pieces = [json.loads(piece.piece)["messageId"] for piece in received.unreadable]
        assert pieces == expected["messages_bad"]
        return
    assert not received.unreadable
    assert len(received.messages) == len(expected["messages"])
    wanted = expected["messages"]
    for message, fields in zip(received.messages, wanted, strict=True):
        assert message.message_id == fields["message_id"]
        assert message.text == fields.get("text", message.text)
        assert message.sender.removeprefix("+") == fields.get("to", message.sender.removeprefix("+"))
        assert message.origin == fields.get("from", message.origin)
        assert message.address == person(message.origin)
        assert message.said_at == 1_475_746_119_220_000
    if "unique" in expected:
        assert len({message.message_id for message in received.messages}) == expected["unique"]
