"""Recorded Vonage requests, signed by others: accepted or refused, and read, as their authors say."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.recorded import assert_judged, cases, has_expectation
from support.vectors import Vector, request_of
from vonage_http_client.auth import Auth
from vonage_jwt import verify_signature

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.base import Part, Rehearsal
from gateway.providers.numbers import person
from gateway.providers.vonage import Vonage, VonageSettings
from gateway.providers.vonage_token import signed_claims

URL = "https://sms.example.com/sms/acme"
# The one that the recorded tokens name.
API_KEY = "abcd1234"
NOW = 1_600_000_000_000_000  # past, for a library that asks the clock
ONLY_SIGNED = "vonage-jwt-signature-only"


def those(*, only_signed: bool) -> list[Any]:
    return cases("vonage", lambda vector: (vector["scheme"] == ONLY_SIGNED) is only_signed)


def settings(api: str, secrets: Any, **values: Any) -> VonageSettings:
    fields = {"provider": "vonage", "api": api, "api_key": API_KEY, "signature_secrets": secrets, **values}
    return VonageSettings.model_validate(fields)


def provider_of(vector: Vector) -> Vonage:
    options = vector.get("options", {})
    values: dict[str, Any] = {"tolerance_seconds": vector["tolerance_s"]}
    if "known_api_keys" in options:
        values["api_key"] = options["known_api_keys"][0]
    secrets = ["another", vector["secret"]]
    if vector["scheme"] == "vonage-jwt":
        return Vonage(settings("messages", secrets, **values), Web())
    return Vonage(settings("sms", secrets, signature_method=options["signature_method"], **values), Web())


@pytest.mark.parametrize("vector", those(only_signed=False))
def test_a_recorded_request_is_judged_as_its_author_says(vector):
    if not vector["secret"]:
        with pytest.raises(ValidationError, match="is empty"):
            provider_of(vector)
        return
    provider, request = provider_of(vector), request_of(vector)
    assert_judged(provider, request, valid=vector["valid"])
    if vector.get("expect", {}).get("http_status") == "5xx":
        assert provider.refuse(request).status == 503


@pytest.mark.parametrize("vector", those(only_signed=True))
def test_a_recorded_token_is_judged_as_the_official_library_does_and_is_no_webhook(vector):
    token = vector["request"]["headers"]["Authorization"].removeprefix("Bearer ")
    if vector["valid"]:
        assert signed_claims(token, ["another", vector["secret"]])
    else:
        with pytest.raises(NotAuthenticError):
            signed_claims(token, ["another", vector["secret"]])
    with pytest.raises(NotAuthenticError):
        Vonage(settings("messages", vector["secret"]), Web()).verify(request_of(vector))


@pytest.mark.parametrize("vector", cases("vonage", has_expectation))
def test_a_recorded_message_is_read_as_its_author_says(vector):
    expected = vector["expect"]
    if "http_status" in expected:
        return
    [message] = provider_of(vector).parse(request_of(vector)).messages
    assert message.message_id == expected.get("message_id", message.message_id)
    assert message.origin == expected.get("from", message.origin)
    assert message.address == person(message.origin)
    assert message.sender.removeprefix("+") == expected.get("to", message.sender.removeprefix("+"))
    assert message.text == expected.get("text", message.text)
    if "concat" in expected:
        concat = expected["concat"]
        assert message.part == Part(concat["ref"], concat["part"], concat["total"])


@given(
    st.text(st.characters(codec="utf-8")),
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1),
    st.sampled_from(["md5", "sha1", "sha256", "sha512"]),
)
def test_the_official_library_takes_what_is_signed_here_for_the_sms_api(text, secret, method):
    provider = Vonage(settings("sms", secret, signature_method=method), Web())
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "+15555550199", text, "0A00", NOW))
    provider.verify(request)
    library = Auth(api_key=API_KEY, signature_secret=secret, signature_method=method)
    fields = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
    assert library.check_signature(dict(fields))
    assert not library.check_signature({**fields, "text": text + "!"})


@given(st.text(), st.text(st.characters(codec="ascii"), min_size=32).filter(str.strip))
def test_the_official_library_takes_what_is_signed_here_for_the_messages_api(text, secret):
    provider = Vonage(settings("messages", secret), Web())
    request = provider.rehearse(Rehearsal(URL, "+15555550100", "+15555550199", text, "aaaa-1", NOW))
    provider.verify(request)
    token = request.headers["authorization"].removeprefix("Bearer ")
    assert verify_signature(token, secret)
    assert not verify_signature(token, secret + "!")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert set(claims) == {"iat", "jti", "iss", "api_key", "payload_hash"}
