"""Settings, messages, answers and sends of a Kannel gateway, from the requests that its source makes."""

import base64
from urllib.parse import quote, urlencode

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st
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
    Received,
    Rehearsal,
    SendOutcome,
    SendResult,
    WebhookRequest,
)
from gateway.providers.kannel import Kannel, KannelSettings

URL = "https://sms.example.com/sms/acme"
SENDSMS = "http://kannel.example.com:13013/cgi-bin/sendsms"
SECRET = "k3nnel-secret"
NOW = 1_767_225_600_000_000
PERSON = Address(Channel.SMS, "+15555550100")
SMS = {"id": "uuid-1", "from": "+15555550100", "to": "54321", "text": "STOP", "coding": "0"}
POSTED = {
    "content-type": 'text/plain; charset="UTF-8"',
    "x-kannel-from": "+15555550100",
    "x-kannel-to": "54321",
    "x-kannel-time": "2026-01-01 00:00:00",
    "x-kannel-smsc": "carrier",
    "x-kannel-coding": "0",
}


def settings(**values):
    return KannelSettings.model_validate({"provider": "kannel", "url_secrets": SECRET, **values})


def kannel(**values):
    return Kannel(settings(**values), Web())


def got(fields, *, text=None):
    """Return the request of a get-url; `text` is percent-encoded octets."""
    query = urlencode({"key": SECRET, **fields}) + (f"&text={text}" if text is not None else "")
    return WebhookRequest("GET", f"{URL}?{query}", {}, b"", NOW)


def posted(body, headers=None, *, query="", at=NOW):
    return WebhookRequest("POST", f"{URL}?key={SECRET}{query}", {**POSTED, **(headers or {})}, body, at)


def message_of(request):
    [message] = kannel().receive(request).messages
    return message


# -- messages


def test_a_message_by_get_url_is_read():
    message = message_of(got({**SMS, "ts": "1767225600", "smsc": "carrier"}))
    assert message == InboundMessage(
        "uuid-1", PERSON, "+15555550100", "54321", "STOP", said_at=NOW, service="carrier"
    )


def test_a_message_by_post_url_is_read():
    message = message_of(posted("Stöp 🛑".encode(), query="&id=uuid-2"))
    assert message == InboundMessage(
        "uuid-2", PERSON, "+15555550100", "54321", "Stöp 🛑", said_at=NOW, service="carrier"
    )


@pytest.mark.parametrize("origin", ["+15555550100", "15555550100", "0015555550100"])
def test_a_number_is_known_with_plus_without_and_with_zeros(origin):
    message = message_of(got({**SMS, "from": origin, "to": "15555550199"}))
    assert (message.address, message.sender) == (PERSON, "+15555550199")


def test_a_plus_that_nobody_encoded_is_still_a_plus():
    request = WebhookRequest("GET", f"{URL}?key={SECRET}&id=1&from=+15555550100&to=54321&text=STOP", {}, b"")
    assert message_of(request).address == PERSON


@pytest.mark.parametrize("origin", ["54321", "MTN", "0555123456"])
def test_what_is_no_persons_number_has_no_address(origin):
    assert message_of(got({**SMS, "from": origin})).address is None


@pytest.mark.parametrize(
    ("octets", "charset", "coding", "text"),
    [
        ("Stöp €", "UTF-8", "0", "Stöp €"),
        ("Stöp", "ISO-8859-1", "0", "Stöp"),
        ("Stöp", "iso-8859-1", "", "Stöp"),
        ("“Stop”", "WINDOWS-1252", "0", "“Stop”"),
        ("停止 🛑", "UTF-16BE", "2", "停止 🛑"),
        ("停止", "", "2", "停止"),
        ("Stöp", "", "0", "Stöp"),
    ],
)
def test_a_text_is_read_in_the_character_set_that_is_told(octets, charset, coding, text):
    codec = {"": "utf-16-be" if coding == "2" else "utf-8", "WINDOWS-1252": "cp1252"}.get(charset, charset)
    encoded = octets.encode(codec)
    fields = {"id": "1", "from": "+15555550100", "to": "54321", "charset": charset, "coding": coding}
    assert message_of(got(fields, text=quote(encoded))).text == text
    headers = {"content-type": f'text/plain; charset="{charset}"' if charset else "text/plain"}
    assert message_of(posted(encoded, {**headers, "x-kannel-coding": coding})).text == text


@pytest.mark.parametrize(
    ("octets", "charset", "text"),
    [
        (b"St\xf6p", "UTF-8", "Stöp"),
        (b"St\xc3\xb6p", "US-ASCII", "Stöp"),
        (b"STOP!", "UTF-16BE", "STOP!"),
        (b"STOP", "GSM", "STOP"),
        (b"STOP", "zlib_codec", "STOP"),
        (b"STOP", "no such", "STOP"),
    ],
)
def test_a_text_in_another_character_set_than_told_is_not_lost(octets, charset, text):
    fields = {"id": "1", "from": "+15555550100", "to": "54321", "charset": charset, "coding": "0"}
    assert message_of(got(fields, text=quote(octets))).text == text


