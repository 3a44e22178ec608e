"""Requests of Kannel, as its source makes them: accepted or refused, and read, as their authors say."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import CallerError, NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.base import WebhookRequest
from gateway.providers.kannel import Kannel, KannelSettings

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "vectors" / "kannel_jasmin.json"


def recorded() -> list[Any]:
    if not VECTORS.exists():
        reason = pytest.mark.skip(reason=f"no recorded requests: {VECTORS} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    return [
        pytest.param(vector, id=vector["id"]) for vector in vectors if "/kannel/" in vector["request"]["url"]
    ]


def provider_of(vector: dict[str, Any]) -> Kannel:
    parameter = vector.get("options", {}).get("query_param", "key")
    secrets = ["another", vector.get("secret", "s3cret")]
    fields = {"provider": "kannel", "url_secrets": secrets, "secret_parameter": parameter}
    return Kannel(KannelSettings.model_validate(fields), Web())


def request_of(vector: dict[str, Any]) -> WebhookRequest:
    wire = vector["request"]
    url = wire["url"]
    if vector["scheme"] == "none":
        # Recorded for their content alone; Kannel's only proof stands in the URL.
        url = f"{url}{'&' if '?' in url else '?'}key=s3cret"
    headers = {name.lower(): value for name, value in wire["headers"].items()}
    return WebhookRequest(wire["method"], url, headers, wire["body_raw"].encode())


@pytest.mark.parametrize("vector", recorded())
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    if vector["valid"]:
        provider_of(vector).verify(request_of(vector))
        return
    with pytest.raises(NotAuthenticError):
        provider_of(vector).receive(request_of(vector))


@pytest.mark.parametrize(
    "vector", [case for case in recorded() if not case.values[0] or case.values[0].get("expect")]
)
def test_a_recorded_message_is_read_and_answered_as_its_author_says(vector):
    expected, provider = vector["expect"], provider_of(vector)
    if expected.get("messages") == []:
        with pytest.raises(CallerError, match="missing"):
            provider.receive(request_of(vector))
        return
    [message] = provider.receive(request_of(vector)).messages
    assert message.message_id == expected.get("message_id", message.message_id)
    assert message.origin == expected.get("from", message.origin)
    assert message.sender == expected.get("to", message.sender)
    assert message.text == expected.get("text", message.text)
    answer = provider.answer(())
    assert (answer.status, answer.body) == (200, b"")
