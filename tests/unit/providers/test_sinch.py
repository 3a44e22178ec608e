"""Settings, events of both APIs, and what a Sinch account answers."""

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Web
from gateway.providers import registry
from gateway.providers.base import Part, Received, Rehearsal, WebhookRequest
from gateway.providers.sinch import Sinch, SinchSettings, rehearsal_account

URL = "https://sms.example.com/sms/acme"
AT = 1_767_225_600_123_456
PERSON = Address(Channel.SMS, "+15555550100")
SMS = {
    "type": "mo_text",
    "id": "01XX",
    "from": "15555550100",
    "to": "15555550199",
    "body": "STOP",
    "received_at": "2026-01-01T00:00:00.123Z",
}
MESSAGE = {
    "id": "01YY",
    "direction": "TO_APP",
    "contact_message": {"text_message": {"text": "STOP"}},
    "channel_identity": {"channel": "SMS", "identity": "15555550100", "app_id": ""},
    "sender_id": "15555550199",
    "accept_time": "2026-01-01T00:00:00.500Z",
}
EVENT = {"app_id": "01APP", "project_id": "p", "event_time": "2026-01-01T00:00:00.123Z", "message": MESSAGE}


def sinch(**values):
    return Sinch(SinchSettings(**{"provider": "sinch", "url_secrets": "s3cret", **values}), Web())


def parsed(document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return sinch().parse(WebhookRequest("POST", URL, {}, body))


def message_of(document):
    [message] = parsed(document).messages
    return message


def event(**changes):
    return {**EVENT, "message": {**MESSAGE, **changes}}


# SMS API


def test_a_text_is_read():
    message = message_of(SMS)
    assert (message.message_id, message.address, message.origin) == ("01XX", PERSON, "15555550100")
    assert (message.sender, message.text, message.said_at) == ("+15555550199", "STOP", 1_767_225_600_123_000)
    assert (message.verdict, message.provider_replied, message.part, message.media) == (None, False, None, 0)


@pytest.mark.parametrize("end", ["from", "to"])
def test_short_codes_and_names_are_kept(end):
    assert message_of({**SMS, "to": "54321"}).sender == "54321"
    assert message_of({**SMS, "from": "MTN"}).address is None
    assert message_of({**SMS, end: 15555550177}).message_id == "01XX"


@pytest.mark.parametrize("change", [{"id": None}, {"from": ""}, {"to": 1.5}, {"body": 5}, {"id": True}])
def test_a_message_that_lacks_something_is_the_callers_fault(change):
    with pytest.raises(CallerError):
        parsed({**SMS, **change})


@pytest.mark.parametrize("when", [None, "soon", 5, "1970-01-01T00:00:00Z"])
def test_a_silly_time_is_none(when):
    assert message_of({**SMS, "received_at": when}).said_at is None


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "utf-16-be", "latin-1"])
def test_a_binary_message_is_read_as_text(encoding):
    text = "STOP" if encoding == "ascii" else "Stöp"
    body = base64.b64encode(text.encode(encoding)).decode()
    assert message_of({**SMS, "type": "mo_binary", "body": body, "udh": ""}).text == text


def test_a_binary_message_that_is_no_base64_is_the_callers_fault():
    with pytest.raises(CallerError):
        parsed({**SMS, "type": "mo_binary", "body": "???", "udh": ""})


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("050003010201", Part("01", 1, 2)),
        ("06080412340302", Part("1234", 2, 3)),
        ("0605040b8423f0", None),
        ("0b0504158a000000030a0302", Part("0a", 2, 3)),
        ("050003010205", None),
        ("050003010200", None),
        ("", None),
        ("zz", None),
        ("05000301", None),
    ],
)
def test_a_part_of_a_long_message_is_told_by_its_header(header, part):
    assert message_of({**SMS, "type": "mo_binary", "body": "U1RPUA==", "udh": header}).part == part


