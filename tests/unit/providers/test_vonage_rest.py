"""What a send by Vonage's two APIs comes to, with the answers that Vonage documents."""

import json
from urllib.parse import parse_qs

import pytest
import requests
import responses
from support.vonage_requests import settings
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError

from gateway.consent.address import Address, Channel
from gateway.net.outgoing import Web
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.vonage import Vonage

SMS_URL = "https://rest.nexmo.com/sms/json"
MESSAGES_URL = "https://api.nexmo.com/v1/messages"
PERSON = Address(Channel.SMS, "+15555550100")
PROBLEM = "https://developer.vonage.com/api-errors/messages"
APIS = {"sms": SMS_URL, "messages": MESSAGES_URL}


def vonage(api="messages", **values):
    fields = {"api": api, "signature_method": "sha256", "api_secret": "api-secret-1", **values}
    return Vonage(settings(**fields), Web())


def message(text="Bye.", *, address=PERSON, sender="+15555550199", reference="reply-7"):
    return OutboundMessage(address, sender, text, reference=reference)


def sms_answer(status, **values):
    return {"message-count": "1", "messages": [{"to": "15555550100", "status": status, **values}]}


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


def test_a_reply_goes_out_by_the_sms_api(api):
    api.post(SMS_URL, json=sms_answer("0", **{"message-id": "0A01"}))
    assert vonage("sms").send(message("Ende ß 🛑")) == SendResult(SendOutcome.SENT, message_id="0A01")
    [call] = api.calls
    form = {name: value for name, [value] in parse_qs(call.request.body.decode()).items()}
    ends = {"from": "15555550199", "to": "15555550100"}
    assert form == {**ends, "text": "Ende ß 🛑", "type": "unicode", "client-ref": "reply-7"}
    assert call.request.headers["Authorization"] == requests.auth._basic_auth_str("abcd1234", "api-secret-1")


def test_a_text_of_gsm_characters_is_sent_as_such(api):
    api.post(SMS_URL, json=sms_answer("0"))
    vonage("sms").send(message("Bye @ £5.", reference=""))
    form = parse_qs(api.calls[0].request.body.decode())
    assert form["type"] == ["text"]
    assert "client-ref" not in form


def test_a_reply_goes_out_by_the_messages_api(api):
    api.post(MESSAGES_URL, json={"message_uuid": "aaaa-1"}, status=202)
    assert vonage().send(message("Ende ß 🛑")) == SendResult(SendOutcome.SENT, message_id="aaaa-1")
    [call] = api.calls
    assert json.loads(call.request.body) == {
        "channel": "sms",
        "message_type": "text",
        "from": "15555550199",
        "to": "15555550100",
        "text": "Ende ß 🛑",
        "client_ref": "reply-7",
    }
    assert call.request.headers["Authorization"] == requests.auth._basic_auth_str("abcd1234", "api-secret-1")


def test_whatsapp_and_alphanumeric_ends_are_named_as_they_are(api):
    api.post(MESSAGES_URL, json={"message_uuid": "aaaa-1"}, status=202)
    vonage().send(message(address=Address(Channel.WHATSAPP, "US.1234"), sender="ACME"))
    sent = json.loads(api.calls[0].request.body)
    assert (sent["channel"], sent["to"], sent["from"]) == ("whatsapp", "US.1234", "ACME")


@pytest.mark.parametrize(("api_name", "path"), [("sms", "/sms/json"), ("messages", "/v1/messages")])
def test_another_host_is_used_where_it_is_set(api, api_name, path):
    api.post(f"https://api-eu.vonage.com{path}", json={**sms_answer("0"), "message_uuid": "a"})
    assert vonage(api_name, api_url="https://api-eu.vonage.com").send(message()).outcome is SendOutcome.SENT


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("1", SendOutcome.BUSY),
        ("10", SendOutcome.BUSY),
        ("4", SendOutcome.REFUSED),
        ("7", SendOutcome.REFUSED),
        ("5", SendOutcome.UNKNOWN),
    ],
)
def test_a_status_of_the_sms_api_tells_the_outcome(api, status, outcome):
    api.post(SMS_URL, json=sms_answer(status, **{"error-text": "it did not work"}))
    assert vonage("sms").send(message()) == SendResult(outcome, error_code=status)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"messages": []}', b'{"messages": [{}]}'])
def test_an_answer_of_the_sms_api_that_tells_nothing_is_unknown(api, body):
    api.post(SMS_URL, body=body)
    assert vonage("sms").send(message()) == SendResult(SendOutcome.UNKNOWN)


@pytest.mark.parametrize(
    ("status", "problem", "outcome", "code"),
    [
        (422, {"type": f"{PROBLEM}#1120", "title": "Illegal Sender"}, SendOutcome.REFUSED, "1120"),
        (422, {"type": f"{PROBLEM}#1240", "title": "Illegal Number"}, SendOutcome.OPTED_OUT, "1240"),
        (401, {"title": "Unauthorized"}, SendOutcome.REFUSED, "401"),
        (429, {"type": f"{PROBLEM}#1000", "title": "Throttled"}, SendOutcome.BUSY, "1000"),
        (500, {}, SendOutcome.UNKNOWN, "500"),
    ],
)
def test_a_problem_of_the_messages_api_tells_the_outcome(api, status, problem, outcome, code):
    api.post(MESSAGES_URL, json=problem, status=status)
    assert vonage().send(message()) == SendResult(outcome, error_code=code)


@pytest.mark.parametrize("api_name", APIS)
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (requests.ReadTimeout(), SendOutcome.UNKNOWN),
        (
            requests.ConnectionError(MaxRetryError(None, "", ConnectTimeoutError(TimeoutError()))),
            SendOutcome.BUSY,
        ),
    ],
)
def test_a_fault_of_the_network_is_an_outcome(api, api_name, fault, outcome):
    api.post(APIS[api_name], body=fault)
    assert vonage(api_name).send(message()) == SendResult(outcome)


@pytest.mark.parametrize("api_name", APIS)
def test_an_account_without_api_secret_sends_nothing(api_name):
    result = vonage(api_name, api_secret=None).send(message())
    assert result == SendResult(SendOutcome.REFUSED, error_code="no_credentials")
