"""Recorded Twilio requests, signed by others: accepted or refused, and read, as their authors say."""

import pytest
from support.recorded import assert_judged, cases, has_expectation, provider_of
from support.vectors import request_of

FAMILIES = {"STOP": "opt_out", "START": "opt_in", "HELP": "help"}


@pytest.mark.parametrize("vector", cases("twilio"))
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    assert_judged(provider_of(vector), request_of(vector), valid=vector["valid"])


@pytest.mark.parametrize("vector", cases("twilio", has_expectation))
def test_a_recorded_message_is_read_as_its_author_says(vector):
    expected = vector["expect"]
    [message] = provider_of(vector).receive(request_of(vector)).messages
    assert message.message_id == expected["message_id"]
    assert message.origin == expected["from"]
    assert message.sender == expected["to"].rpartition(":")[2]
    assert message.text == expected["text"]
    assert message.verdict == FAMILIES.get(expected.get("opt_out_type"))
    assert message.provider_replied is expected.get("provider_replied", False)
