"""Recorded Jasmin requests: read and answered as their authors say."""

import pytest
from support.recorded import cases, provider_of
from support.vectors import request_of


@pytest.mark.parametrize(
    "vector", cases("kannel_jasmin", lambda vector: "/jasmin/" in vector["request"]["url"])
)
def test_a_recorded_message_is_read_and_answered_as_its_author_says(vector):
    expected, provider = vector["expect"], provider_of(vector)
    [message] = provider.receive(request_of(vector)).messages
    assert message.message_id == expected.get("message_id", message.message_id)
    assert message.origin == expected.get("from", message.origin)
    assert message.sender == expected.get("to", message.sender)
    assert message.text == expected.get("text", message.text)
    answer = provider.answer(("a reply",))
    assert (answer.status, answer.body.decode()) == (200, expected.get("response_body", "ACK/Jasmin"))
