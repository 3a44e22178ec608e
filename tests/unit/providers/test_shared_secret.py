"""Basic credentials and secrets in the URL, from wire headers and raw URLs."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.errors import NotAuthenticError
from gateway.providers.base import WebhookRequest
from gateway.providers.shared_secret import SharedSecret, SharedSecretSettings

URL = "https://sms.example.com/sms/acme"
PAIR = "acme:s3cret:with:colons"


def settings(**values):
    return SharedSecretSettings(provider="any", **values)


def request(url=URL, **headers):
    return WebhookRequest("POST", url, headers, b"{}")


def basic(pair):
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize("scheme", ["Basic ", "basic ", " BASIC  "])
def test_the_right_credentials_are_let_in(scheme):
    secret = SharedSecret(settings(basic=["old:one", PAIR]))
    secret.verify(request(authorization=scheme + basic(PAIR).removeprefix("Basic ")))


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic ", basic("acme:wrong"), basic(PAIR)[:-1], "Bearer x", "Basic é", "Basic \udcff"],
)
def test_every_other_header_is_refused(header):
    with pytest.raises(NotAuthenticError):
        SharedSecret(settings(basic=PAIR)).verify(request(authorization=header))


def test_a_missing_header_is_refused():
    with pytest.raises(NotAuthenticError):
        SharedSecret(settings(basic=PAIR)).verify(request())


@pytest.mark.parametrize("query", ["?key=s3cr%2Bet", "?a=b&key=s3cr+et#x", "?key=s3cr%2bet&key=other"])
def test_the_right_secret_is_let_in(query):
    SharedSecret(settings(url_secrets=["old", "s3cr+et"])).verify(request(URL + query))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?key",
        "?key=",
        "?key=other&key=s3cret",
        "?key=&key=s3cret",
        "?k=s3cret",
        "?key=s3cre",
        "#?key=s3cret",
        "?key=%FF",
    ],
)
def test_every_other_url_is_refused(query):
    with pytest.raises(NotAuthenticError):
        SharedSecret(settings(url_secrets="s3cret")).verify(request(URL + query))


def test_where_both_are_set_both_are_needed():
    secret = SharedSecret(settings(basic=PAIR, url_secrets="s3cret"))
    secret.verify(request(URL + "?key=s3cret", authorization=basic(PAIR)))
    for odd in (request(URL + "?key=s3cret"), request(URL, authorization=basic(PAIR))):
        with pytest.raises(NotAuthenticError):
            secret.verify(odd)


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({}, "give basic or url_secrets"),
        ({"basic": []}, "give basic or url_secrets"),
        ({"url_secrets": [""]}, "give its secret or remove it"),
        ({"url_secrets": ["a", " "]}, "give its secret or remove it"),
        ({"basic": "acme"}, "user:password"),
        ({"basic": "acme:"}, "user:password"),
        ({"basic": ":x"}, "user:password"),
    ],
)
def test_without_a_secret_nothing_starts(values, remedy):
    with pytest.raises(ValidationError, match=remedy) as error:
        settings(**values)
    assert "acme:" not in str(error.value)


def test_a_refusal_asks_for_credentials_where_there_are_some():
    assert SharedSecret(settings(basic=PAIR)).refusal().status == 401
    assert dict(SharedSecret(settings(basic=PAIR)).refusal().headers)["WWW-Authenticate"].startswith("Basic ")
    assert SharedSecret(settings(url_secrets="x")).refusal().status == 403


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs", "Z", "Cc"])))
def test_what_is_signed_is_let_in(text):
    secret = SharedSecret(settings(basic=f"acme:{text}", url_secrets=text, secret_parameter="token"))
    for url in (URL, URL + "?a=b"):
        secret.verify(request(secret.signed_url(url), **secret.headers()))
    with pytest.raises(NotAuthenticError):
        secret.verify(request(f"{URL}?token={quote(text + 'x', safe='')}", **secret.headers()))
