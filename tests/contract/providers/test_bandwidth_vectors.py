"""Recorded Bandwidth requests: accepted or refused, and read, as their authors say."""

import pytest
from support.recorded import cases, is_forged, is_valid, provider_of
from support.vectors import request_of

from gateway.errors import NotAuthenticError
from gateway.providers.base import Received


@pytest.mark.parametrize("vector", cases("bandwidth", is_forged))
def test_a_recorded_forgery_is_refused_and_answered_as_its_author_says(vector):
    provider, request = provider_of(vector), request_of(vector)
    with pytest.raises(NotAuthenticError):
        provider.receive(request)
    refusal = provider.refuse(request)
    assert refusal.status == vector.get("expect", {}).get("http_status", 401)
    assert "WWW-Authenticate" in dict(refusal.headers)


@pytest.mark.parametrize("vector", cases("bandwidth", is_valid))
def test_a_recorded_request_is_accepted_and_read_as_its_author_says(vector):
    expected = vector.get("expect", {})
    received = provider_of(vector).receive(request_of(vector))
    if expected.get("messages") == []:
        assert received == Received([], [], [])
    elif expected.get("kind") == "status":
        assert_status(received, expected)
    else:
        assert_message(received, expected)


def assert_status(received, expected):
    [status] = received.statuses
    assert not received.messages
    assert status.error_code == (str(expected["error_code"]) if "error_code" in expected else None)
    assert status.opted_out is (expected.get("error_code") == 4775)


def assert_message(received, expected):
    [message] = received.messages
    assert not received.statuses
    assert message.message_id == expected.get("message_id", message.message_id)
    assert message.origin == expected.get("from", message.origin)
    assert message.text == expected.get("text", message.text)
    assert message.sender == expected.get("owner", message.sender)
    assert message.said_at == 1_473_877_216_000_000