def test_a_picture_message_has_its_text_and_its_media():
    body = {
        "subject": "hello",
        "message": "STOP",
        "media": [{"url": "https://m", "content_type": "image/png"}],
    }
    message = message_of({**SMS, "type": "mo_media", "body": body})
    assert (message.text, message.media) == ("STOP", 1)
    assert message_of({**SMS, "type": "mo_media", "body": {"subject": "stop"}}).text == "stop"


def test_a_refusal_since_the_person_has_opted_out_is_told():
    report = {
        "type": "recipient_delivery_report_sms",
        "batch_id": "b",
        "recipient": "15555550100",
        "code": 257,
        "status": "Failed",
        "applied_originator": "18885550199",
    }
    [status] = parsed(report).statuses
    assert (status.message_id, status.address, status.sender) == ("b", PERSON, "+18885550199")
    assert (status.status, status.error_code, status.opted_out) == ("Failed", "257", True)
    [delivered] = parsed({**report, "code": 0, "status": "Delivered"}).statuses
    assert (delivered.error_code, delivered.opted_out) == (None, False)


def test_a_report_on_a_batch_is_read_person_by_person():
    report = {
        "type": "delivery_report_sms",
        "batch_id": "b",
        "statuses": [
            {"code": 257, "count": 2, "recipients": ["15555550100", "15555550101"], "status": "Failed"},
            {"code": 0, "count": 7, "status": "Delivered"},
            "odd",
        ],
    }
    received = parsed(report)
    assert [status.opted_out for status in received.statuses] == [True, True]
    assert [piece.piece for piece in received.unreadable] == [b'"odd"']


@pytest.mark.parametrize(
    "document", [{"type": "mo_new", "id": "x"}, {"eventId": "1", "eventType": "PROVISIONING_TO_SMS_PLATFORM"}]
)
def test_other_events_hold_nothing(document):
    assert parsed(document) == Received()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"type":' + b"9" * 5000 + b"}"]
)
def test_what_is_no_event_is_the_callers_fault(body):
    with pytest.raises(CallerError):
        parsed(body)


# Conversation API


def test_a_message_of_an_app_is_read():
    message = message_of(EVENT)
    assert (message.message_id, message.address, message.sender) == ("01YY", PERSON, "+15555550199")
    assert (message.text, message.said_at) == ("STOP", 1_767_225_600_123_000)


@pytest.mark.parametrize(
    ("channel", "expected"),
    [("MMS", Channel.SMS), ("RCS", Channel.SMS), ("WHATSAPP", Channel.WHATSAPP), ("TELEGRAM", None)],
)
def test_the_channel_is_kept_apart(channel, expected):
    message = message_of(event(channel_identity={"channel": channel, "identity": "15555550100"}))
    assert message.origin == "15555550100"
    assert (message.address and message.address.channel) == expected


@pytest.mark.parametrize(
    ("content", "text", "media"),
    [
        ({"choice_response_message": {"message_id": "1", "postback_data": "stop-promo"}}, "stop-promo", 0),
        ({"media_card_message": {"caption": "Stop", "url": "https://m"}}, "Stop", 1),
        ({"media_message": {"url": "https://m"}}, "", 1),
        ({"fallback_message": {"raw_message": "stop", "reason": {}}}, "stop", 0),
        ({"location_message": {"title": "x"}}, "", 0),
    ],
)
def test_every_kind_of_message_is_read(content, text, media):
    message = message_of(event(contact_message=content))
    assert (message.text, message.media) == (text, media)


def test_without_a_number_the_app_is_the_sender():
    assert message_of(event(sender_id="")).sender == "01APP"


def test_our_own_messages_hold_nothing():
    assert parsed(event(direction="TO_CONTACT")) == Received()


def test_the_time_of_acceptance_serves_where_no_other_is_told():
    assert message_of({**EVENT, "event_time": None}).said_at == 1_767_225_600_500_000


