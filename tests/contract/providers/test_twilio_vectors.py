"""Recorded Twilio requests, signed by others: accepted or refused, and read, as their authors say."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.errors import NotAuthenticError
from gateway.providers.base import WebhookRequest
from gateway.providers.twilio import Twilio, TwilioSettings

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "vectors" / "twilio.json"
FAMILIES = {"STOP": "opt_out", "START": "opt_in", "HELP": "help"}


def recorded() -> list[Any]:
    if not VECTORS.exists():
        reason = pytest.mark.skip(reason=f"no recorded requests: {VECTORS} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["id"]) for vector in vectors]


def provider_of(vector: dict[str, Any]) -> Twilio:
    if "sharedkey" not in vector["scheme"]:
        return Twilio(
            TwilioSettings(provider="twilio", account_sid="ACtest", auth_tokens=["another", vector["secret"]])
        )
    header = vector["request"]["headers"]["X-Twilio-Webhooks-Signature-Settings"]
    key_id = header.partition(",")[0].removeprefix("key=")
    algorithm = "HMAC_SHA256" if "sha256" in vector["scheme"] else "HMAC_SHA1"
    key = {"secret": vector["secret"], "algorithm": algorithm}
    return Twilio(TwilioSettings(provider="twilio", account_sid="ACtest", shared_keys={key_id: key}))


def request_of(vector: dict[str, Any]) -> WebhookRequest:
    wire = vector["request"]
    url = wire["url"]
    if base := vector.get("options", {}).get("public_base_url"):
        url = base.rstrip("/") + url.split(urlsplit(url).netloc, 1)[1]
    headers = {name.lower(): value for name, value in wire["headers"].items()}
    return WebhookRequest(wire["method"], url, headers, wire["body_raw"].encode())


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
    [message] = provider_of(vector).receive(request_of(vector)).messages
    assert message.message_id == expected["message_id"]
    assert message.origin == expected["from"]
    assert message.sender == expected["to"].rpartition(":")[2]
    assert message.text == expected["text"]
    assert message.verdict == FAMILIES.get(expected.get("opt_out_type"))
    assert message.provider_replied is expected.get("provider_replied", False)
