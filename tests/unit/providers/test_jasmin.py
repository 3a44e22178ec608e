"""Jasmin's forms: proof, content in every coding, answers and sending."""

from contextlib import suppress
from urllib.parse import parse_qs, quote_from_bytes, urlencode

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, GatewayError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Web
from gateway.providers.base import OutboundMessage, Rehearsal, SendOutcome, SendResult, WebhookRequest
from gateway.providers.jasmin import Jasmin, JasminSettings, rehearsal_account
from gateway.providers.payload import clean

URL = "https://consent.example.com/sms/acme-jasmin"
SECRET_URL = f"{URL}?key=s3cret"
API = "http://jasmin.example.com:1401"
KEYS = {"api_url": API, "username": "foo", "password": "bar"}
PERSON = Address(Channel.SMS, "+15555550100")
USUAL = {"id": "1002", "from": "15555550100", "to": "54321", "coding": "0", "binary": b"STOP".hex()}


def jasmin(**values):
    settings = {"provider": "jasmin", "url_secrets": "s3cret", **values}
    return Jasmin(JasminSettings.model_validate(settings), Web())


def posted(fields, url=SECRET_URL):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return WebhookRequest("POST", url, headers, urlencode(fields).encode())


def text_of(octets, coding, **values):
    request = posted({**USUAL, "binary": octets.hex(), "coding": coding})
    [message] = jasmin(**values).receive(request).messages
    return message.text


def rehearsal(text="STOP"):
    return Rehearsal(URL, "+15555550100", "+15555550199", text, "m1", 0)


# -- proof -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", [URL, f"{URL}?key=", f"{URL}?key=s3cre", f"{URL}?other=s3cret", f"{URL}?KEY=s3cret"]
)
def test_a_missing_or_wrong_secret_is_refused(url):
    with pytest.raises(NotAuthenticError):
        jasmin().receive(posted(USUAL, url))


@pytest.mark.parametrize("joint", ["&", "?"])
def test_by_get_jasmin_appends_its_parameters_even_to_a_query(joint):
    request = WebhookRequest("GET", f"{SECRET_URL}{joint}{urlencode(USUAL)}", {}, b"")
    [message] = jasmin().receive(request).messages
    assert (message.message_id, message.text, message.sender) == ("1002", "STOP", "54321")
    with pytest.raises(NotAuthenticError):
        jasmin(url_secrets="another").receive(request)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT"])
def test_other_methods_are_refused(method):
    with pytest.raises(NotAuthenticError):
        jasmin().verify(WebhookRequest(method, SECRET_URL, {}, b""))


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"url_secrets": []}, "give basic or url_secrets"),
        ({"url_secrets": " "}, "empty"),
        ({"api_url": API}, "go together"),
        ({**KEYS, "api_url": "ftp://x"}, "api_url"),
        ({"default_alphabet": "ebcdic"}, "default_alphabet"),
    ],
)
def test_wrong_settings_say_the_remedy(values, remedy):
    with pytest.raises(ValidationError, match=remedy):
        jasmin(**values)


# -- content ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        (b"STOP", "0", "STOP"),
        (b"STOP", "", "STOP"),
        (b"\x00\x1be St\x7cp", "0", "@€ Stöp"),
        ("Stöp".encode("latin-1"), "0", "Stöp"),
        ("Stöp 🛑".encode(), "0", "Stöp 🛑"),
        (b"STOP", "1", "STOP"),
        ("Stöp".encode("latin-1"), "3", "Stöp"),
        ("Stöp".encode("latin-1"), "4", "Stöp"),
        ("やめて".encode("shift_jis"), "5", "やめて"),
        ("СТОП".encode("iso8859-5"), "6", "СТОП"),
        ("עצור".encode("iso8859-8"), "7", "עצור"),
        ("Stöp 🛑".encode("utf-16-be"), "8", "Stöp 🛑"),
        ("중단".encode("euc_kr"), "14", "중단"),
        (b"@STOP", "240", "¡STOP"),
        (b"@STOP", "244", "@STOP"),
        ("Stöp".encode("latin-1"), "245", "Stöp"),
        (b"", "0", ""),
    ],
)
def test_the_content_is_read_by_its_coding(octets, coding, text):
    assert text_of(octets, coding) == text


@pytest.mark.parametrize(
    ("alphabet", "octets"), [("latin-1", b"\x40St\xf6p"), ("utf-8", b"@St\xc3\xb6p"), ("gsm", b"\x00St\x7cp")]
)
def test_coding_0_is_what_the_message_centre_takes_it_for(alphabet, octets):
    assert text_of(octets, "0", default_alphabet=alphabet) == "@Stöp"


def test_a_broken_pair_does_not_survive():
    assert text_of(b"\x00S\xd8\x3d", "8") == "S\ufffd"
    assert text_of(b"\x00\x00\x00S", "8") == "\ufffdS"


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_an_old_jasmin_sends_no_hex_and_the_octets_of_the_content_count(method):
    content = quote_from_bytes("Stöp 🛑".encode("utf-16-be"))
    query = f"id=1&from=15555550100&to=54321&coding=8&content={content}"
    url = f"{SECRET_URL}&{query}" if method == "GET" else SECRET_URL
    request = WebhookRequest(method, url, {}, query.encode() if method == "POST" else b"")
    [message] = jasmin().receive(request).messages
    assert message.text == "Stöp 🛑"