def opt_out(**changes):
    notification = {
        "request_id": "r1",
        "channel": "SMS",
        "identity": "15555550100",
        "status": "OPT_OUT_SUCCEEDED",
        **changes,
    }
    return {"app_id": "a", "accepted_time": "2026-01-01T00:00:00Z", "opt_out_notification": notification}


def test_an_opt_out_there_is_one_here():
    [status] = parsed(opt_out()).statuses
    assert (status.message_id, status.address, status.opted_out) == ("r1", PERSON, True)
    [unnamed] = parsed(opt_out(request_id="")).statuses
    assert unnamed.message_id == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("status", ["OPT_OUT_FAILED", "STATUS_UNSPECIFIED", "", None])
def test_an_opt_out_that_failed_is_none(status):
    assert parsed(opt_out(status=status)) == Received()


def test_an_opt_in_there_is_no_consent_here():
    assert parsed({"app_id": "a", "opt_in_notification": {"status": "OPT_IN_SUCCEEDED"}}) == Received()


@pytest.mark.parametrize(("code", "out"), [("257", True), ("", False)])
def test_a_delivery_report_of_an_app_is_read(code, out):
    report = {
        "message_id": "m",
        "status": "FAILED",
        "channel_identity": {"channel": "SMS", "identity": "15555550100"},
        "reason": {"code": "CHANNEL_FAILURE", "channel_code": code},
    }
    [status] = parsed({"app_id": "a", "message_delivery_report": report}).statuses
    assert (status.address, status.status, status.opted_out) == (PERSON, "FAILED", out)
    assert status.error_code == (code or "CHANNEL_FAILURE")


# Proof and answers


@pytest.mark.parametrize("api", ["sms", "conversation"])
@given(text=st.text())
def test_a_rehearsal_arrives_as_it_was_meant(api, text):
    provider = sinch(api=api, webhook_secrets="k", basic="user:pass")
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "54321", text, "id-1", AT))
    [message] = provider.receive(request).messages
    assert (message.message_id, message.address, message.sender) == ("id-1", PERSON, "54321")
    assert message.said_at == AT
    assert message.text == "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


def test_every_proof_that_is_set_is_needed():
    provider = sinch(webhook_secrets="k", basic="user:pass")
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "54321", "STOP", "id-1", AT))
    for name in ("authorization", "x-sinch-webhook-signature", "x-sinch-webhook-signature-nonce"):
        for value in ("", "é", "\udcff", request.headers[name][:-1]):
            headers = {**request.headers, name: value}
            with pytest.raises(NotAuthenticError):
                provider.verify(WebhookRequest("POST", request.url, headers, request.body, AT))
    with pytest.raises(NotAuthenticError):
        provider.verify(WebhookRequest("POST", URL, request.headers, request.body, AT))


@pytest.mark.parametrize(("seconds", "accepted"), [(-300, True), (300, True), (-302, False), (302, False)])
def test_the_signed_time_must_be_near(seconds, accepted):
    provider = sinch(webhook_secrets="k")
    at = AT // 1_000_000 * 1_000_000
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "54321", "STOP", "id-1", at))
    late = WebhookRequest("POST", request.url, request.headers, request.body, at + seconds * 1_000_000)
    if accepted:
        provider.verify(late)
        return
    with pytest.raises(NotAuthenticError):
        provider.verify(late)


@pytest.mark.parametrize("timestamp", ["soon", "-1", "1.5", "²", "9" * 5000, " 1767225600"])
def test_a_timestamp_that_is_no_number_is_refused(timestamp):
    provider = sinch(webhook_secrets="k")
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "54321", "STOP", "id-1", AT))
    headers = {**request.headers, "x-sinch-webhook-signature-timestamp": timestamp}
    with pytest.raises(NotAuthenticError):
        provider.verify(WebhookRequest("POST", request.url, headers, request.body, AT))


