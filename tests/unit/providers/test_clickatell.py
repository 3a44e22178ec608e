"""Settings, callbacks of both shapes and calls of a Clickatell integration."""

import json
from contextlib import suppress
from urllib.parse import quote, urlencode

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
from gateway.providers.base import OutboundMessage, Rehearsal, SendOutcome, SendResult, WebhookRequest
from gateway.providers.clickatell import Clickatell, ClickatellSettings, rehearsal_account

URL = "https://sms.example.com/sms/acme"
AT = 1_516_217_711_000_000
PERSON = Address(Channel.SMS, "+15555550100")
PLATFORM = {
    "messageId": "1234",
    "fromNumber": "15555550100",
    "toNumber": "15555550199",
    "text": "STOP",
    "charset": "UTF-8",
    "timestamp": 1516217711000,
}
ONE = {
    "channel": "sms",
    "messageId": "3a89",
    "relatedMessageId": None,
    "from": "15555550100",
    "to": "15555550199",
    "timestamp": 1516217711000,
    "content": "STOP",
    "charset": "UTF-8",
}
SEND = "https://platform.clickatell.com/messages"
SEND_ONE = "https://platform.clickatell.com/v1/message"


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


def clickatell(**values):
    settings = ClickatellSettings(**{"provider": "clickatell", "url_secrets": "s3cret", **values})
    return Clickatell(settings, Web())


def received_of(body):
    return clickatell().parse(WebhookRequest("POST", URL, {}, body))


def parsed(document):
    return received_of(json.dumps(document).encode())


def message_of(document):
    [message] = parsed(document).messages
    return message


def event(**lists):
    return {"integrationId": "i", "integrationName": "n", "event": lists}


# Callbacks


@pytest.mark.parametrize(
    ("document", "message_id"),
    [(PLATFORM, "1234"), (event(moText=[ONE]), "3a89"), ({**PLATFORM, "messageId": 9}, "9")],
)
def test_a_message_of_either_api_is_read(document, message_id):
    message = message_of(document)
    assert (message.message_id, message.address, message.origin) == (message_id, PERSON, "15555550100")
    assert (message.sender, message.text, message.said_at) == ("+15555550199", "STOP", AT)
    assert (message.verdict, message.provider_replied, message.media) == (None, False, 0)


def test_a_message_may_come_in_the_url():
    request = WebhookRequest("GET", f"{URL}?key=s3cret&{urlencode(PLATFORM)}", {}, b"")
    [message] = clickatell().receive(request).messages
    assert message == message_of(PLATFORM)


def test_a_message_without_a_number_of_ours_counts():
    without = {name: value for name, value in PLATFORM.items() if name != "toNumber"}
    assert message_of(without).sender == ""


@pytest.mark.parametrize(("charset", "encoding"), [("ISO-8859-1", "latin-1"), ("UTF-16BE", "utf-16-be")])
@pytest.mark.parametrize("text", ["Stöp das", "a+b & 100%"])
def test_percent_encoded_bytes_are_decoded_by_their_charset(charset, encoding, text):
    written = quote(text.encode(encoding), safe="").replace("%20", "+")
    assert message_of({**PLATFORM, "text": written, "charset": charset}).text == text
    assert message_of(event(moText=[{**ONE, "content": written, "charset": charset}])).text == text


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("100%25 a+b", "UTF-8"),
        ("100%25 a+b", ""),
        ("100%25 a+b", "KLINGON"),
        ("%00S%00", "UTF-16BE"),
        ("%D8%00", "UTF-16BE"),
        ("schön+so", "ISO-8859-1"),
    ],
)
def test_a_text_that_is_not_encoded_stays_as_it_came(text, charset):
    assert message_of({**PLATFORM, "text": text, "charset": charset}).text == text


def test_nul_never_reaches_the_store():
    assert message_of({**PLATFORM, "text": "%00%00", "charset": "UTF-16BE"}).text == "\ufffd"


@pytest.mark.parametrize("change", [{"fromNumber": ""}, {"messageId": None}, {"messageId": 1.5}, {"text": 5}])
def test_a_message_that_lacks_something_is_the_callers_fault(change):
    with pytest.raises(CallerError):
        parsed({**PLATFORM, **change})


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"\xff", b'{"event":[]}', b'{"event":{"moText":{}}}', b"[" * 99_999]
)
def test_what_is_no_callback_is_the_callers_fault(body):
    with pytest.raises(CallerError):
        received_of(body)


