"""Azure's REST API: the signature of a request, what a send comes to, and the list of opt-outs."""

import base64
import hashlib
import hmac
import json
from email.utils import parsedate_to_datetime

import pytest
import requests
import responses

from gateway.consent.address import Address, Channel
from gateway.net.outgoing import Web
from gateway.providers.azure import Azure
from gateway.providers.azure_settings import AzureSettings
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.opt_outs import ListEntry, ListUnavailableError, PushOutcome, PushResult

HOST = "https://acme.communication.azure.com"
SEND = f"{HOST}/sms?api-version=2021-03-07"
OPT_OUT = f"{HOST}/sms/optouts:add?api-version=2024-12-10-preview"
OPT_IN = f"{HOST}/sms/optouts:remove?api-version=2024-12-10-preview"
KEY = base64.b64encode(b"an access key").decode()
PERSON = Address(Channel.SMS, "+15555550100")
OTHER = Address(Channel.SMS, "+15555550101")


def azure(**values):
    usual = {
        "provider": "azure",
        "url_secrets": "s",
        "endpoint": HOST + "/",
        "access_key": KEY,
        "opt_out_api": True,
    }
    return Azure(AzureSettings.model_validate({**usual, **values}), Web())


def outbound(reference="r-1"):
    return OutboundMessage(PERSON, "+15555550199", "Bye ß 🛑", reference=reference)


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


def value(status, **more):
    return {"value": [{"to": "+15555550100", "httpStatusCode": status, **more}]}


def test_a_reply_is_sent_once_for_its_reference(api):
    for _ in range(2):
        api.post(SEND, json=value(202, messageId="Outgoing_1", successful=True), status=202)
    assert azure().send(outbound()) == SendResult(SendOutcome.SENT, message_id="Outgoing_1")
    azure().send(outbound())
    first, second = [json.loads(call.request.body) for call in api.calls]
    [recipient] = first["smsRecipients"]
    assert (first["from"], first["message"], recipient["to"]) == ("+15555550199", "Bye ß 🛑", "+15555550100")
    assert recipient["repeatabilityRequestId"] == second["smsRecipients"][0]["repeatabilityRequestId"]
    assert parsedate_to_datetime(recipient["repeatabilityFirstSent"]).tzname() == "UTC"
    assert first["smsSendOptions"] == {"enableDeliveryReport": True, "tag": "r-1"}


def test_the_request_is_signed_as_microsoft_describes(api):
    api.post(SEND, json=value(202), status=202)
    azure().send(outbound())
    request = api.calls[0].request
    digest = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
    date = request.headers["x-ms-date"]
    signed = f"POST\n/sms?api-version=2021-03-07\n{date};acme.communication.azure.com;{digest}"
    mac = hmac.new(b"an access key", signed.encode(), hashlib.sha256).digest()
    assert date.endswith(" GMT")
    assert request.headers["x-ms-content-sha256"] == digest
    assert request.headers["Authorization"] == (
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
        f"&Signature={base64.b64encode(mac).decode()}"
    )


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (202, value(400, errorMessage="invalid"), SendResult(SendOutcome.REFUSED, error_code="400")),
        (202, value(429), SendResult(SendOutcome.BUSY, error_code="429")),
        (202, value(500), SendResult(SendOutcome.UNKNOWN, error_code="500")),
        (202, {}, SendResult(SendOutcome.UNKNOWN)),
        (401, {"error": {"code": "Denied"}}, SendResult(SendOutcome.REFUSED, error_code="Denied")),
        (429, {}, SendResult(SendOutcome.BUSY, error_code="429")),
        (503, {}, SendResult(SendOutcome.UNKNOWN, error_code="503")),
    ],
)
def test_what_a_send_comes_to(api, status, body, expected):
    api.post(SEND, json=body, status=status)
    assert azure().send(outbound("")) == expected


def test_a_time_out_is_an_unknown_outcome(api):
    api.post(SEND, body=requests.ReadTimeout())
    assert azure().send(outbound()) == SendResult(SendOutcome.UNKNOWN)


def test_without_a_key_nothing_is_sent_or_listed():
    bare = azure(endpoint=None, access_key=None, opt_out_api=False)
    assert bare.send(outbound()).error_code == "no_credentials"
    assert bare.opt_outs is None
    assert azure(opt_out_api=False).opt_outs is None


def test_opt_outs_of_one_sender_and_standing_go_in_one_call_and_keep_their_places(api):
    api.post(OPT_OUT, json={"value": [{"to": "+15555550101", "httpStatusCode": 400}, *value(200)["value"]]})
    api.post(OPT_IN, json={"value": [{"to": "+15555550101", "httpStatusCode": 200}]})
    entries = [
        ListEntry(PERSON, "+15555550199", True),
        ListEntry(OTHER, "+15555550199", False),
        ListEntry(OTHER, "+15555550199", True),
        ListEntry(PERSON, "", True),
    ]
    results = azure().opt_outs.push(entries)
    assert [(result.outcome, result.error_code) for result in results] == [
        (PushOutcome.DONE, None),
        (PushOutcome.DONE, None),
        (PushOutcome.REFUSED, "400"),
        (PushOutcome.REFUSED, "no_sender"),
    ]
    sent = {call.request.url: json.loads(call.request.body) for call in api.calls}
    assert sent[OPT_OUT] == {
        "from": "+15555550199",
        "recipients": [{"to": "+15555550100"}, {"to": "+15555550101"}],
    }
    assert sent[OPT_IN] == {"from": "+15555550199", "recipients": [{"to": "+15555550101"}]}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"value": []}, PushResult(PushOutcome.LATER)),
        (200, value(503), PushResult(PushOutcome.LATER, "503")),
        (429, {}, PushResult(PushOutcome.LATER, "429")),
        (500, {}, PushResult(PushOutcome.LATER, "500")),
        (403, {}, PushResult(PushOutcome.REFUSED, "403")),
    ],
)
def test_what_a_push_comes_to(api, status, body, expected):
    api.post(OPT_OUT, json=body, status=status)
    assert azure().opt_outs.push([ListEntry(PERSON, "+15555550199", True)]) == [expected]


def test_the_list_is_written_only():
    opt_outs = azure().opt_outs
    assert (opt_outs.batch, opt_outs.can_pull, opt_outs.push([])) == (100, False, [])
    with pytest.raises(ListUnavailableError):
        opt_outs.pull(None)
