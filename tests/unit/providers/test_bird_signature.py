"""MessageBird's token and HMAC, against the official library and a JWT library."""

import base64
import hmac
import json
import time
import warnings
from hashlib import sha256
from urllib.parse import parse_qs, urlencode

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from messagebird.error import ValidationError
from messagebird.request_validator import RequestValidator
from messagebird.signed_request import SignedRequest

from gateway.errors import NotAuthenticError
from gateway.providers.base import WebhookRequest
from gateway.providers.bird_signature import (
    HMAC_HEADER,
    JWT_HEADER,
    TIME_HEADER,
    hmac_headers,
    sorted_query,
    token_headers,
    verify_hmac,
    verify_token,
    whole_url,
)

KEY = "a signing key of MessageBird, long enough for HS512 and for a library that warns"
URL = "https://sms.example.com/sms/acme?b=2&a=1"
NOW = 1_767_225_600_000_000
SECONDS = NOW // 1_000_000
BODY = b"id=1&body=STOP"
URLS = st.text("abcAB019%/?&=+-._~:é'", max_size=30).map("https://sms.example.com/".__add__)


def request(headers, *, url=URL, body=BODY, at=NOW):
    return WebhookRequest("POST", url, headers, body, at)


def claims(**changes):
    values = {
        "iss": "MessageBird",
        "nbf": SECONDS,
        "exp": SECONDS + 60,
        "jti": "1",
        "url_hash": sha256(URL.encode()).hexdigest(),
        "payload_hash": sha256(BODY).hexdigest(),
        **changes,
    }
    return {name: value for name, value in values.items() if value is not ...}


def token(algorithm="HS256", headers=None, key=KEY, **changes):
    return {JWT_HEADER: jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)}


def judged(headers, *, keys=(KEY,), leeway=1, **values):
    """Return whether the token is taken."""
    try:
        verify_token(request(headers, **values), [key.encode() for key in keys], leeway)
    except NotAuthenticError:
        return False
    return True


# The token


@given(URLS, st.binary(), st.sampled_from(["HS256", "HS384", "HS512"]))
def test_a_token_of_another_library_is_judged_as_by_the_official_one(url, body, algorithm):
    now = int(time.time())
    hashes = {"url_hash": sha256(url.encode()).hexdigest()}
    if body:
        hashes["payload_hash"] = sha256(body).hexdigest()
    signed = jwt.encode(
        {"iss": "MessageBird", "nbf": now, "exp": now + 60, **hashes}, KEY, algorithm=algorithm
    )
    RequestValidator(KEY).validate_signature(signed, url, body)
    verify_token(request({JWT_HEADER: signed}, url=url, body=body, at=now * 1_000_000), [KEY.encode()], 1)


@given(URLS, st.binary())
def test_the_official_library_takes_our_token(url, body):
    headers = token_headers(KEY.encode(), url=url, body=body, at=int(time.time()) * 1_000_000, token_id="1")
    RequestValidator(KEY).validate_signature(headers[JWT_HEADER], url, body)


@given(st.integers(0, 400), st.sampled_from("ABCz019-_.="))
def test_a_changed_character_is_refused_as_by_the_official_library(place, character):
    now = int(time.time())
    good = token_headers(KEY.encode(), url=URL, body=BODY, at=now * 1_000_000, token_id="1")[JWT_HEADER]
    bad = good[: place % len(good)] + character + good[place % len(good) + 1 :]
    try:
        RequestValidator(KEY).validate_signature(bad, URL, BODY)
        accepted = True
    except ValidationError:
        accepted = False
    assert judged({JWT_HEADER: bad}, at=now * 1_000_000) is accepted


def test_any_of_several_keys_may_sign():
    assert judged(token(), keys=("another", KEY))
    assert not judged(token(), keys=("another",))


@pytest.mark.parametrize(
    ("at", "leeway", "holds"),
    [
        (SECONDS - 1, 1, True),
        (SECONDS - 2, 1, False),
        (SECONDS - 2, 2, True),
        (SECONDS + 60, 1, True),
        (SECONDS + 61, 1, False),
        (SECONDS + 61, 5, True),
        (SECONDS + 60, 0, False),
        (0, 1, False),
    ],
)
def test_a_token_holds_from_its_start_to_its_end(at, leeway, holds):
    assert judged(token(), at=at * 1_000_000, leeway=leeway) is holds


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "Evil"},
        {"iss": ...},
        {"nbf": ...},
        {"exp": ...},
        {"exp": SECONDS + 60.5},
        {"nbf": True},
        {"url_hash": ...},
        {"url_hash": None},
        {"url_hash": 7},
        {"url_hash": "ü"},
        {"url_hash": "\ud800"},
        {"url_hash": sha256(b"https://sms.example.com/sms/acme").hexdigest()},
        {"payload_hash": ...},
        {"payload_hash": ""},
        {"payload_hash": sha256(b"other").hexdigest()},
    ],
)
def test_a_token_with_other_claims_is_refused(changes):
    payload = json.dumps(claims(**changes)).encode()
    assert not judged({JWT_HEADER: jwt.PyJWS().encode(payload, KEY, algorithm="HS256")})


