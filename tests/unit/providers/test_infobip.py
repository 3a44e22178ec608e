"""Settings, batches and calls of an Infobip account, in the forms of its documentation."""

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
from gateway.providers import registry
from gateway.providers.base import (
    OutboundMessage,
    Received,
    Rehearsal,
    SendOutcome,
    SendResult,
    WebhookRequest,
)
from gateway.providers.infobip import Infobip, InfobipSettings, rehearsal_account
from gateway.providers.opt_outs import ListEntry, ListUnavailableError, PushOutcome, PushResult

URL = "https://sms.example.com/sms/acme"
AT = 1_767_225_600_123_000
PERSON = Address(Channel.SMS, "+15555550100")
OTHER = Address(Channel.SMS, "+15555550101")
SMS = {
    "messageId": "m-1",
    "from": "15555550100",
    "to": "15555550199",
    "text": "STOP",
    "cleanText": "",
    "keyword": "STOP",
    "receivedAt": "2026-01-01T00:00:00.123+0000",
    "smsCount": 1,
    "price": {"pricePerMessage": 0, "currency": "EUR"},
}
REPORT = {
    "bulkId": "b",
    "messageId": "m-2",
    "to": "15555550100",
    "sender": "15555550199",
    "sentAt": "2026-01-01T00:00:00.123+0000",
    "status": {"groupId": 5, "groupName": "REJECTED", "id": 14, "name": "REJECTED_DESTINATION_BLOCKLISTED"},
    "error": {"groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "permanent": False},
}
BLOCKED = {
    "event": "BLOCK",
    "receivedAt": "2026-01-01T00:00:00.123+0000",
    "messageId": "e-1",
    "content": {"sender": "15555550199", "destination": "15555550100", "channel": "SMS", "sourceType": "MO"},
}
BASE = "https://xxxxx.api.infobip.com"
SEND = f"{BASE}/sms/3/messages"
LIST = f"{BASE}/platform/1/blocklists"


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


def infobip(**values):
    return Infobip(InfobipSettings(**{"provider": "infobip", "url_secrets": "s3cret", **values}), Web())


def sending():
    return infobip(base_url=BASE, api_key="key-1")


def parsed(*results, provider=None):
    document = {"results": list(results), "messageCount": len(results), "pendingMessageCount": 0}
    return received_of(json.dumps(document).encode(), provider)


def received_of(body, provider=None):
    return (provider or infobip()).parse(WebhookRequest("POST", URL, {}, body))


def message_of(result, provider=None):
    [message] = parsed(result, provider=provider).messages
    return message


def sent(call):
    return json.loads(call.request.body)


# Inbound


def test_a_message_is_read():
    message = message_of(SMS)
    assert (message.message_id, message.address, message.origin) == ("m-1", PERSON, "15555550100")
    assert (message.sender, message.text, message.said_at) == ("+15555550199", "STOP", AT)
    assert (message.verdict, message.provider_replied, message.media) == (None, False, 0)


def test_a_message_outside_a_batch_is_read():
    assert len(received_of(json.dumps(SMS).encode()).messages) == 1


@pytest.mark.parametrize(
    ("change", "address", "sender"),
    [
        ({"from": "MTN"}, None, "+15555550199"),
        ({"to": "62322"}, PERSON, "62322"),
        ({"messageId": 5}, PERSON, None),
    ],
)
def test_names_short_codes_and_numeric_ids_are_kept(change, address, sender):
    message = message_of({**SMS, **change})
    assert message.address == address
    assert message.sender == (sender or "+15555550199")


@pytest.mark.parametrize(
    "change", [{"from": None}, {"to": ""}, {"messageId": 1.5}, {"text": 5}, {"message": 5}]
)
def test_a_bad_result_is_set_aside_and_the_rest_counts(change):
    received = parsed(SMS, {**SMS, **change}, {**SMS, "messageId": "m-3"}, 5)
    assert [message.message_id for message in received.messages] == ["m-1", "m-3"]
    assert len(received.unreadable) == 2
    assert "15555550100" not in received.unreadable[0].reason


@pytest.mark.parametrize("body", [b"", b"5", b"\xff", b'{"results":{}}', b'{"results":5}', b"[" * 100_000])
def test_what_is_no_batch_is_the_callers_fault(body):
    with pytest.raises(CallerError):
        received_of(body)


def test_an_empty_batch_holds_nothing():
    assert parsed() == Received([], [], [])


def test_the_parts_of_a_picture_message_are_read():
    parts = [
        {"contentType": "text/plain", "value": "STOP"},
        {"contentType": "image/jpeg", "url": "https://m"},
        {"contentType": "application/smil", "url": "https://m"},
    ]
    message = message_of({**SMS, "text": None, "message": parts})
    assert (message.text, message.media) == ("STOP", 2)


@pytest.mark.parametrize(
    ("content", "text", "media"),
    [
        ({"type": "TEXT", "text": "Stop"}, "Stop", 0),
        ({"type": "BUTTON", "text": "Stop promotions", "payload": "stop-promo"}, "Stop promotions", 0),
        ({"type": "INTERACTIVE_BUTTON_REPLY", "id": "1", "title": "Stop"}, "Stop", 0),
        ({"type": "IMAGE", "url": "https://m", "caption": "no"}, "no", 1),
        ({"type": "CONTACT", "contacts": []}, "", 0),
    ],
)
def test_whatsapp_is_read_on_its_own_channel(content, text, media):
    message = message_of({**SMS, "integrationType": "WHATSAPP", "text": None, "message": content})
    assert message.address == Address(Channel.WHATSAPP, "+15555550100")
    assert (message.text, message.media) == (text, media)


def test_a_refusal_since_the_person_is_on_the_blocklist_is_told():
    [status] = parsed(REPORT).statuses
    assert (status.message_id, status.address, status.sender) == ("m-2", PERSON, "+15555550199")
    assert (status.status, status.opted_out) == ("REJECTED_DESTINATION_BLOCKLISTED", True)
    assert status.error_code == "REJECTED_DESTINATION_BLOCKLISTED"


def test_other_reports_are_no_opt_outs():
    delivered = {"groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET"}
    [status] = parsed({**REPORT, "status": delivered}).statuses
    assert (status.status, status.error_code, status.opted_out) == ("DELIVERED_TO_HANDSET", None, False)


def test_a_block_there_is_an_opt_out_here():
    [status] = parsed(BLOCKED).statuses
    assert (status.message_id, status.address, status.opted_out) == ("e-1", PERSON, True)
    assert status.sender == "+15555550199"
    everywhere = {**BLOCKED, "content": {"destination": "15555550100", "sourceType": "MO"}}
    assert [(status.address, status.sender) for status in parsed(everywhere).statuses] == [(PERSON, "")]


def test_an_unblock_there_is_no_consent_here():
    assert parsed({**BLOCKED, "event": "UNBLOCK"}) == Received([], [], [])


@pytest.mark.parametrize(
    ("replies", "keyword", "text", "sender", "answered"),
    [
        ("auto", "STOP", "STOP", "15555550199", False),
        ("marker", "STOP", "STOP", "15555550199", True),
        ("marker", "", "STOP", "15555550199", False),
        ("none", "STOP", "STOP", "15555550199", False),
        ("none", "", "STOP", "18885550199", True),
    ],
)
def test_who_answers_a_keyword(replies, keyword, text, sender, answered):
    provider = infobip(provider_replies=replies)
    message = message_of({**SMS, "keyword": keyword, "text": text, "to": sender}, provider)
    assert provider.replies_by_itself(message, ReadingClass.OPT_OUT) is answered


@given(st.text(), st.booleans())
def test_a_rehearsal_arrives_as_it_was_meant(text, is_basic):
    provider = infobip(**({"basic": "user:päss"} if is_basic else {}))
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "54321", text, "id-1", AT))
    [message] = provider.receive(request).messages
    assert (message.message_id, message.address, message.sender) == ("id-1", PERSON, "54321")
    assert message.said_at == AT
    assert message.text == "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


