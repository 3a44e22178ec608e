"""Recorded Plivo requests, signed by others: accepted or refused, and read, as their authors say."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plivo.utils import validate_signature, validate_v3_signature
from support.recorded import cases, provider_of
from support.vectors import request_of

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.base import WebhookRequest
from gateway.providers.numbers import person
from gateway.providers.plivo import Plivo, PlivoSettings
from gateway.providers.plivo_signature import Verifier

VERDICTS = {"optout": "opt_out", "optin": "opt_in", "help": "help"}
URL = "https://sms.example.com/sms/acme"
FORM = "application/x-www-form-urlencoded"
ASCII = st.text(st.characters(codec="ascii", exclude_characters="\n\r\t"))
NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)


def plivo(*tokens: str, main: Any = ()) -> Plivo:
    fields = {"provider": "plivo", "auth_id": "MA1", "auth_tokens": tokens, "main_auth_tokens": main}
    return Plivo(PlivoSettings.model_validate(fields), Web())


def is_accepted(provider: Plivo, request: WebhookRequest) -> bool:
    try:
        provider.verify(request)
    except NotAuthenticError:
        return False
    return True


@pytest.mark.parametrize("vector", cases("plivo"))
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    # The first version is for reference only: it has no nonce and is no longer sent.
    wanted = vector["valid"] and vector["scheme"] != "plivo-v1-hmac-sha1"
    assert is_accepted(provider_of(vector), request_of(vector)) is wanted


@pytest.mark.parametrize("vector", cases("plivo", lambda vector: vector["valid"] and vector.get("expect")))
def test_a_recorded_message_is_read_as_its_author_says(vector):
    expected = vector["expect"]
    [message] = provider_of(vector).receive(request_of(vector)).messages
    assert message.message_id == expected["message_id"]
    assert message.origin == expected["from"]
    assert message.address == person(expected["from"])
    assert message.sender.removeprefix("+") == expected["to"]
    assert message.text == expected["text"]
    assert message.verdict == VERDICTS.get(expected.get("message_intent"))


@given(NAMES, NAMES)
def test_the_second_version_is_judged_as_the_official_library_does(token, nonce):
    signed = Verifier([token], []).headers(WebhookRequest("POST", URL, {}, b""), nonce)
    v2 = {name: value for name, value in signed.items() if "v2" in name}
    request = WebhookRequest("POST", f"{URL}?a=b", v2, b"")
    assert is_accepted(plivo(token), request)
    signature = v2["x-plivo-signature-v2"]
    assert validate_signature(request.url, nonce, signature, token)
    assert not validate_signature(f"{URL}/", nonce, signature, token)
    assert not is_accepted(plivo(token), WebhookRequest("POST", f"{URL}/", v2, b""))


@given(st.dictionaries(NAMES, ASCII), st.dictionaries(NAMES, st.text(st.characters(codec="utf-8"))), NAMES)
def test_the_third_version_of_a_form_is_judged_as_the_official_library_does(query, fields, nonce):
    url = f"{URL}?{urlencode(query)}" if query else URL
    unsigned = WebhookRequest("POST", url, {"content-type": FORM}, urlencode(fields).encode())
    headers = {"content-type": FORM, **Verifier(["token"], []).headers(unsigned, nonce)}
    del headers["x-plivo-signature-v2"]
    request = WebhookRequest("POST", url, headers, unsigned.body)
    assert is_accepted(plivo("token"), request)
    signature = f"AAAA,{headers['x-plivo-signature-v3']}"
    assert validate_v3_signature("POST", url, nonce, "token", signature, fields)
    altered = {**fields, "Text": fields.get("Text", "") + "!"}
    assert not validate_v3_signature("POST", url, nonce, "token", signature, altered)
    other = WebhookRequest("POST", url, headers, urlencode(altered).encode())
    assert not is_accepted(plivo("token"), other)


@given(st.dictionaries(NAMES, ASCII), NAMES)
def test_the_third_version_of_a_get_is_judged_as_the_official_library_does(query, nonce):
    url = f"{URL}?{urlencode(query)}" if query else URL
    headers = Verifier(["token"], []).headers(WebhookRequest("GET", url, {}, b""), nonce)
    del headers["x-plivo-signature-v2"]
    assert is_accepted(plivo("token"), WebhookRequest("GET", url, headers, b""))
    assert validate_v3_signature("GET", url, nonce, "token", headers["x-plivo-signature-v3"])
    assert not is_accepted(
        plivo("token"), WebhookRequest("GET", f"{url}{'&' if query else '?'}x", headers, b"")
    )
