"""Recorded Event Grid deliveries: accepted or refused, and read, as their authors say."""

import json

import pytest
from support.recorded import cases, is_forged, is_valid, provider_of
from support.vectors import request_of

from gateway.errors import NotAuthenticError


def digits(number: str) -> str:
    return number.removeprefix("+")


@pytest.mark.parametrize("vector", cases("azure", is_forged))
def test_a_recorded_forgery_is_refused(vector):
    with pytest.raises(NotAuthenticError):
        provider_of(vector).receive(request_of(vector))


@pytest.mark.parametrize("vector", cases("azure", is_valid))
def test_a_recorded_delivery_is_accepted_and_read_as_its_author_says(vector):
    expected = vector.get("expect", {})
    received = provider_of(vector).receive(request_of(vector))
    if "http_status" in expected:
        assert_answer(received.answer, expected)
    elif expected.get("kind") == "status":
        [status] = received.statuses
        assert status.opted_out is expected.get("opted_out", False)
        assert status.address.value == "+15555550100"
        assert status.sender == "+15555550199"
    elif "messages" in expected:
        assert [message.message_id for message in received.messages] == expected["messages"]
    else:
        [message] = received.messages
        assert_message(message, expected)
    assert not received.unreadable


def assert_answer(answer, expected):
    assert answer.status == expected["http_status"]
    if "json" in expected:
        assert json.loads(answer.body) == expected["json"]


def assert_message(message, expected):
    assert message.message_id == expected.get("message_id", message.message_id)
    assert message.text == expected["text"]
    assert digits(message.origin) == digits(expected.get("from", message.origin))
    assert digits(message.sender) == digits(expected.get("to", message.sender))
    assert message.address.value == "+15555550100"
    assert message.said_at == 1_767_225_600_123_000