def test_a_bad_event_is_set_aside_and_the_rest_counts():
    received = parsed(event(moText=[{**ONE, "from": None}, ONE, "odd"], moNew=[{}]))
    assert [message.message_id for message in received.messages] == ["3a89"]
    assert len(received.unreadable) == 2


def test_media_have_their_caption():
    one = {**ONE, "channel": "whatsapp ", "content": "base64", "contentType": "image/jpeg", "caption": "Stop"}
    many = {**ONE, "channel": "whatsapp", "content": None, "files": [{}, {}], "caption": "no"}
    first, second = parsed(event(moMedia=[one, many])).messages
    assert first.address == Address(Channel.WHATSAPP, "+15555550100")
    assert (first.text, first.media, second.text, second.media) == ("Stop", 1, "no", 2)


def test_other_channels_have_no_person():
    assert message_of(event(moText=[{**ONE, "channel": "telegram"}])).address is None


@pytest.mark.parametrize(
    "document",
    [
        {"messageId": "m", "statusCode": 4, "status": "RECEIVED_BY_RECIPIENT", "to": "15555550100"},
        event(
            messageStatusUpdate=[
                {
                    "channel": "sms",
                    "messageId": "m",
                    "statusCode": 4,
                    "status": "RECEIVED_BY_RECIPIENT",
                    "to": "15555550100",
                }
            ]
        ),
    ],
)
def test_a_delivery_report_is_no_opt_out(document):
    received = parsed(document)
    [status] = received.statuses
    assert (status.message_id, status.address, status.opted_out) == ("m", PERSON, False)
    assert status.status == "RECEIVED_BY_RECIPIENT"
    assert not received.messages


# Proof and answers


@pytest.mark.parametrize("api_name", ["platform", "one"])
@given(text=st.text())
def test_a_rehearsal_arrives_as_it_was_meant(api_name, text):
    provider = clickatell(api=api_name, basic="user:pass", header_secrets=["new", "old"])
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "54321", text, "id-1", AT))
    [message] = provider.receive(request).messages
    assert (message.message_id, message.address, message.sender) == ("id-1", PERSON, "54321")
    assert message.said_at == AT
    assert message.text == "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


def test_every_proof_that_is_set_is_needed():
    provider = clickatell(basic="user:pass", header_secrets=["new", "old"], secret_header="X-Hook")
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "54321", "STOP", "id-1", AT))
    provider.verify(WebhookRequest("POST", request.url, {**request.headers, "x-hook": "old"}, b""))
    for name in ("authorization", "x-hook"):
        for value in ("", "é", "\udcff", request.headers[name][:-1]):
            with pytest.raises(NotAuthenticError):
                provider.verify(WebhookRequest("POST", request.url, {**request.headers, name: value}, b""))
    with pytest.raises(NotAuthenticError):
        provider.verify(WebhookRequest("POST", URL, request.headers, b""))


@given(st.sampled_from(["GET", "POST"]), st.binary(), st.text(), st.dictionaries(st.text(), st.text()))
def test_no_bytes_raise_anything_else(method, body, query, headers):
    for provider in (clickatell(), clickatell(basic="a:b", header_secrets="h")):
        for call in (provider.receive, provider.parse):
            with suppress(CallerError):
                call(WebhookRequest(method, f"{URL}?key=s3cret&{query}", headers, body, AT))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ONE, "event"]), inner),
)


@given(st.sampled_from([*PLATFORM, "event", "statusCode"]), st.sampled_from([*ONE, "files", "caption"]), JSON)
def test_no_value_raises_anything_else(name, inner, value):
    with suppress(CallerError):
        parsed({**PLATFORM, name: value})
    parsed(event(moText=[{**ONE, inner: value}], moMedia=[{**ONE, inner: value}]))


