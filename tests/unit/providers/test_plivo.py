"""Settings, signatures, messages, callbacks and sends of a Plivo account, from wire requests."""

import base64
import hmac
import json
from urllib.parse import urlencode

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st
from plivo.utils import validate_signature, validate_v3_signature
from pydantic import ValidationError
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, GatewayError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Web
from gateway.providers import registry
from gateway.providers.base import (
    InboundMessage,
    OutboundMessage,
    Rehearsal,
    SendOutcome,
    SendResult,
    WebhookRequest,
)
from gateway.providers.plivo import Plivo, PlivoSettings

URL = "https://sms.example.com/sms/acme"
API = "https://api.plivo.com/v1/Account/MATEST/Message/"
TOKEN = "plivo-auth-token-of-the-account"
NONCE = "05429567804466091622"
FORM = {"content-type": "application/x-www-form-urlencoded"}
PERSON = Address(Channel.SMS, "+15555550100")
SMS = {
    "From": "15555550100",
    "To": "15555550199",
    "MessageUUID": "uuid-1",
    "Type": "sms",
    "Text": "hello",
    "Units": "1",
    "TotalRate": "0",
    "TotalAmount": "0",
    "MessageIntent": "",
    "PowerpackUUID": "",
}
CALLBACK = {
    "From": "15555550199",
    "To": "15555550100",
    "MessageUUID": "uuid-2",
    "Status": "failed",
    "ErrorCode": "200",
    "Type": "sms",
}


def settings(**values):
    fields = {"provider": "plivo", "auth_id": "MATEST", "auth_tokens": TOKEN, **values}
    return PlivoSettings.model_validate(fields)


def plivo(**values):
    return Plivo(settings(**values), Web())


def mac(content, token=TOKEN):
    return base64.b64encode(hmac.digest(token.encode(), content.encode(), "sha256")).decode()


def v2(url=URL, token=TOKEN, *, who=""):
    return {f"x-plivo-signature-{who}v2": mac(url + NONCE, token), "x-plivo-signature-v2-nonce": NONCE}


def v3(fields, token=TOKEN, *, who=""):
    content = f"{URL}?{''.join(name + fields[name] for name in sorted(fields))}.{NONCE}"
    return {f"x-plivo-signature-{who}v3": mac(content, token), "x-plivo-signature-v3-nonce": NONCE}


def request(fields, headers=None, url=URL):
    return WebhookRequest(
        "POST", url, {**FORM, **(v2() if headers is None else headers)}, urlencode(fields).encode()
    )


def message_of(fields):
    received = plivo().receive(request(fields))
    assert received == plivo().parse(request(fields))
    [message] = received.messages
    return message


def is_accepted(provider, webhook):
    try:
        provider.verify(webhook)
    except NotAuthenticError:
        with pytest.raises(NotAuthenticError):
            provider.receive(webhook)
        return False
    return True


# -- messages


def test_a_message_is_read():
    assert message_of(SMS) == InboundMessage("uuid-1", PERSON, "15555550100", "+15555550199", "hello")


@pytest.mark.parametrize(
    ("intent", "verdict"),
    [("optout", ReadingClass.OPT_OUT), ("optin", ReadingClass.OPT_IN), ("HELP", ReadingClass.HELP)],
)
def test_plivos_own_reading_is_told(intent, verdict):
    message = message_of({**SMS, "MessageIntent": intent})
    assert (message.verdict, message.provider_replied) == (verdict, True)


def test_a_picture_and_a_powerpack_are_told():
    fields = {**SMS, "Type": "mms", "Text": "", "Body": "STOP", "MediaCount": "2", "PowerpackUUID": "pp-1"}
    message = message_of(fields)
    assert (message.text, message.media, message.service) == ("STOP", 2, "pp-1")


def test_whatsapp_is_a_channel_of_its_own_and_counts_no_media():
    fields = {**SMS, "Type": "whatsapp", "Text": "", "Body": "stop", "Media0": "https://media.example.com/1"}
    message = message_of(fields)
    assert message.address == Address(Channel.WHATSAPP, "+15555550100")
    assert (message.text, message.media) == ("stop", 1)


