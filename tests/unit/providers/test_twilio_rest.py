"""What a send comes to, with Twilio's recorded answers and the network's faults."""

import socket
from urllib.parse import parse_qs

import pytest
import requests
import responses
from urllib3.exceptions import ProtocolError

from gateway.consent.address import Address, Channel
from gateway.net.addresses import Inside
from gateway.net.guard import Guard
from gateway.net.outgoing import Route, Web
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.twilio import Twilio, TwilioSettings

URL = "https://api.twilio.com/2010-04-01/Accounts/ACtest/Messages.json"
PERSON = Address(Channel.SMS, "+15555550100")
CREATED = {"sid": "SM1", "status": "queued", "to": "+15555550100", "error_code": None, "date_created": None}


def error(status, code):
    # The body that Twilio documents for its errors
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    return {
        "code": code,
        "message": "it did not work for +15555550100",
        "more_info": more_info,
        "status": status,
    }


def twilio(*, net=None, **values):
    return Twilio(
        TwilioSettings(
            **{"provider": "twilio", "account_sid": "ACtest", "auth_tokens": ["token-1", "token-2"], **values}
        ),
        net,
    )


def message(text="Bye.", *, address=PERSON, sender="+15555550199", service=None):
    return OutboundMessage(address, sender, text, service)


def sent_form(call):
    return {
        name: value for name, [value] in parse_qs(call.request.body.decode(), keep_blank_values=True).items()
    }


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


def test_a_reply_is_sent_from_the_number_that_was_written_to(api):
    api.post(URL, json=CREATED, status=201)
    assert twilio().send(message("Ende ß 🛑")) == SendResult(SendOutcome.SENT, message_id="SM1")
    [call] = api.calls
    assert sent_form(call) == {"To": "+15555550100", "From": "+15555550199", "Body": "Ende ß 🛑"}
    assert call.request.headers["Authorization"] == requests.auth._basic_auth_str("ACtest", "token-1")


def test_whatsapp_is_prefixed_on_both_ends(api):
    api.post(URL, json=CREATED, status=201)
    twilio().send(message(address=Address(Channel.WHATSAPP, "US.1234")))
    assert sent_form(api.calls[0])["To"] == "whatsapp:US.1234"
    assert sent_form(api.calls[0])["From"] == "whatsapp:+15555550199"


@pytest.mark.parametrize(
    ("sender", "service", "configured", "expected"),
    [
        ("54321", "MG1", None, {"From": "54321"}),
        ("ACME_AGENT", "MG1", "MG2", {"MessagingServiceSid": "MG1"}),
        ("ACME_AGENT", None, "MG2", {"MessagingServiceSid": "MG2"}),
        ("", None, "MG2", {"MessagingServiceSid": "MG2"}),
        ("ACME", None, None, {"From": "ACME"}),
    ],
)
def test_a_service_sends_only_where_the_sender_is_no_number(api, sender, service, configured, expected):
    api.post(URL, json=CREATED, status=201)
    twilio(messaging_service_sid=configured).send(message(sender=sender, service=service))
    assert sent_form(api.calls[0]) == {"To": "+15555550100", "Body": "Bye.", **expected}


def test_an_api_key_and_a_status_callback_are_used(api):
    api.post(URL, json=CREATED, status=201)
    callback = "https://sms.example.com/sms/acme/status"
    twilio(api_key_sid="SK1", api_key_secret="s", status_callback=callback).send(message())
    [call] = api.calls
    assert call.request.headers["Authorization"] == requests.auth._basic_auth_str("SK1", "s")
    assert sent_form(call)["StatusCallback"] == callback


def test_region_and_edge_choose_the_host(api):
    api.post(URL.replace("api.twilio.com", "api.dublin.ie1.twilio.com"), json=CREATED, status=201)
    assert twilio(region="ie1", edge="dublin").send(message()).outcome is SendOutcome.SENT


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, 21610, SendOutcome.OPTED_OUT),
        (400, 21211, SendOutcome.REFUSED),
        (400, 21408, SendOutcome.REFUSED),
        (400, 21614, SendOutcome.REFUSED),
        (401, 20003, SendOutcome.REFUSED),
        (404, 20404, SendOutcome.REFUSED),
        (429, 20429, SendOutcome.BUSY),
        (429, 14107, SendOutcome.BUSY),
        (503, 20503, SendOutcome.BUSY),
        (500, 20500, SendOutcome.UNKNOWN),
        (504, 20504, SendOutcome.UNKNOWN),
    ],
)
def test_an_error_of_twilios_has_its_outcome_and_code(api, status, code, outcome):
    api.post(URL, json=error(status, code), status=status)
    assert twilio().send(message()) == SendResult(outcome, error_code=str(code))


