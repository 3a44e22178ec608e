"""Bandwidth's lists beyond the recorded ones: what is read, set aside, answered and sent."""

import json
from contextlib import suppress

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Web
from gateway.providers.bandwidth import Bandwidth, BandwidthSettings, rehearsal_account
from gateway.providers.base import (
    OutboundMessage,
    Received,
    Rehearsal,
    SendOutcome,
    SendResult,
    WebhookRequest,
)
from gateway.providers.payload import clean

URL = "https://consent.example.com/sms/acme-bandwidth"
SEND = "https://messaging.bandwidth.com/api/v2/users/12345/messages"
PERSON = Address(Channel.SMS, "+15555550100")
KEYS = {
    "account_id": "12345",
    "application_id": "app-1",
    "api_username": "api",
    "api_password": "s3cret",
}
AUTHORIZED = {"authorization": "Basic Ync6czNjcmV0"}  # bw:s3cret


def bandwidth(**values):
    settings = {"provider": "bandwidth", "basic": "bw:s3cret", **values}
    return Bandwidth(BandwidthSettings.model_validate(settings), Web())


def posted(body, headers=AUTHORIZED):
    return WebhookRequest("POST", URL, headers, body)


def received(*events):
    return bandwidth().receive(posted(json.dumps(events).encode()))


def event(kind="message-received", *, top=None, **message):
    usual = {
        "id": "m1",
        "owner": "+15555550199",
        "to": ["+15555550199"],
        "from": "+15555550100",
        "text": "STOP",
        "direction": "in",
        "media": [],
    }
    return {"type": kind, "to": "+15555550199", "message": {**usual, **message}, **(top or {})}


def rehearsal(text="STOP"):
    return Rehearsal(URL, "+15555550100", "+15555550199", text, "m1", 0)


def test_a_wrong_password_is_refused_with_a_challenge():
    wrong = posted(b"[]", {"authorization": "Basic Ync6d3Jvbmc="})
    with pytest.raises(NotAuthenticError):
        bandwidth().receive(wrong)
    refusal = bandwidth().refuse(wrong)
    assert refusal.status == 401
    assert dict(refusal.headers)["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_other_methods_are_refused(method):
    with pytest.raises(NotAuthenticError):
        bandwidth().verify(WebhookRequest(method, URL, AUTHORIZED, b""))


@given(st.text())
def test_a_stranger_gets_nothing_but_a_refusal(header):
    with pytest.raises(NotAuthenticError):
        bandwidth().receive(posted(b"[]", {"authorization": header}))


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"basic": []}, "give basic"),
        ({"basic": ""}, "empty"),
        ({"basic": "no-colon"}, "user:password"),
        ({"account_id": "12345"}, "go together"),
        ({"account_id": "../x"}, "account_id"),
    ],
)
def test_wrong_settings_say_the_remedy(values, remedy):
    with pytest.raises(ValidationError, match=remedy):
        bandwidth(**values)


def test_a_bad_element_is_set_aside_and_the_rest_counts():
    found = received(event(id=None), event(id="m2"), 7, event(text=["x"]))
    assert [message.message_id for message in found.messages] == ["m2"]
    assert len(found.unreadable) == 3
    assert "+1555" not in " ".join(piece.reason for piece in found.unreadable)


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_list_is_the_callers_error(body):
    with pytest.raises(CallerError):
        bandwidth().receive(posted(body))


def test_the_owned_number_is_the_sender_in_a_group():
    found = received(event(to=["+15555550111", "+15555550199"], owner="+15555550199"))
    assert found.messages[0].sender == "+15555550199"


def test_without_an_owner_the_number_written_to_is_taken():
    found = received(event(owner=None, top={"to": "15555550199"}))
    assert found.messages[0].sender == "+15555550199"


def test_a_message_of_ours_is_never_read_as_a_persons_word():
    assert received(event(direction="out")) == Received([], [], [])