def test_half_a_character_at_the_end_of_a_part_is_replaced():
    message = message_of(
        posted("Stop 🛑".encode("utf-16-be")[:-2], {"content-type": "text/plain; charset=UTF-16BE"})
    )
    assert message.text == "Stop \ufffd"


def test_characters_that_cannot_be_stored_are_replaced():
    assert message_of(got({**SMS, "text": "st\0op"})).text == "st\ufffdop"


def test_a_binary_message_is_kept_for_operators():
    headers = {"content-type": "application/octet-stream", "x-kannel-coding": "1"}
    received = kannel().receive(posted(b"\x01\x06\xff", headers, query="&id=uuid-3"))
    assert (received.messages[0].message_id, received.messages[0].text) == ("uuid-3", "")
    assert received.unreadable[0].piece == b"\x01\x06\xff"


def test_a_message_without_id_is_known_again_by_its_time():
    first = message_of(posted(b"STOP"))
    assert message_of(posted(b"STOP", at=NOW + 1)).message_id == first.message_id
    others = [
        posted(b"START"),
        posted(b"STOP", {"x-kannel-time": "2026-01-01 00:00:01"}),
        posted(b"STOP", {"x-kannel-from": "+15555550101"}),
    ]
    assert first.message_id not in {message_of(other).message_id for other in others}


def test_without_id_and_time_every_request_is_a_message():
    plain = {"x-kannel-time": ""}
    first, second = (message_of(posted(b"STOP", plain, at=at)) for at in (NOW, NOW + 1))
    assert first.message_id != second.message_id
    assert first.said_at is None


@pytest.mark.parametrize("name", ["from", "to"])
def test_a_message_without_an_end_is_not_read(name):
    with pytest.raises(CallerError, match="%p"):
        kannel().receive(got({**SMS, name: " "}))
    with pytest.raises(CallerError, match="send-sender"):
        kannel().receive(posted(b"STOP", {f"x-kannel-{name}": ""}))


def test_reports_are_acknowledged_and_hold_nothing():
    assert kannel().parse_status(got({"id": "1", "status": "16"})) == Received()


# -- proof


def refused(provider, request):
    with pytest.raises(NotAuthenticError):
        provider.verify(request)
    return provider.refuse(request)


@pytest.mark.parametrize("key", ["", "wrong", "K3NNEL-SECRET", "%FF", "\u2603"])
def test_a_wrong_or_missing_secret_is_refused_with_nothing_that_could_be_texted(key):
    request = WebhookRequest("GET", f"{URL}?key={key}&{urlencode(SMS)}", {}, b"")
    answer = refused(kannel(), request)
    assert (answer.status, answer.body) == (403, b"")
    assert refused(kannel(), WebhookRequest("GET", f"{URL}?{urlencode(SMS)}", {}, b"")).status == 403


def test_basic_credentials_of_the_url_prove_as_well():
    provider = kannel(url_secrets=[], basic="kannel:s3cret")
    header = base64.b64encode(b"kannel:s3cret").decode()
    provider.verify(
        WebhookRequest("GET", f"{URL}?{urlencode(SMS)}", {"authorization": f"Basic {header}"}, b"")
    )
    assert refused(provider, got(SMS)).status == 401


def test_other_methods_are_refused():
    refused(kannel(), WebhookRequest("PUT", got(SMS).url, {}, b""))


@given(
    st.sampled_from(["GET", "POST"]),
    st.text(),
    st.dictionaries(st.sampled_from(["authorization", *POSTED]), st.text()),
    st.binary(),
)
def test_no_request_raises_anything_but_our_errors(method, query, headers, body):
    request = WebhookRequest(method, f"{URL}?{query}", headers, body)
    for read in (kannel().verify, kannel().parse, kannel().parse_status):
        try:
            read(request)
        except GatewayError:
            continue


@given(st.binary(), st.sampled_from(["", "UTF-8", "US-ASCII", "UTF-16BE", "UTF-16", "windows-1252", "GSM"]))
def test_every_text_is_read(octets, charset):
    headers = {"content-type": f"text/plain; charset={charset}", "x-kannel-coding": ""}
    text = message_of(posted(octets, headers)).text
    assert text.isascii() or octets
    text.encode()


# -- rehearsals, replies, settings


