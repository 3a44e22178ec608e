"""Consents pushed to Twilio, in the form of its documentation."""

import base64
import json
from urllib.parse import parse_qs

import pytest
import responses

from gateway.consent.address import Address, Channel
from gateway.net.outgoing import Web
from gateway.providers.opt_outs import ListEntry, ListUnavailableError, PushOutcome, PushResult
from gateway.providers.twilio import Twilio, TwilioSettings

URL = "https://accounts.twilio.com/v1/Consents/Bulk"
PERSON = Address(Channel.SMS, "+15555550100")
OTHER = Address(Channel.SMS, "+15555550101")
SENDER = "+15555550199"


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


def consents(**values):
    settings = {"provider": "twilio", "account_sid": "ACtest", "auth_tokens": "token-1", **values}
    return Twilio(TwilioSettings(**settings), Web()).opt_outs


def items_of(call):
    return [json.loads(item) for item in parse_qs(call.request.body.decode())["Items"]]


def answering(judge):
    """Return a callback that answers each item by `judge`, in another order than asked."""

    def answer(request):
        items = [json.loads(item) for item in parse_qs(request.body.decode())["Items"]]
        judged = [{"correlation_id": item["correlation_id"], **judge(item)} for item in items]
        return (200, {}, json.dumps({"items": judged[::-1]}))

    return answer


def fine(_):
    return {"error_code": 0, "error_messages": []}


def test_opt_outs_and_consents_are_written_with_their_time(api):
    api.add_callback("POST", URL, answering(fine))
    entries = [
        ListEntry(PERSON, SENDER, opted_out=True, at=1_767_225_600_000_000),
        ListEntry(OTHER, "54321", opted_out=False),
    ]
    assert consents().push(entries) == [PushResult(PushOutcome.DONE)] * 2
    first, second = items_of(api.calls[0])
    ids = {first.pop("correlation_id"), second.pop("correlation_id")}
    assert len(ids) == 2
    assert all(len(each) == 32 for each in ids)
    assert first == {
        "contact_id": "+15555550100",
        "sender_id": SENDER,
        "status": "opt-out",
        "source": "others",
        "date_of_consent": "2026-01-01T00:00:00Z",
    }
    assert (second["status"], second["sender_id"]) == ("opt-in", "54321")
    credentials = base64.b64encode(b"ACtest:token-1").decode()
    assert api.calls[0].request.headers["Authorization"] == f"Basic {credentials}"


def test_an_api_key_writes_where_there_is_one(api):
    api.add_callback("POST", URL, answering(fine))
    consents(api_key_sid="SKtest", api_key_secret="s").push([ListEntry(PERSON, SENDER, opted_out=True)])
    assert api.calls[0].request.headers["Authorization"].endswith(base64.b64encode(b"SKtest:s").decode())


def test_every_entry_is_judged_by_itself(api):
    codes = {
        "+15555550100": (30646, ["INVALID_SENDER_ID"]),
        "+15555550101": (30646, ["INTERNAL_SERVER_ERROR"]),
    }

    def judge(item):
        code, messages = codes.get(item["contact_id"], (0, []))
        return {"error_code": code, "error_messages": messages}

    api.add_callback("POST", URL, answering(judge))
    third = Address(Channel.SMS, "+15555550102")
    results = consents().push([ListEntry(each, SENDER, opted_out=True) for each in (PERSON, OTHER, third)])
    assert results == [
        PushResult(PushOutcome.REFUSED, "30646"),
        PushResult(PushOutcome.LATER, "30646"),
        PushResult(PushOutcome.DONE),
    ]


def test_an_entry_that_is_not_answered_is_tried_again(api):
    api.post(URL, json={"items": []})
    assert consents().push([ListEntry(PERSON, SENDER, opted_out=True)]) == [PushResult(PushOutcome.LATER)]


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (429, "{}", PushResult(PushOutcome.LATER, "429")),
        (500, "{}", PushResult(PushOutcome.LATER, "500")),
        (401, '{"code": 20003}', PushResult(PushOutcome.REFUSED, "20003")),
        (404, "no", PushResult(PushOutcome.REFUSED, "404")),
        (200, "no", PushResult(PushOutcome.LATER)),
    ],
)
def test_the_answer_as_a_whole_counts_for_all(api, status, body, result):
    api.post(URL, body=body, status=status)
    assert consents().push([ListEntry(PERSON, SENDER, opted_out=True)]) == [result]


def test_what_has_no_sender_takes_the_messaging_service_or_is_refused(api):
    entry = ListEntry(PERSON, "", opted_out=True)
    assert consents().push([entry]) == [PushResult(PushOutcome.REFUSED, "no_sender")]
    whatsapp = ListEntry(Address(Channel.WHATSAPP, "+15555550100"), SENDER, opted_out=True)
    assert consents().push([whatsapp]) == [PushResult(PushOutcome.REFUSED, "unsupported_channel")]
    assert not api.calls
    api.add_callback("POST", URL, answering(fine))
    assert consents(messaging_service_sid="MG1").push([whatsapp, entry])[1] == PushResult(PushOutcome.DONE)
    assert [item["sender_id"] for item in items_of(api.calls[0])] == ["MG1"]


def test_nothing_can_be_read():
    assert (consents().batch, consents().can_pull) == (25, False)
    with pytest.raises(ListUnavailableError):
        consents().pull(None)


def test_an_account_without_credentials_has_no_list():
    assert consents(auth_tokens=[], shared_keys={"k": {"secret": "s"}}) is None
