"""Recorded Clickatell requests: accepted or refused, and read, as their authors say."""

import pytest
from support.recorded import assert_judged, cases, is_valid, provider_of
from support.vectors import request_of

from gateway.providers.numbers import person
from gateway.providers.times import from_iso


@pytest.mark.parametrize("vector", cases("clickatell"))
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    assert_judged(provider_of(vector), request_of(vector), valid=vector["valid"])


@pytest.mark.parametrize("vector", cases("clickatell", is_valid))
def test_a_recorded_message_is_read_as_its_author_says(vector):
    received, expected = provider_of(vector).receive(request_of(vector)), vector["expect"]
    [message] = received.messages
    assert message.message_id == expected["message_id"]
    assert message.origin == expected["from"]
    assert message.address == person(expected["from"])
    assert message.sender.removeprefix("+") == expected.get("to", "")
    assert message.text == expected["text"]
    assert message.said_at == from_iso(expected.get("timestamp", "2018-01-17T19:35:11Z"))
