"""Replies through a templated request: what is called, and what its answer means."""

import json
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from gateway.consent.address import Address, Channel
from gateway.net.outgoing import Call, NothingSentError, OutcomeUnknownError, Outgoing, Returned, Web
from gateway.providers.base import OutboundMessage, SendOutcome
from gateway.providers.generic import Generic, GenericSettings

URL = "https://api.example.net/send"
JSON = '{"to": "{to}", "items": [{"body": "{text}", "n": 1}], "from": "{from}", "ref": "{reference}"}'
MESSAGE = OutboundMessage(
    Address(Channel.SMS, "+15550100123"), "+15550100100", 'a "b" & {to}\n', reference="r-1"
)


class Recorder(Outgoing):
    """Answers every call with 200 and keeps it."""

    def __init__(self, status=200, body=b"{}", error=None):
        self.calls: list[Call] = []
        self._returned = Returned(status, {}, body)
        self._error = error

    def call(self, call):
        self.calls.append(call)
        if self._error:
            raise self._error
        return self._returned


def provider(net, **send):
    settings = {
        "provider": "generic",
        "url_secrets": "x",
        "message": {"message_id": ["id"], "person": "from", "text": "text"},
        "send": {"url": URL, "template": JSON, **send},
    }
    return Generic(GenericSettings.model_validate(settings), net)


@responses.activate
def test_a_json_template_is_filled_in_and_posted():
    responses.post(URL, json={"messages": [{"id": "out-1"}]}, status=202)
    sending = provider(
        Web(), message_id="messages[0].id", headers=["X-Api-Key: k1"], username="u", password="p"
    )
    result = sending.send(MESSAGE)
    assert (result.outcome, result.message_id) == (SendOutcome.SENT, "out-1")
    [call] = responses.calls
    assert json.loads(call.request.body) == {
        "to": "+15550100123",
        "items": [{"body": MESSAGE.text, "n": 1}],
        "from": "+15550100100",
        "ref": "r-1",
    }
    assert call.request.headers["X-Api-Key"] == "k1"
    assert call.request.headers["Content-Type"] == "application/json"
    assert call.request.headers["Authorization"] == requests.auth._basic_auth_str("u", "p")


@given(st.text())
def test_no_text_leaves_its_place(text):
    net = Recorder()
    message = OutboundMessage(MESSAGE.address, "ACME", text, reference=text)
    stored = text.encode("utf-8", "replace").decode()
    provider(net).send(message)
    assert json.loads(net.calls[-1].body)["items"] == [{"body": stored, "n": 1}]
    provider(net, body="form", template="key=k&to={to_digits}&from={from_digits}&text={text}&x=").send(
        message
    )
    assert parse_qsl(net.calls[-1].body.decode(), keep_blank_values=True) == [
        ("key", "k"),
        ("to", "15550100123"),
        ("from", "ACME"),
        ("text", stored),
        ("x", ""),
    ]
    provider(net, url=URL + "/{to}?text={text}&ref={reference}", template=None, method="GET").send(message)
    url = urlsplit(net.calls[-1].url)
    assert (url.netloc, url.path, net.calls[-1].body) == ("api.example.net", "/send/%2B15550100123", b"")
    assert parse_qs(url.query, keep_blank_values=True) == {"text": [stored], "ref": [stored]}


CODES = {
    "code": "result.code",
    "accepted_codes": ["0", "Queued"],
    "opted_out_codes": ["406", "STOPPED"],
    "busy_codes": ["busy"],
}


@pytest.mark.parametrize(
    ("send", "status", "body", "outcome", "code"),
    [
        ({}, 200, b"", SendOutcome.SENT, None),
        ({}, 400, b"", SendOutcome.REFUSED, "400"),
        ({}, 429, b"", SendOutcome.BUSY, "429"),
        ({}, 500, b"", SendOutcome.UNKNOWN, "500"),
        ({}, 302, b"", SendOutcome.REFUSED, "302"),
        ({"accepted_statuses": [201]}, 201, b"", SendOutcome.SENT, None),
        ({"accepted_statuses": [201]}, 200, b"", SendOutcome.REFUSED, "200"),
        ({"accepted_statuses": [201]}, 503, b"", SendOutcome.UNKNOWN, "503"),
        ({"accepted_statuses": [302]}, 302, b"", SendOutcome.SENT, None),
        ({"opted_out_codes": ["403"]}, 403, b"", SendOutcome.OPTED_OUT, "403"),
        (CODES, 200, b'{"result": {"code": 0}}', SendOutcome.SENT, None),
        (CODES, 200, b'{"result": {"code": "queued"}}', SendOutcome.SENT, None),
        (CODES, 200, b'{"result": {"code": 7}}', SendOutcome.REFUSED, "7"),
        (CODES, 200, b'{"result": {"code": 406}}', SendOutcome.OPTED_OUT, "406"),
        (CODES, 400, b'{"result": {"code": "stopped"}}', SendOutcome.OPTED_OUT, "stopped"),
        (CODES, 200, b'{"result": {"code": "busy"}}', SendOutcome.BUSY, "busy"),
        (CODES, 200, b"not JSON", SendOutcome.UNKNOWN, "200"),
        (CODES, 200, b'{"result": []}', SendOutcome.UNKNOWN, "200"),
        (CODES, 500, b'{"result": {"code": 0}}', SendOutcome.UNKNOWN, "0"),
    ],
)
def test_status_and_code_tell_what_became_of_it(send, status, body, outcome, code):
    result = provider(Recorder(status, body), **send).send(MESSAGE)
    assert (result.outcome, result.error_code) == (outcome, code)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(NothingSentError("x"), SendOutcome.BUSY), (OutcomeUnknownError("x"), SendOutcome.UNKNOWN)],
)
def test_a_failed_call_is_an_outcome(error, outcome):
    net = Recorder(error=error)
    assert provider(net, **CODES).send(MESSAGE).outcome is outcome
    assert len(net.calls) == 1


def test_an_account_without_a_url_cannot_send():
    net = Recorder()
    result = provider(net, url=None, template=None).send(MESSAGE)
    assert (result.outcome, result.error_code, net.calls) == (SendOutcome.REFUSED, "no_credentials", [])