@pytest.mark.parametrize(("origin", "sender"), [("54321", "54322"), ("MTN", "ACME")])
def test_what_is_no_persons_number_has_no_address(origin, sender):
    message = message_of({**SMS, "From": origin, "To": sender})
    assert (message.address, message.origin, message.sender) == (None, origin, sender)


def test_characters_that_cannot_be_stored_are_replaced():
    assert message_of({**SMS, "Text": "st\0op"}).text == "st\ufffdop"


@pytest.mark.parametrize("name", ["MessageUUID", "From", "To"])
def test_a_message_without_its_id_or_an_end_is_not_read(name):
    with pytest.raises(CallerError, match=f"{name} is missing"):
        plivo().receive(request({**SMS, name: " "}))


@pytest.mark.parametrize("read", ["receive", "parse_status"])
def test_a_callback_with_code_200_is_an_opt_out_of_whom_it_went_to(read):
    received = getattr(plivo(), read)(request(CALLBACK))
    assert received.messages == ()
    [status] = received.statuses
    assert (status.message_id, status.address, status.sender) == ("uuid-2", PERSON, "+15555550199")
    assert (status.status, status.error_code, status.opted_out) == ("failed", "200", True)


def test_any_other_callback_is_no_opt_out():
    [status] = plivo().parse_status(request({**CALLBACK, "Status": "delivered", "ErrorCode": ""})).statuses
    assert (status.error_code, status.opted_out) == (None, False)


# -- signatures


def test_the_signature_of_the_main_account_is_good_for_its_own_token_only():
    provider = plivo(main_auth_tokens=["main-token"])
    assert is_accepted(provider, request(SMS, v2(token="main-token", who="ma-")))
    assert is_accepted(provider, request(SMS, v3(SMS, "main-token", who="ma-")))
    assert not is_accepted(provider, request(SMS, v2(token=TOKEN, who="ma-")))
    assert not is_accepted(provider, request(SMS, v2(token="main-token")))
    assert not is_accepted(plivo(), request(SMS, v2(token=TOKEN, who="ma-")))


def test_each_of_several_tokens_is_good():
    assert is_accepted(plivo(auth_tokens=["old", TOKEN]), request(SMS))


def test_one_right_signature_of_several_is_enough():
    headers = v3(SMS)
    headers["x-plivo-signature-v3"] = f"AAAA, {headers['x-plivo-signature-v3']}"
    assert is_accepted(plivo(), request(SMS, headers))


def test_the_third_version_is_checked_wherever_it_is_there():
    assert is_accepted(plivo(), request(SMS, {**v2(), **v3(SMS)}))
    assert not is_accepted(plivo(), request({**SMS, "Text": "START"}, {**v2(), **v3(SMS)}))
    assert not is_accepted(plivo(), request(SMS, {**v2(), "x-plivo-signature-v3": "AAAA"}))


def test_the_second_version_covers_the_url_without_its_query_and_so_gives_a_nonce():
    provider = plivo()
    for fields in (SMS, {**SMS, "Text": "START"}):
        webhook = request(fields, url=f"{URL}?tenant=1")
        assert is_accepted(provider, webhook)
        assert provider.nonce(webhook) == NONCE
    assert not is_accepted(provider, request(SMS, url=f"{URL}/"))


def test_the_third_version_needs_no_nonce_unless_the_second_could_be_used_without_it():
    assert plivo().nonce(request(SMS, v3(SMS))) is None
    assert plivo().nonce(request(SMS, {**v3(SMS), **v2()})) == NONCE
    forged = {"x-plivo-signature-v2": "AAAA", "x-plivo-signature-v2-nonce": "any"}
    assert plivo().nonce(request(SMS, {**v3(SMS), **forged})) is None


