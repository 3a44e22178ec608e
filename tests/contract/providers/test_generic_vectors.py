"""Recorded requests of schemes that many providers share: accepted or refused as their authors say."""

import json

import pytest
from support.recorded import assert_judged, cases, provider_of
from support.vectors import request_of


@pytest.mark.parametrize("vector", cases("generic"))
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    assert_judged(provider_of(vector), request_of(vector), valid=vector["valid"])


@pytest.mark.parametrize("vector", cases("generic", lambda vector: '"text"' in vector["request"]["body_raw"]))
def test_a_recorded_message_is_read_as_it_was_written(vector):
    request = request_of(vector)
    written = json.loads(request.body)
    [message] = provider_of(vector).parse(request).messages
    assert message.message_id == written["id"]
    assert (message.origin, message.sender) == (written["from"], written["to"])
    assert message.text == vector.get("expect", written)["text"]
    assert message.said_at == 1_767_225_600_000_000