@given(st.binary(), st.dictionaries(st.text(), st.text()))
def test_no_bytes_raise_anything_else(body, headers):
    for call in (infobip(basic="a:b").receive, infobip().parse):
        with suppress(CallerError):
            call(WebhookRequest("POST", URL + "?key=s3cret", headers, body, AT))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SMS, "url", "id"]), inner),
)


@given(st.sampled_from([*SMS, "message", "status", "content"]), JSON)
def test_a_result_of_any_form_is_read_or_set_aside(name, value):
    for result in (SMS, REPORT, BLOCKED):
        received = parsed({**result, name: value})
        assert len(received.messages) + len(received.statuses) + len(received.unreadable) <= 1


def test_the_answers_are_plain():
    answer = infobip().answer(["Bye."])
    assert (answer.status, answer.body) == (200, b"")
    assert infobip().refuse(WebhookRequest("POST", URL, {}, b"")).status == 403
    assert infobip(basic="a:b").refuse(WebhookRequest("POST", URL, {}, b"")).status == 401
    with pytest.raises(NotAuthenticError):
        infobip().receive(WebhookRequest("POST", URL, {}, b"{}"))


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"url_secrets": []}, "basic or url_secrets"),
        ({"url_secrets": ""}, "empty"),
        ({"api_key": "k"}, "go together"),
        ({"base_url": BASE}, "go together"),
        ({"base_url": BASE, "api_key": " "}, "api_key is empty"),
        ({"base_url": "http://xxxxx.api.infobip.com", "api_key": "k"}, "base_url"),
    ],
)
def test_settings_that_cannot_work_are_refused(values, remedy):
    with pytest.raises(ValidationError, match=remedy):
        infobip(**values)


def test_the_made_up_account_can_rehearse():
    settings, key = rehearsal_account()
    provider = registry.build(registry.settings_of("infobip").model_validate(settings), Web())
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "54321", "STOP", "id-1", AT, key))
    assert len(provider.receive(request).messages) == 1


# Sending


def message(*, address=PERSON):
    return OutboundMessage(address, "+15555550199", "Ende ß", reference="ref-1")


def answer(**status):
    return {
        "bulkId": "b",
        "messages": [{"messageId": "ref-1", "status": status, "destination": "15555550100"}],
    }