@given(st.text())
def test_a_rehearsal_is_received_as_it_was_said(text):
    request = kannel().rehearse(Rehearsal(URL, "+15555550100", "+15555550199", text, "m-1", NOW))
    message = message_of(request)
    assert message.text == text.replace("\0", "\ufffd")
    assert (message.message_id, message.address, message.sender) == ("m-1", PERSON, "+15555550199")
    assert message.said_at == NOW


def test_a_made_up_account_rehearses():
    account, key = registry.rehearsal_account("kannel")
    provider = registry.build(KannelSettings.model_validate(account), Web())
    provider.verify(provider.rehearse(Rehearsal(URL, "+15555550100", "54321", "STOP", "m-1", NOW)))
    assert key is None


@pytest.mark.parametrize(
    ("texts", "body", "headers"),
    [
        ((), b"", ()),
        (("",), b"", ()),
        (("You are out.",), b"You are out.", ()),
        (("One.", " ", "Two €."), "One.\nTwo €.".encode(), ()),
        (("Tschüß — Ende",), "Tschüß — Ende".encode(), (("X-Kannel-Coding", "2"),)),
        (("a\0\ud800b",), "a\ufffd\ufffdb".encode(), (("X-Kannel-Coding", "2"),)),
    ],
)
def test_the_answer_is_the_reply_or_nothing(texts, body, headers):
    answer = kannel().answer(texts)
    assert (answer.status, answer.content_type, answer.body) == (200, "text/plain; charset=utf-8", body)
    assert tuple(answer.headers) == headers
    assert kannel().takes_inline


@pytest.mark.parametrize(
    ("sender", "silent"), [("54321", False), ("+15555550199", False), ("+18885550199", True)]
)
def test_nobody_but_the_toll_free_network_answers_for_us(sender, silent):
    message = InboundMessage("m-1", PERSON, PERSON.value, sender, "STOP")
    assert kannel().replies_by_itself(message, ReadingClass.OPT_OUT) is silent


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"url_secrets": []}, "no secret proves the webhooks"),
        ({"url_secrets": [SECRET, ""]}, "an entry of url_secrets is empty"),
        ({"sendsms_url": SENDSMS}, "go together"),
        ({"sendsms_url": SENDSMS, "username": "u", "password": "p\u2603"}, "printable ASCII"),
        ({"sendsms_url": SENDSMS, "username": "u\nx: y", "password": "p"}, "printable ASCII"),
        ({"sendsms_url": "kannel:13013", "username": "u", "password": "p"}, "sendsms_url"),
    ],
)
def test_a_wrong_setting_is_told_with_its_remedy_and_without_its_secret(values, fault):
    with pytest.raises(ValidationError, match=fault) as error:
        settings(**values)
    assert SECRET not in str(error.value)


# -- sending


def sending(**values):
    return kannel(sendsms_url=SENDSMS, username="gateway", password="s3nd", **values)


def message(text="Bye.", *, sender="+15555550199"):
    return OutboundMessage(PERSON, sender, text)


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.mark.parametrize(("text", "coding"), [("Bye @ £5.", "0"), ("Ende 🛑", "2")])
def test_a_reply_is_sent_with_its_coding_and_without_the_password_in_the_url(api, text, coding):
    api.post(SENDSMS, body="0: Accepted for delivery", status=202)
    assert sending(smsc="carrier").send(message(text)) == SendResult(SendOutcome.SENT)
    [call] = api.calls
    assert call.request.url == SENDSMS
    assert call.request.body == text.encode()
    sent = {name.lower(): value for name, value in call.request.headers.items()}
    assert {name: value for name, value in sent.items() if name.startswith(("x-", "content-type"))} == {
        "content-type": "text/plain; charset=utf-8",
        "x-kannel-username": "gateway",
        "x-kannel-password": "s3nd",
        "x-kannel-from": "+15555550199",
        "x-kannel-to": "+15555550100",
        "x-kannel-coding": coding,
        "x-kannel-smsc": "carrier",
    }


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(403, SendOutcome.REFUSED), (400, SendOutcome.REFUSED), (503, SendOutcome.UNKNOWN)],
)
def test_an_error_tells_the_outcome(api, status, outcome):
    api.post(SENDSMS, body="Authorization failed for sendsms", status=status)
    assert sending().send(message()) == SendResult(outcome, error_code=str(status))


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
    api.post(SENDSMS, body=fault)
    assert sending().send(message()) == SendResult(outcome)


@pytest.mark.parametrize("sender", ["", "ACME\r\nX-Kannel-To: 1", "ÄCME"])
def test_a_sender_that_fits_no_header_is_refused(sender):
    assert sending().send(message(sender=sender)) == SendResult(SendOutcome.REFUSED, error_code="bad_sender")


def test_a_gateway_without_sendsms_sends_nothing():
    assert kannel().send(message()) == SendResult(SendOutcome.REFUSED, error_code="no_credentials")
