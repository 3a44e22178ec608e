"""What Bird's three generations deliver, by wire form: messages, reports, opt-outs."""

from urllib.parse import urlencode

import pytest
from support.bird_requests import (
    CHANNEL,
    DATA,
    FORM,
    NOTIFICATION,
    NOW,
    REPORT,
    URL,
    event,
    form,
    legacy,
    notified,
    posted,
    provider,
)

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError
from gateway.providers.base import Received, WebhookRequest

# The first generation


def test_a_form_is_read():
    message = legacy(createdDatetime="2026-01-01T00:00:00+00:00")
    assert message.message_id == "m1"
    assert message.address == Address(Channel.SMS, "+15555550100")
    assert message.origin == "15555550100"
    assert message.sender == "+15555550199"
    assert message.text == "STOP"
    assert message.said_at == NOW
    assert message.verdict is None
    assert not message.provider_replied


def test_a_short_code_has_names_of_its_own():
    message = legacy(
        {
            "mid": "m9",
            "shortcode": "54321",
            "originator": "15555550100",
            "message": "stop offers",
            "receive_datetime": "20260101000000",
            "keyword": "STOP",
        }
    )
    assert (message.message_id, message.sender, message.text) == ("m9", "54321", "stop offers")
    assert message.said_at == NOW


def test_of_a_name_that_comes_twice_the_last_value_counts():
    assert legacy([*FORM.items(), ("body", "HELP"), ("id", "m7")]).text == "HELP"


@pytest.mark.parametrize(
    ("media", "number"),
    [
        ([("mediaUrls", "https://a.test/1")], 1),
        ([("mediaURLs", "https://a.test/1"), ("mediaUrls", "https://a.test/2")], 2),
        ([("mediaUrls", '["https://a.test/1","https://a.test/2"]')], 2),
        ([("mediaUrls", "")], 0),
        ([("mediaUrls", "[" * 100_000)], 1),
        ([], 0),
    ],
)
def test_media_are_counted(media, number):
    fields = [(name, value) for name, value in FORM.items() if name != "body"]
    message = legacy([*fields, *media])
    assert message.media == number
    assert message.text == ""


def test_a_get_is_read_from_its_url():
    request = WebhookRequest("GET", f"{URL}?{urlencode(FORM)}", {}, b"", NOW)
    assert provider("legacy").parse(request).messages[0] == legacy()


def test_flow_builder_may_post_json():
    document = FORM | {"recipient": 15555550199, "mediaUrls": ["https://a.test/1"]}
    [message] = provider("legacy").parse(posted(document)).messages
    assert (message.sender, message.text, message.media) == ("+15555550199", "STOP", 1)


@pytest.mark.parametrize("name", FORM)
def test_a_form_without_an_end_or_id_cannot_be_read(name):
    if name != "body":
        with pytest.raises(CallerError):
            legacy(**{name: " "})


@pytest.mark.parametrize(
    "request_",
    [
        form({}),
        WebhookRequest("POST", URL, {}, b"id=%FF", NOW),
        WebhookRequest("POST", URL, {}, b"id=\xff", NOW),
        posted(b"[]"),
        posted(b"[" * 100_000),
    ],
)
def test_what_is_no_form_cannot_be_read(request_):
    with pytest.raises(CallerError):
        provider("legacy").parse(request_)


def test_an_alphanumeric_origin_is_no_person():
    assert legacy(originator="MTN").address is None


def report(**changes):
    fields = {
        "id": "m3",
        "reference": "ref-1",
        "recipient": "15555550100",
        "originator": "15555550199",
        "status": "delivery_failed",
        "statusReason": "opted out",
        "statusErrorCode": "103",
        **changes,
    }
    request = WebhookRequest("GET", f"{URL}/status?{urlencode(fields)}", {}, b"", NOW)
    one = provider("legacy")
    assert one.parse_status(request) == one.parse(request)
    [status] = one.parse(request).statuses
    return status


def test_a_report_of_somebody_who_said_stop_is_an_opt_out():
    status = report()
    assert status.opted_out
    assert status.address == Address(Channel.SMS, "+15555550100")
    assert (status.sender, status.status, status.error_code) == ("+15555550199", "delivery_failed", "103")


@pytest.mark.parametrize(("code", "shown"), [("0", None), ("", None), ("1", "1")])
def test_any_other_report_is_none(code, shown):
    status = report(status="delivered", statusErrorCode=code)
    assert not status.opted_out
    assert status.error_code == shown


# The second generation


def test_a_notification_is_read():
    [message] = notified(channels={CHANNEL: "+15555550199"}).messages
    assert message.message_id == "m2"
    assert message.address == Address(Channel.SMS, "+15555550100")
    assert message.sender == "+15555550199"
    assert message.text == "STOP"
    assert message.said_at == NOW + 250_000
    assert message.service == CHANNEL