@pytest.mark.parametrize(
    "fault",
    [
        {"id": ""},
        {"from": " "},
        {"to": ""},
        {"binary": "5"},
        {"binary": "xx"},
        {"coding": "9"},
        {"coding": "-1"},
        {"coding": "٣"},
        {"coding": "9" * 5000},
    ],
)
def test_what_cannot_be_read_is_the_callers_error(fault):
    with pytest.raises(CallerError):
        jasmin().receive(posted({**USUAL, **fault}))


@pytest.mark.parametrize(("origin", "address"), [("+15555550100", PERSON), ("54321", None), ("ACME", None)])
def test_only_a_number_is_a_person(origin, address):
    [message] = jasmin().receive(posted({**USUAL, "from": origin})).messages
    assert message.address == address


@given(st.binary(), st.integers(0, 300))
def test_any_content_is_read_or_refused_and_can_be_stored(octets, coding):
    with suppress(CallerError):
        text = text_of(octets, str(coding))
        assert clean(text) == text


@given(st.binary(), st.sampled_from(["GET", "POST"]))
def test_any_request_is_read_or_refused(body, method):
    url = f"{SECRET_URL}&{body.decode('latin-1')}" if method == "GET" else SECRET_URL
    with suppress(GatewayError):
        jasmin().receive(WebhookRequest(method, url, {}, body))


# -- reports, answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("parse", ["parse", "parse_status"])
def test_a_report_is_no_message(parse):
    request = posted({"id": "1002", "message_status": "UNDELIV", "level": "2", "err": "069"})
    received = getattr(jasmin(), parse)(request)
    [status] = received.statuses
    assert not received.messages
    assert (status.message_id, status.address, status.status) == ("1002", None, "UNDELIV")
    assert (status.error_code, status.opted_out) == ("069", False)


def test_the_acknowledgement_is_exactly_what_jasmin_waits_for():
    answer = jasmin().answer(("ignored",))
    assert (answer.status, answer.body, jasmin().takes_inline) == (200, b"ACK/Jasmin", False)


def test_nobody_answers_but_we():
    [message] = jasmin().receive(posted(USUAL)).messages
    assert not jasmin().replies_by_itself(message, ReadingClass.OPT_OUT)


@given(st.text(), st.sampled_from(["gsm", "latin-1", "utf-8"]))
def test_a_rehearsed_message_comes_back_as_it_was(text, alphabet):
    provider = jasmin(default_alphabet=alphabet)
    [found] = provider.receive(provider.rehearse(rehearsal(text))).messages
    assert (found.text, found.address, found.sender) == (clean(text), PERSON, "+15555550199")


def test_the_made_up_account_verifies_its_own_rehearsal_and_no_other():
    values, key = rehearsal_account()
    provider = Jasmin(JasminSettings.model_validate(values), Web())
    assert key is None
    assert provider.receive(provider.rehearse(rehearsal())).messages
    with pytest.raises(NotAuthenticError):
        jasmin().receive(provider.rehearse(rehearsal()))


# -- sending ---------------------------------------------------------------------------------------------


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


def outbound(text="Bye @"):
    return OutboundMessage(PERSON, "+15555550199", text, reference="r-1")


@pytest.mark.parametrize(
    ("text", "alphabet", "coding", "octets"),
    [
        ("Bye @€", "gsm", "0", b"Bye \x00\x1be"),
        ("Bye 🛑", "gsm", "8", "Bye 🛑".encode("utf-16-be")),
        ("Bye @ç", "latin-1", "0", b"Bye @\xe7"),
        ("Bye €", "latin-1", "8", "Bye €".encode("utf-16-be")),
    ],
)
def test_a_reply_is_sent_in_the_alphabet_that_holds_it(api, text, alphabet, coding, octets):
    api.post(f"{API}/send", body='Success "07033084-5cfd"')
    result = jasmin(**KEYS, default_alphabet=alphabet).send(outbound(text))
    assert result == SendResult(SendOutcome.SENT, message_id="07033084-5cfd")
    assert parse_qs(api.calls[0].request.body.decode()) == {
        "username": ["foo"],
        "password": ["bar"],
        "to": ["15555550100"],
        "from": ["15555550199"],
        "coding": [coding],
        "hex-content": [octets.hex()],
    }


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, "<html>", SendResult(SendOutcome.UNKNOWN)),
        (400, 'Error "Argument _ is unknown."', SendResult(SendOutcome.REFUSED, error_code="400")),
        (
            403,
            'Error "Authentication failure for username:foo"',
            SendResult(SendOutcome.REFUSED, error_code="403"),
        ),
        (403, 'Error "User throughput exceeded"', SendResult(SendOutcome.BUSY, error_code="403")),
        (412, 'Error "No route found"', SendResult(SendOutcome.REFUSED, error_code="412")),
        (500, 'Error "Cannot send submit_sm"', SendResult(SendOutcome.UNKNOWN, error_code="500")),
    ],
)
def test_what_an_answer_comes_to(api, status, body, expected):
    api.post(f"{API}/send", body=body, status=status)
    assert jasmin(**KEYS).send(outbound()) == expected


def test_a_time_out_is_an_unknown_outcome(api):
    api.post(f"{API}/send", body=requests.ReadTimeout())
    assert jasmin(**KEYS).send(outbound()) == SendResult(SendOutcome.UNKNOWN)


def test_without_credentials_nothing_is_sent():
    assert jasmin().send(outbound()).error_code == "no_credentials"
