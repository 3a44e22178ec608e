"""Sending through Bird's three interfaces, and its suppressions, on the wire."""

import json

import pytest
import requests
import responses
from responses import matchers
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError

from gateway.consent.address import Address, Channel
from gateway.net.outgoing import Web
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.bird import Bird, BirdSettings
from gateway.providers.opt_outs import ListEntry, ListUnavailableError, PushOutcome, PushResult

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CHANNEL = "00000000-0000-4000-8000-00000000000c"
LEGACY = "https://rest.messagebird.com/messages"
NOTIFICATIONS = f"https://api.bird.com/workspaces/ws-1/channels/{CHANNEL}/messages"
SMS = "https://us1.platform.bird.com/v1/sms/messages"
SUPPRESSIONS = "https://us1.platform.bird.com/v1/sms/suppressions"
PERSON = Address(Channel.SMS, "+15555550100")
MESSAGE = OutboundMessage(PERSON, "+15555550199", "You are out. \N{WAVING HAND SIGN}", reference="ref-1")
URLS = {"legacy": LEGACY, "notifications": NOTIFICATIONS, "sms": SMS}
GENERATIONS = list(URLS)


def provider(api, **values):
    more = {"access_key": "bk_us1_key", "workspace_id": "ws-1", "channels": {CHANNEL: "15555550199"}}
    settings = {"provider": "bird", "api": api, "signing_keys": SECRET, **more, **values}
    return Bird(BirdSettings.model_validate(settings), Web())


def sent(call=0):
    return json.loads(responses.calls[call].request.body)


def header(name, call=0):
    return responses.calls[call].request.headers.get(name)


@responses.activate
def test_the_first_generation_takes_numbers_without_a_plus():
    responses.post(LEGACY, json={"id": "out-1"}, status=201)
    one = provider("legacy", report_url="https://sms.example.com/sms/acme/status")
    assert one.send(MESSAGE) == SendResult(SendOutcome.SENT, message_id="out-1")
    assert header("Authorization") == "AccessKey bk_us1_key"
    assert sent() == {
        "recipients": ["15555550100"],
        "originator": "15555550199",
        "body": MESSAGE.text,
        "datacoding": "auto",
        "reference": "ref-1",
        "reportUrl": "https://sms.example.com/sms/acme/status",
    }


@responses.activate
@pytest.mark.parametrize("service", [None, CHANNEL])
def test_the_second_generation_sends_through_the_channel_of_the_sender(service):
    responses.post(NOTIFICATIONS, json={"id": "out-2"}, status=202)
    message = OutboundMessage(PERSON, "+15555550199", "hello", service=service)
    assert provider("notifications").send(message) == SendResult(SendOutcome.SENT, message_id="out-2")
    assert header("Authorization") == "AccessKey bk_us1_key"
    assert sent() == {
        "receiver": {"contacts": [{"identifierKey": "phonenumber", "identifierValue": "+15555550100"}]},
        "body": {"type": "text", "text": {"text": "hello"}},
    }


def test_without_a_channel_nothing_is_sent():
    one = provider("notifications", channels={})
    assert one.send(MESSAGE) == SendResult(SendOutcome.REFUSED, error_code="no_channel")


@responses.activate
def test_a_channel_id_cannot_lead_elsewhere():
    responses.post("https://api.bird.com/workspaces/ws-1/channels/..%2F..%2Fx/messages", status=404)
    message = OutboundMessage(PERSON, "+15555550199", "hello", service="../../x")
    assert provider("notifications").send(message).outcome is SendOutcome.REFUSED


@responses.activate
def test_the_third_generation_knows_a_message_by_its_reference():
    responses.post(SMS, json={"id": "out-3", "status": "accepted"}, status=202)
    assert provider("sms").send(MESSAGE) == SendResult(SendOutcome.SENT, message_id="out-3")
    assert header("Authorization") == "Bearer bk_us1_key"
    assert header("Idempotency-Key") == "ref-1"
    assert sent() == {
        "to": "+15555550100",
        "from": "+15555550199",
        "text": MESSAGE.text,
        "category": "transactional",
    }


