"""Settings, messages and receipts of a Vonage account, from wire requests."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.vonage_requests import (
    MESSAGE,
    NOW,
    PERSON,
    RECEIPT,
    SECRET,
    SMS,
    URL,
    is_refused,
    json_request,
    message_of,
    messages_api,
    settings,
    signature,
    sms_api,
    sms_request,
    token,
)

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, GatewayError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Web
from gateway.providers import registry
from gateway.providers.base import InboundMessage, Part, Received, Rehearsal, WebhookRequest
from gateway.providers.vonage import VonageSettings

# -- the SMS API


def test_an_sms_is_read():
    assert message_of(sms_api(), sms_request(SMS)) == InboundMessage(
        message_id="0A0000000123ABCD1",
        address=PERSON,
        origin="15555550100",
        sender="+15555550199",
        text="stop",
        said_at=NOW,
    )


def test_get_form_and_json_say_the_same():
    fields = {**SMS, "text": "Stöp 🛑 & x=y"}
    signed = {**fields, "sig": signature(fields)}
    wanted = message_of(sms_api(), sms_request(fields))
    query = WebhookRequest("GET", f"{URL}?{urlencode(signed)}", {}, b"", NOW)
    body = json.dumps({**signed, "timestamp": 1767225600}).encode()
    written = WebhookRequest("POST", URL, {"content-type": "application/json"}, body, NOW)
    assert message_of(sms_api(), query) == wanted == message_of(sms_api(), written)


def test_digits_of_a_json_number_are_signed_as_they_were_written():
    fields = {**RECEIPT, "price": "0.03330000"}
    body = json.dumps({**fields, "sig": signature(fields)}).replace('"0.03330000"', "0.03330000").encode()
    request = WebhookRequest("POST", URL, {"content-type": "application/json"}, body, NOW)
    assert sms_api().receive(request).statuses


def test_a_part_of_a_long_message_tells_its_place():
    part = {"concat": "true", "concat-ref": "54281", "concat-total": "3", "concat-part": "2"}
    assert message_of(sms_api(), sms_request({**SMS, **part})).part == Part("54281", 2, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"concat": "false"},
        {"concat-part": "4"},
        {"concat-part": "0"},
        {"concat-total": "x"},
        {"concat-total": "1", "concat-part": "1"},
    ],
)
def test_a_part_without_a_place_is_whole(change):
    part = {"concat": "true", "concat-ref": "1", "concat-total": "3", "concat-part": "2", **change}
    assert message_of(sms_api(), sms_request({**SMS, **part})).part is None


def test_a_binary_message_is_kept_for_operators():
    fields = {**SMS, "type": "binary", "text": "", "data": "53544F50", "udh": "0605040B8423F0"}
    received = sms_api().receive(sms_request(fields))
    assert received.messages[0].text == ""
    assert received.unreadable[0].piece == b"0605040B8423F0 53544F50"


def test_a_receipt_with_code_9_is_an_opt_out_of_whom_it_went_to():
    received = sms_api().receive(sms_request(RECEIPT))
    assert received.messages == ()
    [status] = received.statuses
    assert (status.message_id, status.address, status.sender) == ("aaaa-1", PERSON, "ACMEINC")
    assert (status.status, status.error_code, status.opted_out) == ("failed", "9", True)


def test_any_other_receipt_is_no_opt_out():
    [status] = (
        sms_api().parse_status(sms_request({**RECEIPT, "err-code": "0", "status": "delivered"})).statuses
    )
    assert not status.opted_out


def test_a_signed_request_of_another_kind_is_nothing_for_us():
    assert sms_api().receive(sms_request({"timestamp": "1767225600", "a": "1"})) == Received()


@pytest.mark.parametrize("name", ["messageId", "msisdn", "to"])
def test_an_sms_without_its_id_or_an_end_is_refused(name):
    with pytest.raises(CallerError, match=f"{name} is missing"):
        sms_api().receive(sms_request({**SMS, name: " "}))


@pytest.mark.parametrize(("origin", "sender"), [("54321", "54322"), ("MTN", "ACME"), ("0555123456", "54321")])
def test_what_is_no_persons_number_has_no_address(origin, sender):
    message = message_of(sms_api(), sms_request({**SMS, "msisdn": origin, "to": sender}))
    assert (message.address, message.origin, message.sender) == (None, origin, sender)


def test_characters_that_cannot_be_stored_are_replaced():
    assert message_of(sms_api(), sms_request({**SMS, "text": "st\0op"})).text == "st\ufffdop"


def test_a_silly_time_is_none():
    assert message_of(sms_api(), sms_request({**SMS, "message-timestamp": "never"})).said_at is None


# -- the Messages API


def test_a_message_is_read():
    assert message_of(messages_api(), json_request(MESSAGE)) == InboundMessage(
        message_id="aaaa-2",
        address=PERSON,
        origin="15555550100",
        sender="+15555550199",
        text="STOP",
        said_at=NOW + 250_000,
    )


def test_a_message_of_version_0_1_is_read():
    message = message_of(
        messages_api(),
        json_request(
            {
                "message_uuid": "aaaa-3",
                "from": {"type": "sms", "number": "15555550100"},
                "to": {"type": "sms", "number": "15555550199"},
                "timestamp": "2026-01-01T00:00:00Z",
                "direction": "inbound",
                "message": {"content": {"type": "text", "text": "STOP"}},
            }
        ),
    )
    assert (message.address, message.sender, message.text) == (PERSON, "+15555550199", "STOP")


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("mms", PERSON),
        ("rcs", PERSON),
        ("whatsapp", Address(Channel.WHATSAPP, "+15555550100")),
        ("viber_service", None),
        ("messenger", None),
    ],
)
def test_a_channel_decides_whose_address_it_is(channel, address):
    assert message_of(messages_api(), json_request({**MESSAGE, "channel": channel})).address == address


@pytest.mark.parametrize(
    ("content", "text", "media"),
    [
        ({"message_type": "reply", "reply": {"id": "r-1", "title": "Stop"}}, "Stop", 0),
        ({"message_type": "reply", "reply": {"id": "stop"}}, "stop", 0),
        (
            {"message_type": "button", "button": {"payload": "p", "text": "Stop promotions"}},
            "Stop promotions",
            0,
        ),
        ({"message_type": "image", "image": {"url": "https://a.example/1", "caption": "STOP"}}, "STOP", 1),
        ({"message_type": "audio", "audio": {"url": "https://a.example/1"}}, "", 1),
        (
            {"message_type": "content", "content": [{"type": "image"}, {"type": "text"}, {"type": "file"}]},
            "",
            2,
        ),
        ({"message_type": "unsupported"}, "", 0),
    ],
)
def test_words_stand_in_replies_buttons_and_captions(content, text, media):
    document = {name: value for name, value in MESSAGE.items() if name != "text"}
    message = message_of(messages_api(), json_request({**document, **content}))
    assert (message.text, message.media) == (text, media)


@pytest.mark.parametrize(
    "error",
    [
        {
            "type": "https://developer.vonage.com/api-errors/messages#1240",
            "title": 1240,
            "detail": "Illegal Number",
        },
        {"type": "https://developer.vonage.com/api-errors/messages#1240", "title": "Illegal Number"},
        {"code": 1240, "reason": "Illegal Number"},
    ],
)
def test_a_status_with_code_1240_is_an_opt_out(error):
    status = {**MESSAGE, "to": "15555550100", "from": "15555550199", "status": "rejected", "error": error}
    [found] = messages_api().receive(json_request(status)).statuses
    assert (found.address, found.sender, found.opted_out) == (PERSON, "+15555550199", True)
    assert (found.status, found.error_code) == ("rejected", "1240")


def test_a_status_of_version_0_1_is_read():
    ends = {"to": {"type": "sms", "number": "15555550100"}, "from": {"type": "sms", "number": "15555550199"}}
    status = {"message_uuid": "aaaa-4", **ends, "status": "delivered"}
    [found] = messages_api().parse_status(json_request(status)).statuses
    assert (found.message_id, found.address, found.opted_out) == ("aaaa-4", PERSON, False)


def test_json_of_another_kind_is_nothing_for_us():
    assert messages_api().receive(json_request({"type": "other"})) == Received()


@pytest.mark.parametrize(
    "change",
    [
        {"from": None},
        {"from": 1.5e10},
        {"from": {"type": "sms"}},
        {"to": ""},
        {"message_uuid": 1.5},
        {"message_uuid": True},
        {"text": ["STOP"]},
    ],
)
def test_a_message_without_its_id_or_an_end_is_not_read(change):
    with pytest.raises(CallerError) as fault:
        messages_api().receive(json_request({**MESSAGE, **change}))
    assert not isinstance(fault.value, NotAuthenticError)


@pytest.mark.parametrize("body", [b"[]", b"{", b"", b"[" * 100_000, b"9" * 10_000])
def test_a_signed_body_that_is_no_object_is_not_read(body):
    request = WebhookRequest("POST", URL, {"authorization": f"Bearer {token(body)}"}, body, NOW)
    with pytest.raises(CallerError):
        messages_api().receive(request)


# -- what Vonage never makes fail


@given(
    st.sampled_from(["GET", "POST", "PUT"]),
    st.text(),
    st.dictionaries(st.sampled_from(["authorization", "content-type"]), st.text()),
    st.binary(),
)
def test_no_request_raises_anything_but_our_errors(method, query, headers, body):
    request = WebhookRequest(method, f"{URL}?{query}", headers, body, NOW)
    for provider in (sms_api(), messages_api()):
        is_refused(provider, request)
        for read in (provider.parse, provider.parse_status):
            try:
                read(request)
            except GatewayError:
                continue


@given(
    st.dictionaries(
        st.sampled_from(sorted({*MESSAGE, "status", "error", "message"})),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(st.sampled_from(["number", "type", "text", "content"]), inner)
            ),
        ),
    )
)
def test_no_authentic_json_raises_anything_but_our_errors(document):
    try:
        messages_api().receive(json_request({**MESSAGE, **document}))
    except CallerError as fault:
        assert not isinstance(fault, NotAuthenticError)  # noqa: PT017 - both ends are right


# -- rehearsals, replies, settings


def rehearsal(text):
    return Rehearsal(URL, "+15555550100", "+15555550199", text, "m-1", NOW + 123_456)


@pytest.mark.parametrize("provider", [sms_api(), sms_api(signature_method="md5hash"), messages_api()])
@given(text=st.text())
def test_a_rehearsal_is_received_as_it_was_said(provider, text):
    message = message_of(provider, provider.rehearse(rehearsal(text)))
    assert message.text == text.replace("\0", "\ufffd")
    assert (message.message_id, message.address, message.sender) == ("m-1", PERSON, "+15555550199")
    assert message.said_at in {NOW, NOW + 123_456}


def test_a_made_up_account_rehearses():
    account, key = registry.rehearsal_account("vonage")
    provider = registry.build(VonageSettings.model_validate(account), Web())
    provider.verify(provider.rehearse(rehearsal("STOP")))
    assert key is None


def inbound(text, sender="+15555550199"):
    return InboundMessage("m-1", PERSON, PERSON.value, sender, text)


@pytest.mark.parametrize(
    ("replies", "text", "sender", "silent"),
    [
        ("none", "STOP", "+15555550199", False),
        ("marker", "STOP", "+15555550199", False),
        ("auto", "stop ", "+15555550199", True),
        ("auto", "HELP", "54321", True),
        ("auto", "Stop please", "54321", False),
        ("auto", "STOP", "+447700900123", False),
        ("auto", "STOP", "ACME", False),
        ("none", "STOP", "+18885550199", True),
        ("none", "HELP", "+18885550199", False),
    ],
)
def test_opt_out_assist_answers_where_it_is_set_up(replies, text, sender, silent):
    provider = messages_api(provider_replies=replies)
    assert provider.replies_by_itself(inbound(text, sender), ReadingClass.OPT_OUT) is silent


def test_by_default_we_answer_and_one_sender_may_differ():
    provider = messages_api(senders={"54321": {"provider_replies": "auto"}})
    assert not provider.replies_by_itself(inbound("STOP"), ReadingClass.OPT_OUT)
    assert provider.replies_by_itself(inbound("STOP", "54321"), ReadingClass.OPT_OUT)


def test_the_acknowledgement_is_an_empty_200():
    answer = messages_api().answer(())
    assert (answer.status, answer.body) == (200, b"")
    assert not messages_api().takes_inline
    assert messages_api().nonce(json_request(MESSAGE)) is None
    assert messages_api().opt_outs is None


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"signature_secrets": []}, "signature_secrets is empty"),
        ({"signature_secrets": [SECRET, " "]}, "an entry of signature_secrets is empty"),
        ({"api": "sms"}, "signature_method is missing"),
        ({"api": "sms", "signature_method": "none"}, "signature_method"),
        ({"tolerance_seconds": 0}, "tolerance_seconds"),
        ({"api_url": "http://api.example.com"}, "api_url"),
    ],
)
def test_a_wrong_setting_is_told_with_its_remedy_and_without_its_secret(values, fault):
    with pytest.raises(ValidationError, match=fault) as error:
        settings(**values)
    assert SECRET not in str(error.value)