def test_an_unknown_algorithm_is_refused():
    provider = sinch(webhook_secrets="k")
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "54321", "STOP", "id-1", AT))
    headers = {**request.headers, "x-sinch-webhook-signature-algorithm": "none"}
    with pytest.raises(NotAuthenticError):
        provider.verify(WebhookRequest("POST", request.url, headers, request.body, AT))


def test_a_signature_of_the_numbers_api_counts_only_where_its_secret_is_set():
    request = WebhookRequest("POST", URL, {"x-sinch-signature": "00"}, b"{}", AT)
    with pytest.raises(NotAuthenticError):
        sinch(webhook_secrets="k").verify(request)
    with pytest.raises(NotAuthenticError):
        sinch(webhook_secrets="k", numbers_secrets="n").verify(request)


@given(st.binary(), st.dictionaries(st.text(), st.text()))
def test_no_bytes_raise_anything_else(body, headers):
    provider = sinch(webhook_secrets="k", numbers_secrets="n")
    for call in (provider.receive, provider.parse, provider.parse_status):
        with suppress(CallerError):
            call(WebhookRequest("POST", URL + "?key=s3cret", headers, body, AT))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SMS, *MESSAGE]), inner),
)


@given(st.sampled_from(sorted(SMS)), st.sampled_from(sorted(MESSAGE)), JSON)
def test_no_value_raises_anything_else(name, inner, value):
    for document in ({**SMS, name: value}, event(**{inner: value}), opt_out(identity=value)):
        with suppress(CallerError):
            parsed(document)


def test_the_answers_are_plain():
    answer = sinch().answer(["Bye."])
    assert (answer.status, answer.body) == (200, b"")
    assert not sinch().takes_inline
    assert sinch().refuse(WebhookRequest("POST", URL, {}, b"")).status == 403
    assert sinch(basic="a:b").refuse(WebhookRequest("POST", URL, {}, b"")).status == 401


@pytest.mark.parametrize(
    ("values", "sender", "text", "answered"),
    [
        ({}, "18885550199", "STOP", True),
        ({}, "15555550199", "STOP", False),
        ({}, "54321", "HELP", False),
        ({"answered_keywords": ["stop", "START"]}, "15555550199", " stop", True),
        ({"answered_keywords": ["stop"]}, "15555550199", "stop please", False),
        ({"answered_keywords": ["stop"], "provider_replies": "none"}, "15555550199", "stop", False),
        ({"answered_keywords": ["stop"], "provider_replies": "none"}, "18885550199", "stop", True),
        (
            {"answered_keywords": ["stop"], "senders": {"15555550199": {"provider_replies": "none"}}},
            "15555550199",
            "stop",
            False,
        ),
    ],
)
def test_who_answers_a_keyword(values, sender, text, answered):
    message = message_of({**SMS, "to": sender, "body": text})
    assert sinch(**values).replies_by_itself(message, ReadingClass.OPT_OUT) is answered


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"url_secrets": []}, "webhook_secrets or basic or url_secrets"),
        ({"url_secrets": [], "numbers_secrets": "n"}, "no secret proves"),
        ({"webhook_secrets": ""}, "webhook_secrets is empty"),
        ({"numbers_secrets": [" "]}, "numbers_secrets is empty"),
        ({"service_plan_id": "p"}, "go together"),
        ({"project_id": "p", "app_id": "a"}, "go together"),
        ({"api": "conversation", "region": "au"}, "us, eu or br"),
        ({"api": "voice"}, "sms"),
        ({"tolerance_seconds": 0}, "30"),
    ],
)
def test_settings_that_cannot_work_are_refused(values, remedy):
    with pytest.raises(ValidationError, match=remedy):
        sinch(**values)


def test_the_made_up_account_can_rehearse():
    settings, key = rehearsal_account()
    provider = registry.build(registry.settings_of("sinch").model_validate(settings), Web())
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "54321", "STOP", "id-1", AT, key))
    assert len(provider.receive(request).messages) == 1