def test_an_error_in_the_newer_form_is_understood_too(api):
    problem = {"type": "about:blank", "title": "Opted out", "status": 400, "code": 21610}
    api.post(URL, json=problem, status=400, content_type="application/problem+json")
    assert twilio().send(message()) == SendResult(SendOutcome.OPTED_OUT, error_code="21610")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (408, SendOutcome.BUSY),
        (429, SendOutcome.BUSY),
        (403, SendOutcome.REFUSED),
        (500, SendOutcome.UNKNOWN),
        (502, SendOutcome.UNKNOWN),
        (503, SendOutcome.UNKNOWN),
    ],
)
def test_an_answer_of_a_proxy_has_its_outcome(api, status, outcome):
    api.post(URL, body="<html>gateway</html>", status=status)
    assert twilio().send(message()) == SendResult(outcome, error_code=str(status))


def test_a_redirect_is_not_followed(api):
    api.post(URL, status=307, headers={"Location": "https://elsewhere.example/"})
    assert twilio().send(message()).outcome is SendOutcome.REFUSED


def test_an_accepted_message_with_an_unreadable_answer_is_unknown(api):
    api.post(URL, body="{", status=201)
    assert twilio().send(message()) == SendResult(SendOutcome.UNKNOWN)


@pytest.mark.parametrize(
    "fault",
    [
        requests.ReadTimeout("read timed out"),
        requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))),
        requests.ConnectionError(),
        requests.exceptions.ChunkedEncodingError("cut"),
        requests.exceptions.SSLError("eof"),
    ],
)
def test_a_fault_after_the_request_may_have_left_is_unknown(api, fault):
    api.post(URL, body=fault)
    assert twilio().send(message()) == SendResult(SendOutcome.UNKNOWN)


def test_a_name_that_does_not_resolve_is_busy(monkeypatch):
    def unresolved(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_AGAIN, "temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    assert twilio().send(message()) == SendResult(SendOutcome.BUSY)


@pytest.fixture
def closed_port():
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_refused_connection_is_busy(monkeypatch, closed_port):
    target = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", closed_port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: target)
    inside = Route(Guard(Inside.of(["127.0.0.1"])))
    assert twilio(net=Web(inside)).send(message()) == SendResult(SendOutcome.BUSY)


def test_a_connection_that_times_out_is_busy(monkeypatch):
    def late(*_args):
        raise TimeoutError("timed out")

    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_args, **_kwargs: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))],
    )
    monkeypatch.setattr(socket.socket, "connect", late)
    assert twilio().send(message()) == SendResult(SendOutcome.BUSY)


def test_a_proxy_of_the_environment_is_not_used(api, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    api.post(URL, json=CREATED, status=201)
    twilio().send(message())
    assert api.calls[0].request.req_kwargs["proxies"] == {}


def test_an_unreachable_proxy_is_busy(closed_port):
    route = Route(proxy=f"http://127.0.0.1:{closed_port}")
    assert twilio(net=Web(route)).send(message()) == SendResult(SendOutcome.BUSY)


def test_a_failed_send_is_not_repeated_by_the_transport(api):
    api.post(URL, body=requests.ReadTimeout())
    twilio().send(message())
    assert len(api.calls) == 1


def test_a_text_of_1600_characters_is_sent_and_a_longer_one_is_not(api):
    api.post(URL, json=CREATED, status=201)
    assert twilio().send(message("é" * 1600)).outcome is SendOutcome.SENT
    assert twilio().send(message("é" * 1601)) == SendResult(SendOutcome.REFUSED, error_code="21617")
    assert len(api.calls) == 1


def test_shared_keys_give_no_right_to_send():
    receiver = twilio(auth_tokens=[], shared_keys={"k": {"secret": "s"}})
    assert receiver.send(message()) == SendResult(SendOutcome.REFUSED, error_code="no_credentials")


def test_no_secret_shows_once_it_sends(api):
    api.post(URL, json=CREATED, status=201)
    account = twilio()
    account.send(message())
    shown = repr(account) + repr(account._rest) + repr(account._rest._account) + repr(account._rest._client)
    assert "token-" not in shown


def test_neither_secret_nor_address_is_logged(api, caplog):
    caplog.set_level("DEBUG")
    api.post(URL, json=error(400, 21610), status=400)
    twilio().send(message())
    assert "token-" not in caplog.text
    assert "5555550100" not in caplog.text