def test_a_message_is_sent_under_our_reference(api):
    api.post(SEND, json=answer(groupId=1, groupName="PENDING", id=26, name="PENDING_ACCEPTED"))
    assert sending().send(message()) == SendResult(SendOutcome.SENT, message_id="ref-1")
    assert sent(api.calls[0]) == {
        "messages": [
            {
                "sender": "15555550199",
                "destinations": [{"to": "15555550100", "messageId": "ref-1"}],
                "content": {"text": "Ende ß"},
            }
        ]
    }
    assert api.calls[0].request.headers["Authorization"] == "App key-1"


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("REJECTED_DESTINATION_BLOCKLISTED", SendOutcome.OPTED_OUT),
        ("REJECTED_DUPLICATE_MESSAGE_ID", SendOutcome.SENT),
        ("REJECTED_SYSTEM_ERROR", SendOutcome.BUSY),
        ("REJECTED_SOURCE", SendOutcome.REFUSED),
    ],
)
def test_the_status_of_the_message_tells_the_outcome(api, name, outcome):
    api.post(SEND, json=answer(groupId=5, groupName="REJECTED", id=1, name=name))
    assert sending().send(message()).outcome is outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, SendOutcome.REFUSED),
        (401, SendOutcome.REFUSED),
        (429, SendOutcome.BUSY),
        (500, SendOutcome.UNKNOWN),
    ],
)
def test_the_status_of_the_call_tells_the_outcome(api, status, outcome):
    api.post(SEND, json={"requestError": {"serviceException": {"messageId": "BAD_REQUEST"}}}, status=status)
    assert sending().send(message()) == SendResult(outcome, error_code="BAD_REQUEST")


def test_an_answer_that_cannot_be_read_is_not_repeated(api):
    api.post(SEND, body="<html>")
    assert sending().send(message()).outcome is SendOutcome.UNKNOWN


def test_whatsapp_has_its_own_call(api):
    api.post(
        f"{BASE}/whatsapp/1/message/text",
        json={"to": "15555550100", "messageId": "ref-1", "status": {"groupId": 1, "name": "PENDING_ENROUTE"}},
    )
    whatsapp = message(address=Address(Channel.WHATSAPP, "+15555550100"))
    assert sending().send(whatsapp) == SendResult(SendOutcome.SENT, message_id="ref-1")
    assert sent(api.calls[0])["content"] == {"text": "Ende ß"}


def test_without_a_key_nothing_is_sent(api):
    assert infobip().send(message()).error_code == "no_credentials"
    assert infobip().opt_outs is None
    assert not api.calls


# Blocklist


def test_the_blocklist_is_read_page_by_page(api):
    record = {"destination": "15555550100", "sourceType": "MO", "createdDate": "2026-01-01T00:00:00.123Z"}
    page = {"page": 0, "size": 1000, "totalPages": 2, "totalResults": 1001}
    odd = [{**record, "channel": "EMAIL"}, {**record, "destination": "example.com"}]
    api.get(LIST, json={"results": [{**record, "sender": "62322", "channel": "MMS"}, *odd], "paging": page})
    api.get(LIST, json={"results": [record], "paging": {**page, "page": 1}})
    blocklist = sending().opt_outs
    first = blocklist.pull(None)
    assert first.entries == [ListEntry(PERSON, "62322", opted_out=True, at=AT)]
    second = blocklist.pull(first.following)
    assert second.entries == [ListEntry(PERSON, "", opted_out=True, at=AT)]
    assert second.following is None
    assert api.calls[1].request.params == {"page": "1", "size": "1000"}


@pytest.mark.parametrize(("status", "body"), [(500, "{}"), (403, "{}"), (200, "no"), (200, "[]")])
def test_a_blocklist_that_cannot_be_read_is_unavailable(api, status, body):
    api.get(LIST, body=body, status=status)
    with pytest.raises(ListUnavailableError):
        sending().opt_outs.pull(None)


def test_opt_outs_are_added_by_sender_and_consents_removed(api):
    api.post(LIST, status=202)
    api.delete(LIST, status=429)
    entries = [
        ListEntry(PERSON, "+15555550199", opted_out=True),
        ListEntry(OTHER, "", opted_out=False),
        ListEntry(OTHER, "62322", opted_out=True),
        ListEntry(OTHER, "+15555550199", opted_out=True),
    ]
    results = sending().opt_outs.push(entries)
    done = PushResult(PushOutcome.DONE)
    assert list(results) == [done, PushResult(PushOutcome.LATER, "429"), done, done]
    bodies = {call.request.method: sent(call)["blocklist"] for call in api.calls}
    both = [{"to": "15555550100"}, {"to": "15555550101"}]
    assert bodies["POST"] == [
        {"destinations": both, "sender": "15555550199", "channel": "SMS"},
        {"destinations": both[1:], "sender": "62322", "channel": "SMS"},
    ]
    assert bodies["DELETE"] == [{"destinations": both[1:], "channel": "SMS"}]


def test_nothing_to_write_makes_no_call(api):
    assert sending().opt_outs.push([]) == []
    assert not api.calls