@pytest.mark.parametrize("name", ["x-plivo-signature-v2", "x-plivo-signature-v2-nonce"])
@pytest.mark.parametrize("value", [None, "", " ", ",", "\u2603", "\ud800", "AAAA"])
def test_a_missing_or_wrong_header_is_refused(name, value):
    headers = {key: text for key, text in {**v2(), name: value}.items() if text is not None}
    webhook = request(SMS, headers)
    assert not is_accepted(plivo(), webhook)
    assert plivo().nonce(webhook) is None
    assert plivo().refuse(webhook).status == 403


def test_a_body_that_is_no_form_is_never_read():
    body = json.dumps(SMS).encode()
    webhook = WebhookRequest("POST", URL, {"content-type": "application/json", **v2()}, body)
    with pytest.raises(CallerError, match="is missing"):
        plivo().receive(webhook)


def test_a_form_that_is_not_utf_8_is_refused():
    webhook = WebhookRequest("POST", URL, {**FORM, **v2()}, b"Text=%ff")
    assert not is_accepted(plivo(), webhook)


def test_other_methods_are_refused():
    assert not is_accepted(plivo(), WebhookRequest("PUT", URL, v2(), b""))


@given(
    st.sampled_from(["GET", "POST", "PUT"]),
    st.text(),
    st.dictionaries(
        st.sampled_from([*v2(), *v3({}), "content-type"]), st.text() | st.just(FORM["content-type"])
    ),
    st.binary(),
)
def test_no_request_raises_anything_but_our_errors(method, query, headers, body):
    webhook = WebhookRequest(method, f"{URL}?{query}", headers, body)
    assert not is_accepted(plivo(), webhook)
    for read in (plivo().parse, plivo().parse_status):
        try:
            read(webhook)
        except GatewayError:
            continue


# -- rehearsals, replies, settings


@given(st.text())
def test_a_rehearsal_is_received_as_it_was_said_and_the_official_library_takes_it(text):
    webhook = plivo().rehearse(Rehearsal(URL, "+15555550100", "+15555550199", text, "uuid-1", 1))
    [message] = plivo().receive(webhook).messages
    assert message.text == text.replace("\0", "\ufffd")
    assert (message.message_id, message.address, message.sender) == ("uuid-1", PERSON, "+15555550199")
    headers, nonce = webhook.headers, plivo().nonce(webhook)
    assert validate_signature(URL, nonce, headers["x-plivo-signature-v2"], TOKEN)
    fields = {**SMS, "Text": text}
    del fields["PowerpackUUID"]
    assert validate_v3_signature("POST", URL, nonce, TOKEN, headers["x-plivo-signature-v3"], fields)


def test_a_made_up_account_rehearses():
    account, key = registry.rehearsal_account("plivo")
    provider = registry.build(PlivoSettings.model_validate(account), Web())
    provider.verify(provider.rehearse(Rehearsal(URL, "+15555550100", "+15555550199", "STOP", "u", 1)))
    assert key is None


@pytest.mark.parametrize(
    ("replies", "text", "intent", "sender", "silent"),
    [
        ("auto", "STOP", "optout", "15555550199", True),
        ("marker", "HELP", "help", "15555550199", True),
        ("none", "STOP", "optout", "15555550199", False),
        # What Plivo does not mark it does not handle.
        ("auto", "STOP", "", "54321", False),
        ("auto", "stop please", "", "15555550199", False),
        ("none", "STOP", "optout", "18885550199", True),
        ("none", "HELP", "help", "18885550199", False),
    ],
)
def test_plivo_answers_what_it_marks(replies, text, intent, sender, silent):
    message = message_of({**SMS, "Text": text, "MessageIntent": intent, "To": sender})
    assert plivo(provider_replies=replies).replies_by_itself(message, ReadingClass.OPT_OUT) is silent


def test_one_sender_may_differ():
    message = message_of({**SMS, "MessageIntent": "optout"})
    provider = plivo(senders={"15555550199": {"provider_replies": "none"}})
    assert not provider.replies_by_itself(message, ReadingClass.OPT_OUT)


