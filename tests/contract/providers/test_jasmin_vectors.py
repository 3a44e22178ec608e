"""Recorded Jasmin requests: read and answered as their authors say."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.net.outgoing import Web
from gateway.providers.base import WebhookRequest
from gateway.providers.jasmin import Jasmin, JasminSettings

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "vectors" / "kannel_jasmin.json"


def recorded() -> list[Any]:
    if not VECTORS.exists():
        reason = pytest.mark.skip(reason=f"no recorded requests: {VECTORS} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    return [
        pytest.param(vector, id=vector["id"]) for vector in vectors if "/jasmin/" in vector["request"]["url"]
    ]


def request_of(vector: dict[str, Any]) -> WebhookRequest:
    wire = vector["request"]
    # The recorded requests carry no secret; Jasmin's only proof stands in the URL.
    url = f"{wire['url']}{'&' if '?' in wire['url'] else '?'}key=s3cret"
    headers = {name.lower(): value for name, value in wire["headers"].items()}
    return WebhookRequest(wire["method"], url, headers, wire["body_raw"].encode())


@pytest.mark.parametrize("vector", recorded())
def test_a_recorded_message_is_read_and_answered_as_its_author_says(vector):
    expected = vector["expect"]
    provider = Jasmin(JasminSettings.model_validate({"provider": "jasmin", "url_secrets": "s3cret"}), Web())
    [message] = provider.receive(request_of(vector)).messages
    assert message.message_id == expected.get("message_id", message.message_id)
    assert message.origin == expected.get("from", message.origin)
    assert message.sender == expected.get("to", message.sender)
    assert message.text == expected.get("text", message.text)
    answer = provider.answer(("a reply",))
    assert (answer.status, answer.body.decode()) == (200, expected.get("response_body", "ACK/Jasmin"))