@pytest.mark.parametrize(
    "payload", [b"[]", b"7", b"no json", b"\xff", b"[" * 9_000, b'{"exp":' + b"9" * 9_000 + b"}"]
)
def test_a_signed_token_that_holds_no_claims_is_refused(payload):
    assert not judged({JWT_HEADER: jwt.PyJWS().encode(payload, KEY, algorithm="HS256")})


def test_a_body_that_was_taken_away_or_added_is_refused():
    assert not judged(token(), body=b"")
    assert not judged(token(payload_hash=...))
    assert judged(token(payload_hash=...), body=b"")


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "RS256"}, {"alg": ["HS256"]}, {"crit": ["exp"]}, {"alg": "hs256"}]
)
def test_another_algorithm_or_an_unknown_demand_is_refused(header):
    good = token()[JWT_HEADER]
    first = base64.urlsafe_b64encode(json.dumps({"alg": "HS256"} | header).encode()).rstrip(b"=").decode()
    content = f"{first}.{good.split('.')[1]}"
    signature = base64.urlsafe_b64encode(hmac.digest(KEY.encode(), content.encode(), "sha256")).rstrip(b"=")
    assert not judged({JWT_HEADER: f"{content}.{signature.decode()}"})
    assert not judged({JWT_HEADER: f"{content}."})


@given(st.text())
def test_no_token_header_raises_anything_but_a_refusal(text):
    assert not judged({JWT_HEADER: text})


# The HMAC


def taken(headers, place=sorted_query, *, keys=(KEY,), tolerance=300, **values):
    """Return whether the HMAC is taken."""
    try:
        verify_hmac(request(headers, **values), [key.encode() for key in keys], place, tolerance)
    except NotAuthenticError:
        return False
    return True


@given(
    st.dictionaries(st.text("abc é&=", min_size=1), st.text("aB0 +é&=/~", min_size=1), max_size=4),
    st.text("aé", max_size=5),
)
def test_the_older_hmac_is_that_of_the_official_library(parameters, text):
    url = f"https://sms.example.com/sms/acme?{urlencode(parameters)}"
    body = text.encode("latin-1")
    headers = hmac_headers(KEY.encode(), place=sorted_query(url), body=body, at=NOW)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        theirs = SignedRequest(
            headers[HMAC_HEADER], headers[TIME_HEADER], text, parse_qs(url.partition("?")[2])
        )
        assert theirs.verify(KEY)
    assert taken(headers, url=url, body=body)


def test_the_hmac_covers_the_parameters_in_any_order_and_nothing_else_of_the_url():
    headers = hmac_headers(KEY.encode(), place="a=1&b=2", body=BODY, at=NOW)
    assert taken(headers)
    assert taken(headers, url="https://elsewhere.example.com/?a=1&b=2")
    assert not taken(headers, url=URL + "&c=3")
    assert not taken(headers, body=b"other")
    assert not taken(headers, whole_url)
    assert not taken(headers, keys=("another",))
    assert taken(headers, keys=("another", KEY))


def test_the_hmac_of_notifications_covers_the_whole_url():
    headers = hmac_headers(KEY.encode(), place=URL, body=BODY, at=NOW)
    assert taken(headers, whole_url)
    assert not taken(headers, whole_url, url=URL.replace("b=2&a=1", "a=1&b=2"))


@pytest.mark.parametrize(
    ("seconds", "holds"), [(0, True), (10, True), (-10, True), (11, False), (-11, False), (10**9, False)]
)
def test_the_hmac_holds_within_the_tolerance(seconds, holds):
    headers = hmac_headers(KEY.encode(), place="a=1&b=2", body=BODY, at=NOW)
    assert taken(headers, tolerance=10, at=NOW + seconds * 1_000_000) is holds


@pytest.mark.parametrize("header", [HMAC_HEADER, TIME_HEADER])
@pytest.mark.parametrize("value", [None, "", "ü", "\udcff", "-1", "1e9", "٣", "9" * 40])
def test_a_missing_or_odd_header_is_refused(header, value):
    headers = hmac_headers(KEY.encode(), place="a=1&b=2", body=BODY, at=NOW) | {header: value}
    assert not taken({name: text for name, text in headers.items() if text is not None})


@given(st.text(), st.text(), st.text())
def test_no_hmac_header_or_url_raises_anything_but_a_refusal(signature, seconds, query):
    assert not taken({HMAC_HEADER: signature, TIME_HEADER: seconds}, url=f"https://sms.example.com/?{query}")
    assert not taken({HMAC_HEADER: signature, TIME_HEADER: str(SECONDS)}, url=f"https://x/?{query}")