def test_the_acknowledgement_is_xml_that_sends_nothing():
    for texts in ((), ("a reply",)):
        answer = plivo().answer(texts)
        assert (answer.status, answer.content_type) == (200, "application/xml; charset=utf-8")
        assert answer.body == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert not plivo().takes_inline
    assert plivo().opt_outs is None


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"auth_tokens": []}, "auth_tokens is empty"),
        ({"auth_tokens": [TOKEN, " "]}, "an entry of auth_tokens"),
        ({"main_auth_tokens": ""}, "an entry of auth_tokens or main_auth_tokens"),
        ({"auth_id": "MA/../x"}, "auth_id"),
        ({"status_callback": "sms.example.com"}, "status_callback"),
    ],
)
def test_a_wrong_setting_is_told_with_its_remedy_and_without_its_secret(values, fault):
    with pytest.raises(ValidationError, match=fault) as error:
        settings(**values)
    assert TOKEN not in str(error.value)


# -- sending


def message(text="Bye.", *, address=PERSON, sender="+15555550199", service=None):
    return OutboundMessage(address, sender, text, service)


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


def test_a_reply_is_sent_from_the_number_that_was_written_to(api):
    api.post(API, json={"message": "message(s) queued", "message_uuid": ["uuid-9"]}, status=202)
    provider = plivo(auth_tokens=[TOKEN, "old"], status_callback=f"{URL}/status")
    assert provider.send(message("Ende ß 🛑")) == SendResult(SendOutcome.SENT, message_id="uuid-9")
    [call] = api.calls
    assert json.loads(call.request.body) == {
        "src": "+15555550199",
        "dst": "+15555550100",
        "text": "Ende ß 🛑",
        "url": f"{URL}/status",
        "method": "POST",
    }
    assert call.request.headers["Authorization"] == requests.auth._basic_auth_str("MATEST", TOKEN)


@pytest.mark.parametrize(
    ("sender", "service", "expected"),
    [
        ("ACME", "pp-1", {"powerpack_uuid": "pp-1"}),
        ("ACME", None, {"src": "ACME"}),
        ("54321", "pp-1", {"src": "54321"}),
    ],
)
def test_a_powerpack_sends_for_what_is_no_number(api, sender, service, expected):
    api.post(API, json={"message_uuid": ["uuid-9"]}, status=202)
    plivo().send(message(sender=sender, service=service))
    assert json.loads(api.calls[0].request.body) == {"dst": "+15555550100", "text": "Bye.", **expected}


def test_whatsapp_is_named(api):
    api.post(API, json={"message_uuid": ["uuid-9"]}, status=202)
    plivo().send(message(address=Address(Channel.WHATSAPP, "+15555550100")))
    assert json.loads(api.calls[0].request.body)["type"] == "whatsapp"


@pytest.mark.parametrize(
    ("status", "body", "outcome", "code"),
    [
        (400, {"error": "src is not valid"}, SendOutcome.REFUSED, "400"),
        (400, {"error": "opted out", "error_code": 200}, SendOutcome.OPTED_OUT, "200"),
        (401, {"error": "no"}, SendOutcome.REFUSED, "401"),
        (429, {}, SendOutcome.BUSY, "429"),
        (500, {}, SendOutcome.UNKNOWN, "500"),
    ],
)
def test_an_error_tells_the_outcome(api, status, body, outcome, code):
    api.post(API, json=body, status=status)
    assert plivo().send(message()) == SendResult(outcome, error_code=code)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (requests.ReadTimeout(), SendOutcome.UNKNOWN),
        (
            requests.ConnectionError(MaxRetryError(None, "", ConnectTimeoutError(TimeoutError()))),
            SendOutcome.BUSY,
        ),
    ],
)
def test_a_fault_of_the_network_is_an_outcome(api, fault, outcome):
    api.post(API, body=fault)
    assert plivo().send(message()) == SendResult(outcome)
