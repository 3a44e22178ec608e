"""Recorded Telnyx requests, signed by others: accepted or refused, and read, as their authors say."""

import base64
import json
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.recorded import assert_judged, cases
from support.vectors import Vector, request_of
from telnyx import Telnyx as Sdk

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.base import WebhookRequest
from gateway.providers.telnyx import Telnyx, TelnyxSettings
from gateway.providers.telnyx_signature import made_up_keys, signature_headers

FAMILIES = {"STOP": "opt_out", "START": "opt_in", "HELP": "help"}
PUBLIC, PRIVATE = made_up_keys()
NOW = 1_767_225_600


def telnyx(*keys: str, tolerance: int = 300) -> Telnyx:
    values = {"provider": "telnyx", "public_keys": list(keys), "tolerance_seconds": tolerance}
    return Telnyx(TelnyxSettings.model_validate(values), Web())


def provider_of(vector: Vector) -> Telnyx:
    return telnyx(PUBLIC, vector["public_key"], tolerance=vector["tolerance_s"])


@pytest.mark.parametrize("vector", cases("telnyx"))
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    assert_judged(provider_of(vector), request_of(vector), valid=vector["valid"])


@pytest.mark.parametrize("vector", cases("telnyx", lambda vector: "message_id" in vector.get("expect", {})))
def test_a_recorded_message_is_read_as_its_author_says(vector):
    expected = vector["expect"]
    [message] = provider_of(vector).receive(request_of(vector)).messages
    assert message.message_id == expected["message_id"]
    assert message.origin == expected["from"]
    assert message.sender in expected["to"]
    assert message.text == expected["text"]
    assert message.verdict == FAMILIES.get(expected.get("autoresponse_type"))
    assert message.provider_replied is ("autoresponse_type" in expected)
    assert message.media == len(expected.get("media", ()))
    assert message.said_at == 1_767_225_600_000_000


def sdk_accepts(body: str, headers: dict[str, str]) -> bool:
    library = Sdk(api_key="unused", public_key=PUBLIC)
    try:
        with patch("time.time", return_value=NOW):
            library.webhooks.unwrap(body, headers=headers)
    except ValueError:
        return False
    return True


def we_accept(body: str, headers: dict[str, str]) -> bool:
    request = WebhookRequest("POST", "https://x.example.com/", headers, body.encode(), NOW * 1_000_000)
    try:
        telnyx(PUBLIC).verify(request)
    except NotAuthenticError:
        return False
    return True


@settings(deadline=None)  # the first use of the library takes a second
@given(st.dictionaries(st.text(), st.text()), st.integers(-310, 310), st.sampled_from(["", "x", " "]))
def test_the_official_library_judges_alike(values, age, added):
    body = json.dumps({"data": values})
    headers = signature_headers(body.encode(), (NOW - age) * 1_000_000, PRIVATE)
    accepted = we_accept(body + added, headers)
    assert accepted is sdk_accepts(body + added, headers)
    assert accepted is (abs(age) <= 300 and not added)


@settings(deadline=None)
@given(st.binary(max_size=70))
def test_the_official_library_refuses_the_same_signatures(signature):
    headers = signature_headers(b"{}", NOW * 1_000_000, PRIVATE)
    headers["telnyx-signature-ed25519"] = base64.b64encode(signature).decode()
    assert not we_accept("{}", headers)
    assert not sdk_accepts("{}", headers)