@pytest.mark.parametrize(
    ("receiver", "sender"),
    [
        ({"connector": {"id": "k1", "identifierValue": "+15555550199"}}, "+15555550199"),
        ({"connectors": [{"identifierValue": "54321"}]}, "54321"),
        ({}, CHANNEL.upper()),
        (None, CHANNEL.upper()),
    ],
)
def test_a_channel_that_is_not_configured_has_the_name_that_bird_gives_it(receiver, sender):
    [message] = notified(NOTIFICATION | {"receiver": receiver}).messages
    assert message.sender == sender


def test_whatsapp_is_a_channel_of_its_own():
    [message] = notified(event="whatsapp.inbound").messages
    assert message.address == Address(Channel.WHATSAPP, "+15555550100")
    [message] = notified(event="rcs.inbound").messages
    assert message.address == Address(Channel.SMS, "+15555550100")


def test_a_picture_is_counted_and_its_text_is_read():
    body = {"type": "image", "image": {"text": "stop", "images": [{"mediaUrl": "https://a.test/1"}] * 2}}
    [message] = notified(NOTIFICATION | {"body": body}).messages
    assert (message.text, message.media) == ("stop", 2)


@pytest.mark.parametrize("name", ["email.inbound", "sms.interaction", "sms", "", None, 7])
def test_another_event_is_nothing_for_us(name):
    assert notified(event=name) == Received()


def test_another_service_is_nothing_for_us():
    assert (
        provider("notifications").parse(posted({"service": "contacts", "event": "sms.inbound"})) == Received()
    )


@pytest.mark.parametrize("change", [{"id": None}, {"sender": {}}, {"direction": "outgoing"}, {"body": 7}])
def test_a_notification_without_an_end_or_id_or_of_ours_cannot_be_read(change):
    with pytest.raises(CallerError):
        notified(NOTIFICATION | change)


def test_a_failure_since_the_person_said_stop_is_an_opt_out():
    [status] = notified(REPORT, event="sms.outbound").statuses
    assert status.opted_out
    assert status.address == Address(Channel.SMS, "+15555550100")
    assert (status.sender, status.status, status.error_code) == ("+15555550199", "delivery_failed", "103")


@pytest.mark.parametrize(
    "change",
    [
        {"failure": None},
        {"failure": {"code": 103}},
        {"failure": {"source": {"name": "sms-messagebird", "code": "1"}}},
    ],
)
def test_any_other_failure_is_none(change):
    [status] = notified(REPORT | change, event="sms.outbound").statuses
    assert not status.opted_out


# The third generation


def test_an_event_is_read():
    [message] = event("sms.received", DATA).messages
    assert message.message_id == "sms_1"
    assert message.address == Address(Channel.SMS, "+15555550100")
    assert message.sender == "+15555550199"
    assert message.text == "STOP"
    assert message.said_at == NOW


def test_an_event_without_text_holds_attachments():
    assert event("sms.received", {**DATA, "text": None}).messages[0].text == ""


@pytest.mark.parametrize("reason", ["keyword_stop", "carrier_opted_out", "manual", None])
def test_a_suppression_is_an_opt_out(reason):
    data = {"suppression_id": "ssu_1", "destination": "+15555550100", "originator": "54321", "reason": reason}
    [status] = event("sms_suppression.created", data).statuses
    assert status.opted_out
    assert status.address == Address(Channel.SMS, "+15555550100")
    assert (status.message_id, status.sender, status.error_code) == ("ssu_1", "54321", reason)


@pytest.mark.parametrize(
    ("kind", "code", "opted_out"),
    [
        ("sms.rejected", "recipient_opted_out", True),
        ("sms.undelivered", "unreachable", False),
        ("sms.delivered", None, False),
    ],
)
def test_an_event_of_our_message_is_its_report(kind, code, opted_out):
    data = {**DATA, "from": "+15555550199", "to": "+15555550100", "error": {"code": code}}
    [status] = event(kind, data).statuses
    assert status.opted_out is opted_out
    assert status.address == Address(Channel.SMS, "+15555550100")
    assert (status.sender, status.status, status.error_code) == ("+15555550199", kind[4:], code)


@pytest.mark.parametrize("kind", ["email.received", "sms.scheduled", "whatsapp.received", "sms", "", None])
def test_an_unknown_event_is_nothing_for_us(kind):
    assert event(kind, DATA) == Received()


@pytest.mark.parametrize("name", ["sms_id", "from", "to"])
@pytest.mark.parametrize("value", [None, "", 1.5, True, []])
def test_an_event_without_an_end_or_id_cannot_be_read(name, value):
    with pytest.raises(CallerError):
        event("sms.received", DATA | {name: value})
