"""Recorded SNS requests, signed by AWS and by others: accepted or refused, and read, as their authors say."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Call, Returned
from gateway.providers.aws import Aws, AwsSettings
from gateway.providers.base import WebhookRequest

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "vectors" / "aws.json"


class Sns:
    """The hosts of SNS: they serve one certificate and confirm every subscription."""

    def __init__(self, certificate: str) -> None:
        self.certificate = certificate
        self.called: list[str] = []

    def call(self, call: Call) -> Returned:
        self.called.append(call.url)
        return Returned(200, {}, self.certificate.encode() if call.url.endswith(".pem") else b"<Confirmed/>")


def recorded() -> list[Any]:
    if not VECTORS.exists():
        reason = pytest.mark.skip(reason=f"no recorded requests: {VECTORS} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["id"]) for vector in vectors]


def topics_of(vector: dict[str, Any]) -> list[str]:
    """Return the allowed topics, by default the one of the request, so that nothing but the signature tells."""
    if topics := vector.get("options", {}).get("allowed_topic_arns"):
        return topics
    try:
        return [json.loads(vector["request"]["body_raw"])["TopicArn"]]
    except (ValueError, KeyError):
        return ["arn:aws:sns:us-east-1:000000000000:two-way-sms"]


def provider_of(vector: dict[str, Any], sns: Sns, **settings: Any) -> Aws:
    values = {"provider": "aws", "topics": topics_of(vector), **settings}
    return Aws(AwsSettings.model_validate(values), sns)


def request_of(vector: dict[str, Any]) -> WebhookRequest:
    wire = vector["request"]
    headers = {name.lower(): value for name, value in wire["headers"].items()}
    now = vector.get("now", 0) * 1_000_000
    return WebhookRequest(wire["method"], wire["url"], headers, wire["body_raw"].encode(), now)


@pytest.mark.parametrize("vector", recorded())
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    provider = provider_of(vector, Sns(vector.get("cert_pem", "")))
    request = request_of(vector)
    if vector["valid"]:
        provider.verify(request)
        return
    with pytest.raises(NotAuthenticError):
        provider.verify(request)
    with pytest.raises(NotAuthenticError):
        provider.receive(request)


@pytest.mark.parametrize(
    "vector",
    [case for case in recorded() if not case.values[0] or case.values[0].get("cert_pem", "").startswith("-")],
)
def test_a_pinned_certificate_judges_alike_and_is_never_fetched(vector):
    sns = Sns("")
    provider, request = provider_of(vector, sns, certificates=vector["cert_pem"]), request_of(vector)
    if vector["valid"]:
        provider.verify(request)
    else:
        with pytest.raises(NotAuthenticError):
            provider.verify(request)
    assert sns.called == []


@pytest.mark.parametrize(
    "vector", [case for case in recorded() if not case.values[0] or case.values[0].get("expect")]
)
def test_a_recorded_message_is_read_as_its_author_says(vector):
    expected, sns = vector["expect"], Sns(vector["cert_pem"])
    received = provider_of(vector, sns).receive(request_of(vector))
    if kind := expected.get("kind"):
        assert not received.messages
        assert not received.statuses
        confirmed = [url for url in sns.called if "Action=ConfirmSubscription" in url]
        assert len(confirmed) == (kind == "subscription_confirmation")
        return
    [message] = received.messages
    assert message.message_id == expected["message_id"]
    assert message.origin == expected["from"]
    assert message.sender == expected["to"]
    assert message.text == expected["text"]