@pytest.mark.parametrize("kind", ["message-sending", "message-delivered", "message-failed"])
def test_a_report_tells_of_the_recipient(kind):
    report = event(
        kind, direction="out", to=["+15555550100"], top={"to": "+15555550100"}, **{"from": "+15555550199"}
    )
    [status] = received(report).statuses
    assert (status.address, status.sender) == (PERSON, "+15555550199")
    assert (status.status, status.opted_out) == (kind.removeprefix("message-"), False)


def test_the_member_of_a_group_who_has_opted_out_is_told_by_the_event():
    group = ["+15555550111", "+15555550100"]
    report = event(
        "message-failed", direction="out", to=group, top={"to": "15555550100", "errorCode": "4775"}
    )
    [status] = received(report).statuses
    assert (status.address, status.opted_out) == (PERSON, True)


def test_events_of_other_kinds_hold_nothing_for_us():
    assert received({"type": "number-order"}, {}) == Received([], [], [])


@pytest.mark.parametrize(
    ("sender", "text", "silent"),
    [("+15555550199", "STOP", False), ("+18885550100", "stop", True), ("+18885550100", "HELP", False)],
)
def test_only_the_toll_free_network_answers(sender, text, silent):
    [message] = received(event(owner=sender, text=text)).messages
    assert bandwidth().replies_by_itself(message, ReadingClass.OPT_OUT) is silent


@given(st.binary())
def test_any_body_is_read_or_refused(body):
    with suppress(CallerError):
        bandwidth().receive(posted(body))


@given(st.text())
def test_a_rehearsed_message_comes_back_as_it_was(text):
    [found] = bandwidth().receive(bandwidth().rehearse(rehearsal(text))).messages
    assert (found.text, found.address, found.sender) == (clean(text), PERSON, "+15555550199")


def test_the_made_up_account_verifies_its_own_rehearsal_and_no_other():
    values, key = rehearsal_account()
    provider = Bandwidth(BandwidthSettings.model_validate(values), Web())
    assert key is None
    assert provider.receive(provider.rehearse(rehearsal())).messages
    with pytest.raises(NotAuthenticError):
        bandwidth().receive(provider.rehearse(rehearsal()))


def test_the_acknowledgement_is_an_empty_200():
    answer = bandwidth().answer(("ignored",))
    assert (answer.status, answer.body, bandwidth().takes_inline) == (200, b"", False)


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


def outbound(**values):
    usual = {"address": PERSON, "sender": "+15555550199", "text": "Bye ß 🛑", "reference": "r-1"}
    return OutboundMessage(**{**usual, **values})


def test_a_reply_is_sent_from_the_application_that_was_written_to(api):
    api.post(SEND, json={"id": "m2"}, status=202)
    assert bandwidth(**KEYS).send(outbound(service="app-2")) == SendResult(SendOutcome.SENT, message_id="m2")
    [call] = api.calls
    assert json.loads(call.request.body) == {
        "applicationId": "app-2",
        "from": "+15555550199",
        "to": ["+15555550100"],
        "text": "Bye ß 🛑",
        "tag": "r-1",
    }
    assert call.request.headers["Authorization"] == "Basic YXBpOnMzY3JldA=="


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            400,
            {"type": "request-validation"},
            SendResult(SendOutcome.REFUSED, error_code="request-validation"),
        ),
        (400, {"errorCode": 4775}, SendResult(SendOutcome.OPTED_OUT, error_code="4775")),
        (401, {}, SendResult(SendOutcome.REFUSED, error_code="401")),
        (429, {"type": "too-many"}, SendResult(SendOutcome.BUSY, error_code="too-many")),
        (503, {}, SendResult(SendOutcome.UNKNOWN, error_code="503")),
    ],
)
def test_what_an_error_comes_to(api, status, body, expected):
    api.post(SEND, json=body, status=status)
    assert bandwidth(**KEYS).send(outbound()) == expected


def test_without_credentials_nothing_is_sent():
    assert bandwidth().send(outbound()).error_code == "no_credentials"
