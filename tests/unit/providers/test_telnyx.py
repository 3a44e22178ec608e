"""Telnyx's events beyond the recorded ones: what is read, refused, answered and sent."""

import base64
import contextlib
import json

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, GatewayError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Web
from gateway.providers.base import (
    CannotRehearseError,
    OutboundMessage,
    Received,
    Rehearsal,
    SendOutcome,
    SendResult,
    WebhookRequest,
)
from gateway.providers.opt_outs import ListEntry, ListPage, ListUnavailableError, PushOutcome
from gateway.providers.payload import clean
from gateway.providers.telnyx import Telnyx, TelnyxSettings, rehearsal_account
from gateway.providers.telnyx_signature import made_up_keys, signature_headers

PUBLIC, PRIVATE = made_up_keys()
NOW = 1_767_225_600_000_000
URL = "https://consent.example.com/sms/acme-telnyx"
SEND = "https://api.telnyx.com/v2/messages"
LIST = "https://api.telnyx.com/v2/messaging_optouts"
PERSON = Address(Channel.SMS, "+15555550100")


def telnyx(**values):
    settings = {"provider": "telnyx", "public_keys": PUBLIC, **values}
    return Telnyx(TelnyxSettings.model_validate(settings), Web())


def posted(body, *, at=NOW, key=PRIVATE, received_at=NOW):
    return WebhookRequest("POST", URL, signature_headers(body, at, key), body, received_at)


def event(kind="message.received", **payload):
    usual = {
        "id": "m1",
        "type": "SMS",
        "from": {"phone_number": "+15555550100"},
        "to": [{"phone_number": "+15555550199"}],
        "text": "STOP",
    }
    return json.dumps({"data": {"event_type": kind, "payload": {**usual, **payload}}}).encode()


def message(**payload):
    [found] = telnyx().parse(posted(event(**payload))).messages
    return found


def rehearsal(text="STOP", *, key=PRIVATE):
    return Rehearsal(URL, "+15555550100", "+15555550199", text, "m1", NOW, key)


# -- proof -----------------------------------------------------------------------------------------------


def test_every_configured_key_is_accepted_and_no_other():
    other_public, other_private = made_up_keys()
    provider = telnyx(public_keys=[other_public, PUBLIC])
    provider.verify(posted(b"{}"))
    provider.verify(posted(b"{}", key=other_private))
    with pytest.raises(NotAuthenticError):
        provider.verify(posted(b"{}", key=made_up_keys()[1]))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_replay_outside_the_window_is_refused(seconds):
    with pytest.raises(NotAuthenticError):
        telnyx().verify(posted(b"{}", received_at=NOW + seconds * 1_000_000))
    telnyx(tolerance_seconds=301).verify(posted(b"{}", received_at=NOW + seconds * 1_000_000))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
def test_other_methods_are_refused(method):
    genuine = posted(b"")
    with pytest.raises(NotAuthenticError):
        telnyx().verify(WebhookRequest(method, URL, genuine.headers, b"", NOW))


ODD_HEADERS = ["", " ", "é", "\ud800", "1" * 5000, "-1", "1e9", "+1767225600", "١٧٦٧", "None"]


@pytest.mark.parametrize("name", ["telnyx-signature-ed25519", "telnyx-timestamp"])
@pytest.mark.parametrize("value", ODD_HEADERS)
def test_an_odd_header_is_refused(name, value):
    genuine = posted(b"{}")
    with pytest.raises(NotAuthenticError):
        telnyx().verify(WebhookRequest("POST", URL, {**genuine.headers, name: value}, b"{}", NOW))


@given(st.text(), st.text(), st.binary())
def test_a_stranger_gets_nothing_but_a_refusal(signature, at, body):
    headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": at}
    with pytest.raises(NotAuthenticError):
        telnyx().receive(WebhookRequest("POST", URL, headers, body, NOW))


@pytest.mark.parametrize(
    "keys",
    [[], "", "AAAA", "no base64", base64.b64encode(b"x" * 31).decode(), [PUBLIC, ""], ["é"]],
)
def test_an_account_without_usable_keys_does_not_start(keys):
    with pytest.raises(ValidationError, match="public_keys"):
        TelnyxSettings.model_validate({"provider": "telnyx", "public_keys": keys})


# -- reading ---------------------------------------------------------------------------------------------


def test_the_number_that_the_webhook_is_for_is_the_sender_in_a_group():
    group = [
        {"phone_number": "+15555550111", "status": "delivered"},
        {"phone_number": "+15555550199", "status": "webhook_delivered"},
    ]
    assert message(to=group, type="MMS").sender == "+15555550199"


@pytest.mark.parametrize("origin", ["54321", "ACME", "+1555ABC"])
def test_short_codes_and_names_are_no_person(origin):
    found = message(**{"from": {"phone_number": origin}})
    assert (found.address, found.origin) == (None, origin)


def test_a_marked_message_carries_telnyxs_verdict_and_is_not_answered():
    found = message(text="Opt me out", autoresponse_type="STOP")
    assert found.verdict is ReadingClass.OPT_OUT
    assert telnyx(provider_replies="none").replies_by_itself(found, ReadingClass.OPT_OUT)


