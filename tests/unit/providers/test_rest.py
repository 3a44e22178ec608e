"""What a call comes to."""

import json

import pytest

from gateway.net.outgoing import NothingSentError, OutcomeUnknownError, Returned
from gateway.providers.base import SendOutcome, SendResult
from gateway.providers.rest import attempt, json_call


class Net:
    def __init__(self, answer):
        self.answer = answer

    def call(self, _):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


CALL = json_call("https://api.example.com/x", {"text": "Ende ß"}, headers={"authorization": "App key"})


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, SendOutcome.SENT),
        (202, SendOutcome.SENT),
        (302, SendOutcome.REFUSED),
        (400, SendOutcome.REFUSED),
        (408, SendOutcome.BUSY),
        (429, SendOutcome.BUSY),
        (500, SendOutcome.UNKNOWN),
        (503, SendOutcome.UNKNOWN),
    ],
)
def test_the_status_tells_the_outcome(status, outcome):
    tried = attempt(Net(Returned(status, {}, b'{"id": 1}')), CALL)
    assert (tried.outcome, tried.status, tried.document) == (outcome, status, {"id": 1})


def test_nothing_sent_may_be_repeated_and_a_lost_answer_may_not():
    assert attempt(Net(NothingSentError("x")), CALL).result() == SendResult(SendOutcome.BUSY)
    assert attempt(Net(OutcomeUnknownError("x")), CALL).result() == SendResult(SendOutcome.UNKNOWN)


def test_an_answer_that_is_no_json_has_no_document():
    assert attempt(Net(Returned(200, {}, b"<html>")), CALL).document is None


def test_the_result_carries_its_evidence():
    refused = attempt(Net(Returned(403, {}, b"")), CALL)
    assert refused.result() == SendResult(SendOutcome.REFUSED, error_code="403")
    assert refused.result(error_code="7") == SendResult(SendOutcome.REFUSED, error_code="7")
    sent = attempt(Net(Returned(201, {}, b"")), CALL)
    assert sent.result(message_id="m", error_code="7") == SendResult(SendOutcome.SENT, message_id="m")


def test_a_call_carries_json():
    assert json.loads(CALL.body) == {"text": "Ende ß"}
    assert CALL.headers["content-type"] == "application/json"
    assert CALL.headers["authorization"] == "App key"
    assert json_call("https://api.example.com/x", method="GET").body == b""
    assert json.loads(json_call("https://api.example.com/x", {"text": "\ud800"}).body) == {"text": "?"}
