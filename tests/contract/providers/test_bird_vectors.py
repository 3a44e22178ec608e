"""Recorded MessageBird and Bird requests of three generations: accepted or refused, and read, as their authors say."""

import pytest
from support.recorded import assert_judged, cases, has_expectation, provider_of
from support.vectors import request_of


@pytest.mark.parametrize("vector", cases("messagebird"))
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    assert_judged(provider_of(vector), request_of(vector), valid=vector["valid"])


@pytest.mark.parametrize("vector", cases("messagebird", has_expectation))
def test_a_recorded_message_is_read_as_its_author_says(vector):
    expected = vector["expect"]
    received = provider_of(vector).receive(request_of(vector))
    if expected.get("kind") == "opt_out":
        [status] = received.statuses
        assert status.opted_out
        assert status.address.value == expected["from"]
        assert status.sender == expected["to"]
        return
    [message] = received.messages
    assert message.message_id == expected["message_id"]
    assert message.origin == expected["from"]
    assert message.sender.removeprefix("+") == expected["to"].removeprefix("+")
    assert message.text == expected["text"]
