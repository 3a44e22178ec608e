"""Recorded SNS requests, signed by AWS and by others: accepted or refused, and read, as their authors say."""

from typing import Any

import pytest
from support.recorded import assert_judged, cases, has_expectation
from support.vectors import Vector, request_of, topics_of

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Call, Returned
from gateway.providers.aws import Aws, AwsSettings


class Sns:
    """The hosts of SNS: they serve one certificate and confirm every subscription."""

    def __init__(self, certificate: str) -> None:
        self.certificate = certificate
        self.called: list[str] = []

    def call(self, call: Call) -> Returned:
        self.called.append(call.url)
        return Returned(200, {}, self.certificate.encode() if call.url.endswith(".pem") else b"<Confirmed/>")


def provider_of(vector: Vector, sns: Sns, **settings: Any) -> Aws:
    values = {"provider": "aws", "topics": topics_of(vector), **settings}
    return Aws(AwsSettings.model_validate(values), sns)


@pytest.mark.parametrize("vector", cases("aws"))
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    provider = provider_of(vector, Sns(vector.get("cert_pem", "")))
    assert_judged(provider, request_of(vector), valid=vector["valid"])


@pytest.mark.parametrize("vector", cases("aws", lambda vector: vector.get("cert_pem", "").startswith("-")))
def test_a_pinned_certificate_judges_alike_and_is_never_fetched(vector):
    sns = Sns("")
    provider, request = provider_of(vector, sns, certificates=vector["cert_pem"]), request_of(vector)
    if vector["valid"]:
        provider.verify(request)
    else:
        with pytest.raises(NotAuthenticError):
            provider.verify(request)
    assert sns.called == []


@pytest.mark.parametrize("vector", cases("aws", has_expectation))
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
