"""Recorded Infobip requests: accepted or refused, and read, as their authors say."""

import json

import pytest
from support.recorded import assert_judged, cases, is_valid, provider_of
from support.vectors import request_of

from gateway.providers.numbers import person


@pytest.mark.parametrize("vector", cases("infobip"))
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    assert_judged(provider_of(vector), request_of(vector), valid=vector["valid"])


@pytest.mark.parametrize("vector", cases("infobip", is_valid))
def test_a_recorded_batch_is_read_as_its_author_says(vector):
    received, expected = provider_of(vector).receive(request_of(vector)), vector["expect"]
    if "messages_ok" in expected:
        assert [message.message_id for message in received.messages] == expected["messages_ok"]
        pieces = [json.loads(piece.piece)["messageId"] for piece in received.unreadable]
        assert pieces == expected["messages_bad"]
        return
    assert not received.unreadable
    assert len(received.messages) == len(expected["messages"])
    wanted = expected["messages"]
    for message, fields in zip(received.messages, wanted, strict=True):
        assert message.message_id == fields["message_id"]
        assert message.text == fields.get("text", message.text)
        assert message.sender.removeprefix("+") == fields.get("to", message.sender.removeprefix("+"))
        assert message.origin == fields.get("from", message.origin)
        assert message.address == person(message.origin)
        assert message.said_at == 1_475_746_119_220_000
    if "unique" in expected:
        assert len({message.message_id for message in received.messages}) == expected["unique"]
