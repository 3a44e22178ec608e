"""Recorded requests of schemes that many providers share: accepted or refused as their authors say."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.base import WebhookRequest
from gateway.providers.generic import Generic, GenericSettings

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "vectors" / "generic.json"
GITHUB = {"header": "X-Hub-Signature-256", "prefix": "sha256="}
FIELDS = {"message_id": ["id"], "person": "from", "sender": "to", "text": "text", "time": "received_at"}


def recorded() -> list[Any]:
    if not VECTORS.exists():
        reason = pytest.mark.skip(reason=f"no recorded requests: {VECTORS} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["id"]) for vector in vectors]


def provider_of(vector: dict[str, Any]) -> Generic:
    settings: dict[str, Any] = {"provider": "generic", "message": FIELDS}
    if vector["scheme"] == "standard-webhooks":
        secret = vector["options"]["secret_prefix"] + vector["secret"]
        settings |= {"webhook_secrets": secret, "tolerance_seconds": vector["tolerance_s"]}
    else:
        settings |= {"hmac_secrets": ["another", vector["secret"]], "hmac": GITHUB}
    return Generic(GenericSettings.model_validate(settings), Web())


def request_of(vector: dict[str, Any]) -> WebhookRequest:
    wire = vector["request"]
    headers = {name.lower(): value for name, value in wire["headers"].items()}
    now = vector.get("now", 0) * 1_000_000
    return WebhookRequest(wire["method"], wire["url"], headers, wire["body_raw"].encode(), now)


@pytest.mark.parametrize("vector", recorded())
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    provider, request = provider_of(vector), request_of(vector)
    if vector["valid"]:
        provider.verify(request)
        return
    with pytest.raises(NotAuthenticError):
        provider.receive(request)


@pytest.mark.parametrize(
    "vector",
    [case for case in recorded() if not case.values[0] or '"text"' in case.values[0]["request"]["body_raw"]],
)
def test_a_recorded_message_is_read_as_it_was_written(vector):
    request = request_of(vector)
    written = json.loads(request.body)
    [message] = provider_of(vector).parse(request).messages
    assert message.message_id == written["id"]
    assert (message.origin, message.sender) == (written["from"], written["to"])
    assert message.text == vector.get("expect", written)["text"]
    assert message.said_at == 1_767_225_600_000_000