@pytest.mark.parametrize(
    ("text", "replies", "silent"),
    [
        ("stop all", "auto", True),
        ("START", "auto", True),
        ("HELP", "auto", False),
        ("YES", "auto", False),
        ("stop please", "auto", False),
        ("STOP", "marker", False),
        ("STOP", "none", False),
    ],
)
def test_who_answers_an_unmarked_keyword(text, replies, silent):
    provider = telnyx(provider_replies=replies)
    assert provider.replies_by_itself(message(text=text), ReadingClass.OPT_OUT) is silent


def test_the_toll_free_network_always_answers_and_a_sender_may_differ():
    toll_free = message(to=[{"phone_number": "+18885550100"}])
    assert telnyx(provider_replies="none").replies_by_itself(toll_free, ReadingClass.OPT_OUT)
    own = {"+15555550199": {"provider_replies": "none"}}
    assert not telnyx(senders=own).replies_by_itself(message(), ReadingClass.OPT_OUT)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"type": "text", "text": {"body": "Stop"}}, "Stop"),
        ({"text": "Stop"}, "Stop"),
        ({"suggestion_response": {"text": "Stop", "postback_data": "x"}}, "Stop"),
        ({"button": {"text": "Stop"}}, "Stop"),
        ({"interactive": {"button_reply": {"id": "1", "title": "Stop"}}}, "Stop"),
        ({"type": "image"}, ""),
        ("odd", ""),
    ],
)
def test_the_words_of_whatsapp_and_rcs_are_found(body, text):
    assert message(text=None, body=body).text == text


def test_whatsapp_has_one_recipient_and_may_hide_the_number():
    found = message(
        type="WHATSAPP", to="+15555550199", body={"from_user_id": "US.13491208655302741918"}, **{"from": {}}
    )
    assert found.address == Address(Channel.WHATSAPP, "US.13491208655302741918")
    assert found.sender == "+15555550199"


def test_a_report_of_a_block_is_an_opt_out_and_no_message():
    report = event(
        "message.finalized",
        **{"from": {"phone_number": "+15555550199"}},
        to=[{"phone_number": "+15555550100", "status": "sending_failed"}],
        errors=[{"code": 40300, "title": "Blocked due to STOP message"}],
    )
    received = telnyx().parse_status(posted(report))
    [status] = received.statuses
    assert not received.messages
    assert (status.address, status.sender) == (PERSON, "+15555550199")
    assert (status.status, status.error_code, status.opted_out) == ("sending_failed", "40300", True)


def test_of_several_recipients_only_the_failed_are_opted_out():
    ends = [
        {"phone_number": "+15555550100", "status": "sending_failed"},
        {"phone_number": "+15555550101", "status": "delivered"},
    ]
    report = event("message.finalized", to=ends, errors=[{"code": "40300"}])
    assert [status.opted_out for status in telnyx().parse(posted(report)).statuses] == [True, False]


def test_a_delivered_message_is_no_opt_out():
    report = event("message.sent", to=[{"phone_number": "+15555550100", "status": "delivered"}])
    [status] = telnyx().parse(posted(report)).statuses
    assert (status.opted_out, status.error_code) == (False, None)


def test_events_of_other_kinds_hold_nothing_for_us():
    assert telnyx().parse(posted(event("call.initiated"))) == Received()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{",
        b'{"data":7}',
        b"[" * 100_000,
        b'{"data":{"event_type":"message.received","id":1' + b"0" * 5000 + b"}}",
        event(id=None),
        event(id=1.5),
        event(id=True),
        event(to=[]),
        event(**{"from": None}),
        event(text={"a": 1}),
        json.dumps({"data": {"event_type": "message.received", "id": "x"}}).encode(),
    ],
)
def test_what_cannot_be_read_is_the_callers_error(body):
    with pytest.raises(CallerError):
        telnyx().receive(posted(body))


def test_what_the_database_cannot_store_does_not_survive():
    found = message(text="ST\0OP \ud83d", id="m\0")
    assert (found.text, found.message_id) == ("ST\ufffdOP \ufffd", "m\ufffd")


@pytest.mark.parametrize("written", ["yesterday", None, 5, "0001-01-01T00:00:00Z", ""])
def test_a_silly_time_is_none(written):
    assert message(received_at=written).said_at is None


@given(st.binary())
def test_any_signed_body_is_read_or_refused(body):
    with contextlib.suppress(GatewayError):
        telnyx().receive(posted(body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "from", "to", "text", "body", "media", "errors", "type"]), json_values
    )
)
def test_any_payload_is_read_or_refused(payload):
    for kind in ("message.received", "message.finalized"):
        body = json.dumps({"data": {"event_type": kind, "payload": payload}}).encode()
        with contextlib.suppress(GatewayError):
            telnyx().parse(posted(body))


# -- rehearsing ------------------------------------------------------------------------------------------