@responses.activate
def test_without_a_reference_none_is_sent():
    responses.post(SMS, json={"id": "out-3"})
    provider("sms").send(OutboundMessage(PERSON, "54321", "hello"))
    assert header("Idempotency-Key") is None


@responses.activate
@pytest.mark.parametrize(
    ("api", "status", "document", "outcome", "code"),
    [
        ("legacy", 422, {"errors": [{"code": 10, "description": "no"}]}, SendOutcome.REFUSED, "10"),
        ("legacy", 422, {"errors": [{"code": 103}]}, SendOutcome.OPTED_OUT, "103"),
        ("legacy", 401, {"errors": []}, SendOutcome.REFUSED, "401"),
        ("notifications", 422, {"code": "InvalidPayload"}, SendOutcome.REFUSED, "InvalidPayload"),
        (
            "sms",
            422,
            {"error": {"code": "recipient_opted_out"}},
            SendOutcome.OPTED_OUT,
            "recipient_opted_out",
        ),
        ("sms", 409, {"error": {"type": "conflict_error", "code": "E1"}}, SendOutcome.REFUSED, "E1"),
        ("sms", 400, {"code": "E2"}, SendOutcome.REFUSED, "E2"),
    ],
)
def test_a_refusal_is_an_outcome_with_its_code(api, status, document, outcome, code):
    responses.post(URLS[api], json=document, status=status)
    assert provider(api).send(MESSAGE) == SendResult(outcome, error_code=code)


@responses.activate
@pytest.mark.parametrize("api", GENERATIONS)
@pytest.mark.parametrize(("status", "outcome"), [(429, SendOutcome.BUSY), (500, SendOutcome.UNKNOWN)])
def test_a_busy_or_broken_bird_is_an_outcome(api, status, outcome):
    responses.post(URLS[api], body=b"<html>", status=status)
    assert provider(api).send(MESSAGE) == SendResult(outcome, error_code=str(status))


@responses.activate
@pytest.mark.parametrize("api", GENERATIONS)
def test_a_failure_of_the_network_is_an_outcome(api):
    nothing_sent = requests.ConnectionError(MaxRetryError(None, "/", ConnectTimeoutError()))
    responses.post(URLS[api], body=nothing_sent)
    responses.post(URLS[api], body=requests.ReadTimeout())
    assert provider(api).send(MESSAGE) == SendResult(SendOutcome.BUSY)
    assert provider(api).send(MESSAGE) == SendResult(SendOutcome.UNKNOWN)


@pytest.mark.parametrize("api", GENERATIONS)
def test_without_an_access_key_nothing_is_sent_and_there_is_no_list(api):
    one = provider(api, access_key=None)
    assert one.send(MESSAGE) == SendResult(SendOutcome.REFUSED, error_code="no_credentials")
    assert one.opt_outs is None


# Suppressions


def entry(*, opted_out=True, sender="+15555550199", address=PERSON):
    return ListEntry(address, sender, opted_out=opted_out)


def pushed(*entries):
    return provider("sms").opt_outs.push(entries)


@pytest.mark.parametrize("api", ["legacy", "notifications"])
def test_only_the_third_generation_shows_its_list(api):
    assert provider(api).opt_outs is None


@responses.activate
def test_an_opt_out_adds_a_suppression():
    responses.post(SUPPRESSIONS, json={"id": "ssu_1"}, status=201)
    assert pushed(entry()) == [PushResult(PushOutcome.DONE)]
    assert sent() == {"destination": "+15555550100", "originator": "+15555550199"}
    assert header("Authorization") == "Bearer bk_us1_key"
    assert provider("sms").opt_outs.batch > 0
    assert provider("sms").opt_outs.can_pull