def test_the_answers_are_plain():
    answer = clickatell().answer(["Bye."])
    assert (answer.status, answer.body) == (200, b"")
    assert clickatell().refuse(WebhookRequest("POST", URL, {}, b"")).status == 403
    assert clickatell(basic="a:b").refuse(WebhookRequest("POST", URL, {}, b"")).status == 401
    assert clickatell().opt_outs is None


@pytest.mark.parametrize(
    ("sender", "answered"), [("18885550199", True), ("15555550199", False), ("54321", False)]
)
def test_only_the_toll_free_network_answers(sender, answered):
    message = message_of({**PLATFORM, "toNumber": sender})
    assert clickatell().replies_by_itself(message, ReadingClass.OPT_OUT) is answered


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"url_secrets": []}, "basic or url_secrets or header_secrets"),
        ({"header_secrets": " "}, "header_secrets is empty"),
        ({"secret_header": "x y"}, "secret_header"),
        ({"api_key": ""}, "api_key is empty"),
        ({"api": "two"}, "platform"),
    ],
)
def test_settings_that_cannot_work_are_refused(values, remedy):
    with pytest.raises(ValidationError, match=remedy):
        clickatell(**values)


def test_the_made_up_account_can_rehearse():
    settings, key = rehearsal_account()
    provider = registry.build(registry.settings_of("clickatell").model_validate(settings), Web())
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "54321", "STOP", "id-1", AT, key))
    assert len(provider.receive(request).messages) == 1


# Sending


def message(*, address=PERSON, sender="+15555550199"):
    return OutboundMessage(address, sender, "Ende ß", reference="ref-1")


ACCEPTED = {
    "messages": [{"apiMessageId": "fd49", "accepted": True, "to": "15555550100", "error": None}],
    "error": None,
}


def sent(call):
    return json.loads(call.request.body)


def test_the_platform_sends(api):
    api.post(SEND, json=ACCEPTED, status=202)
    result = clickatell(api_key="key-1").send(message())
    assert result == SendResult(SendOutcome.SENT, message_id="fd49")
    assert sent(api.calls[0]) == {
        "to": ["15555550100"],
        "content": "Ende ß",
        "from": "15555550199",
        "clientMessageId": "ref-1",
    }
    assert api.calls[0].request.headers["Authorization"] == "key-1"


@pytest.mark.parametrize(("channel", "name"), [(Channel.SMS, "sms"), (Channel.WHATSAPP, "whatsapp")])
def test_the_one_api_sends_on_either_channel(api, channel, name):
    api.post(SEND_ONE, json=ACCEPTED, status=202)
    provider = clickatell(api="one", api_key="key-1")
    result = provider.send(message(address=Address(channel, "+15555550100"), sender=""))
    assert result == SendResult(SendOutcome.SENT, message_id="fd49")
    [body] = sent(api.calls[0])["messages"]
    assert body == {"channel": name, "to": "15555550100", "content": "Ende ß", "clientMessageId": "ref-1"}


@pytest.mark.parametrize(
    ("status", "document", "result"),
    [
        (
            202,
            {"messages": [{"accepted": False, "error": {"code": 14}}]},
            SendResult(SendOutcome.REFUSED, error_code="14"),
        ),
        (
            202,
            {"messages": [{"accepted": False, "error": "blocked"}]},
            SendResult(SendOutcome.REFUSED, error_code="blocked"),
        ),
        (400, {"messages": [], "error": {"code": 2}}, SendResult(SendOutcome.REFUSED, error_code="2")),
        (401, {"errorCode": 108, "error": None}, SendResult(SendOutcome.REFUSED, error_code="108")),
        (429, {}, SendResult(SendOutcome.BUSY, error_code="429")),
        (503, {}, SendResult(SendOutcome.UNKNOWN, error_code="503")),
        (200, {}, SendResult(SendOutcome.UNKNOWN)),
    ],
)
def test_the_answer_tells_the_outcome(api, status, document, result):
    api.post(SEND, json=document, status=status)
    assert clickatell(api_key="key-1").send(message()) == result


def test_what_cannot_be_sent_is_refused_without_a_call(api):
    assert clickatell().send(message()).error_code == "no_credentials"
    whatsapp = message(address=Address(Channel.WHATSAPP, "+15555550100"))
    assert clickatell(api_key="key-1").send(whatsapp).error_code == "unsupported_channel"
    assert not api.calls