@given(st.text())
def test_a_rehearsed_message_comes_back_as_it_was(text):
    [found] = telnyx().receive(telnyx().rehearse(rehearsal(text))).messages
    assert (found.text, found.address, found.sender) == (clean(text), PERSON, "+15555550199")
    assert found.message_id == "m1"


def test_the_made_up_account_verifies_its_own_rehearsal():
    values, key = rehearsal_account()
    provider = Telnyx(TelnyxSettings.model_validate(values), Web())
    provider.receive(provider.rehearse(rehearsal(key=key)))
    with pytest.raises(NotAuthenticError):
        provider.receive(provider.rehearse(rehearsal(key=PRIVATE)))


def test_without_the_private_key_nothing_is_rehearsed():
    with pytest.raises(CannotRehearseError):
        telnyx().rehearse(rehearsal(key=None))


def test_the_acknowledgement_is_an_empty_200():
    answer = telnyx().answer(("ignored",))
    assert (answer.status, answer.body, telnyx().takes_inline) == (200, b"", False)


# -- sending ---------------------------------------------------------------------------------------------


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


def sends(**values):
    return telnyx(api_key="KEY_test", **values).send


def outbound(**values):
    usual = {"address": PERSON, "sender": "+15555550199", "text": "Bye ß 🛑", "reference": "r-1"}
    return OutboundMessage(**{**usual, **values})


def test_a_reply_is_sent_once_for_its_reference(api):
    api.post(SEND, json={"data": {"id": "m2"}})
    assert sends()(outbound()) == SendResult(SendOutcome.SENT, message_id="m2")
    [call] = api.calls
    assert json.loads(call.request.body) == {"from": "+15555550199", "to": "+15555550100", "text": "Bye ß 🛑"}
    assert call.request.headers["Authorization"] == "Bearer KEY_test"
    assert call.request.headers["Idempotency-Key"] == "r-1"


def test_an_alphanumeric_sender_sends_through_the_profile(api):
    api.post(SEND, json={"data": {"id": "m2"}})
    sends(messaging_profile_id="p1")(outbound(sender="ACME"))
    assert json.loads(api.calls[0].request.body)["messaging_profile_id"] == "p1"


def test_whatsapp_has_its_own_form(api):
    api.post(f"{SEND}/whatsapp", json={"data": {"id": "m2"}})
    sends()(outbound(address=Address(Channel.WHATSAPP, "US.1")))
    body = json.loads(api.calls[0].request.body)
    assert body["whatsapp_message"] == {"type": "text", "text": {"body": "Bye ß 🛑"}}
    assert body["to"] == "US.1"


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "40300", SendOutcome.OPTED_OUT),
        (403, "40300", SendOutcome.OPTED_OUT),
        (422, "10016", SendOutcome.REFUSED),
        (429, "10011", SendOutcome.BUSY),
        (500, "10007", SendOutcome.UNKNOWN),
    ],
)
def test_what_an_error_comes_to(api, status, code, expected):
    api.post(SEND, json={"errors": [{"code": code, "title": "t"}]}, status=status)
    assert sends()(outbound()) == SendResult(expected, error_code=code)


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"errors": 3}'])
def test_an_odd_error_shows_its_status(api, body):
    api.post(SEND, body=body, status=400)
    assert sends()(outbound()) == SendResult(SendOutcome.REFUSED, error_code="400")


def test_without_an_api_key_nothing_is_sent_or_listed():
    assert telnyx().send(outbound()) == SendResult(SendOutcome.REFUSED, error_code="no_credentials")
    assert telnyx().opt_outs is None


# -- the list of opt-outs --------------------------------------------------------------------------------


def blocks():
    return telnyx(api_key="KEY_test").opt_outs


BLOCK = {
    "from": "+15555550199",
    "to": "+15555550100",
    "messaging_profile_id": "p1",
    "keyword": "STOP",
    "created_at": "2026-01-01 00:00:00.000000+00:00",
}


def test_the_list_is_read_page_by_page(api):
    pages = {"total_pages": 2, "page_size": 250}
    api.get(LIST, json={"data": [BLOCK, {**BLOCK, "to": "12345"}], "meta": pages})
    api.get(LIST, json={"data": [BLOCK], "meta": pages})
    entry = ListEntry(PERSON, "+15555550199", True, NOW)
    assert blocks().pull(None) == ListPage([entry], "2")
    assert blocks().pull("2") == ListPage([entry], None)
    assert [call.request.params["page[number]"] for call in api.calls] == ["1", "2"]
    assert api.calls[0].request.params["redaction_enabled"] == "false"


@pytest.mark.parametrize(
    ("status", "body"), [(500, "{}"), (401, "{}"), (200, "[]"), (200, "<html>"), (200, '{"data":[1]}')]
)
def test_a_list_that_cannot_be_read_is_said_to_be_unavailable(api, status, body):
    api.get(LIST, body=body, status=status)
    with pytest.raises(ListUnavailableError):
        blocks().pull(None)


def test_nobody_writes_to_the_list():
    assert (blocks().batch, blocks().can_pull) == (0, True)
    [result] = blocks().push([ListEntry(PERSON, "", True)])
    assert result.outcome is PushOutcome.REFUSED