@responses.activate
def test_an_opt_in_removes_the_suppressions_of_the_pair():
    query = {"destination": "+15555550100", "originator": "+15555550199"}
    found = {"data": [{"id": "ssu_1"}, {"id": "ssu_2"}], "next_cursor": None}
    responses.get(SUPPRESSIONS, json=found, match=[matchers.query_param_matcher(query)])
    responses.delete(f"{SUPPRESSIONS}/ssu_1", status=204)
    responses.delete(f"{SUPPRESSIONS}/ssu_2", status=404)
    assert pushed(entry(opted_out=False)) == [PushResult(PushOutcome.DONE)]
    assert len(responses.calls) == 3


@responses.activate
def test_an_opt_in_without_a_suppression_is_done():
    responses.get(SUPPRESSIONS, json={"data": []})
    assert pushed(entry(opted_out=False)) == [PushResult(PushOutcome.DONE)]


@responses.activate
def test_a_persons_own_stop_cannot_be_removed():
    responses.get(SUPPRESSIONS, json={"data": [{"id": "ssu_1"}]})
    responses.delete(f"{SUPPRESSIONS}/ssu_1", status=422, json={"error": {"code": "NotManual"}})
    assert pushed(entry(opted_out=False)) == [PushResult(PushOutcome.REFUSED, "NotManual")]


@responses.activate
@pytest.mark.parametrize(
    ("status", "result"),
    [
        (409, PushResult(PushOutcome.DONE)),
        (422, PushResult(PushOutcome.REFUSED, "422")),
        (429, PushResult(PushOutcome.LATER, "429")),
        (503, PushResult(PushOutcome.LATER, "503")),
    ],
)
def test_each_entry_has_its_own_result(status, result):
    responses.post(SUPPRESSIONS, status=status)
    responses.post(SUPPRESSIONS, status=201)
    assert pushed(entry(), entry()) == [result, PushResult(PushOutcome.DONE)]


@responses.activate
@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ({"status": 500}, PushResult(PushOutcome.LATER, "500")),
        ({"body": b"no json"}, PushResult(PushOutcome.LATER)),
        ({"body": requests.ReadTimeout()}, PushResult(PushOutcome.LATER)),
        ({"status": 403}, PushResult(PushOutcome.REFUSED, "403")),
    ],
)
def test_a_list_that_does_not_answer_is_asked_again_later(answer, result):
    responses.get(SUPPRESSIONS, **answer)
    assert pushed(entry(opted_out=False)) == [result]


@pytest.mark.parametrize("odd", [entry(sender=""), entry(address=Address(Channel.EMAIL, "ann@example.com"))])
def test_only_pairs_of_numbers_go_on_the_list(odd):
    assert pushed(odd) == [PushResult(PushOutcome.REFUSED, "not_a_pair")]


@responses.activate
def test_the_list_is_read_page_by_page():
    row = {
        "destination": "+15555550100",
        "originator": "+15555550199",
        "effective_at": "2026-01-01T00:00:00Z",
    }
    first = {"data": [row, None, {"destination": "x"}], "next_cursor": "c2"}
    responses.get(SUPPRESSIONS, json=first, match=[matchers.query_param_matcher({"limit": "100"})])
    query = {"limit": "100", "starting_after": "c2"}
    last = {"data": [], "next_cursor": None}
    responses.get(SUPPRESSIONS, json=last, match=[matchers.query_param_matcher(query)])
    page = provider("sms").opt_outs.pull(None)
    assert page.following == "c2"
    assert page.entries == [ListEntry(PERSON, "+15555550199", opted_out=True, at=1_767_225_600_000_000)]
    assert provider("sms").opt_outs.pull("c2").following is None


@responses.activate
@pytest.mark.parametrize("answer", [{"status": 401}, {"status": 500}, {"body": b"x"}, {"json": {"data": {}}}])
def test_a_list_that_does_not_show_is_unavailable(answer):
    responses.get(SUPPRESSIONS, **answer)
    with pytest.raises(ListUnavailableError):
        provider("sms").opt_outs.pull(None)
