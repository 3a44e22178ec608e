"""Requests of Kannel, as its source makes them: accepted or refused, and read, as their authors say."""

import pytest
from support.recorded import assert_judged, cases, provider_of
from support.vectors import Vector, request_of

from gateway.errors import CallerError


def is_of_kannel(vector: Vector) -> bool:
    return "/kannel/" in vector["request"]["url"]


@pytest.mark.parametrize("vector", cases("kannel_jasmin", is_of_kannel))
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    assert_judged(provider_of(vector), request_of(vector), valid=vector["valid"])


@pytest.mark.parametrize(
    "vector", cases("kannel_jasmin", lambda vector: is_of_kannel(vector) and vector.get("expect"))
)
def test_a_recorded_message_is_read_and_answered_as_its_author_says(vector):
    expected, provider = vector["expect"], provider_of(vector)
    if expected.get("messages") == []:
        with pytest.raises(CallerError, match="missing"):
            provider.receive(request_of(vector))
        return
    [message] = provider.receive(request_of(vector)).messages
    assert message.message_id == expected.get("message_id", message.message_id)
    assert message.origin == expected.get("from", message.origin)
    assert message.sender == expected.get("to", message.sender)
    assert message.text == expected.get("text", message.text)
    answer = provider.answer(())
    assert (answer.status, answer.body) == (200, b"")
