"""What proves a request of Vonage, and what is answered to one that proves nothing."""

import json
from urllib.parse import urlencode

import jwt
import pytest
from support.vonage_requests import (
    FORM,
    MESSAGE,
    NOW,
    SECRET,
    SMS,
    URL,
    is_refused,
    json_request,
    messages_api,
    signature,
    sms_api,
    sms_request,
    token,
)

from gateway.providers.base import Rehearsal, WebhookRequest

# -- the signature of the SMS API


def test_each_of_several_secrets_is_good():
    sms_api(signature_secrets=["old", SECRET]).verify(sms_request(SMS))


@pytest.mark.parametrize("method", ["md5hash", "md5", "sha1", "sha512"])
def test_another_method_than_the_configured_one_is_refused(method):
    assert is_refused(sms_api(signature_method=method), sms_request(SMS)) == 403


def test_an_altered_parameter_is_refused():
    request = sms_request(SMS)
    altered = request.body.replace(b"text=stop", b"text=go")
    assert is_refused(sms_api(), WebhookRequest("POST", URL, FORM, altered, NOW)) == 403


def test_a_parameter_cannot_swallow_its_neighbour():
    """The names are not rid of & and =, so that this has the signature of the original."""
    merged = {name: value for name, value in SMS.items() if name not in {"nonce", "text"}}
    merged["nonce=n-1&text"] = "stop"
    body = urlencode({**merged, "sig": signature(SMS)}).encode()
    assert is_refused(sms_api(), WebhookRequest("POST", URL, FORM, body, NOW)) == 403


@pytest.mark.parametrize("extra", [b"&text=go", b"&text=stop", b"&t=%ff"])
def test_an_ambiguous_or_undecodable_parameter_is_refused(extra):
    request = WebhookRequest("POST", URL, FORM, sms_request(SMS).body + extra, NOW)
    assert is_refused(sms_api(), request) == 403


def test_an_unsigned_message_is_answered_so_that_it_comes_again():
    request = WebhookRequest("POST", URL, FORM, urlencode(SMS).encode(), NOW)
    assert is_refused(sms_api(), request) == 503


def test_an_unsigned_request_that_is_no_message_is_refused():
    assert is_refused(sms_api(), WebhookRequest("GET", f"{URL}?a=1", {}, b"", NOW)) == 403


@pytest.mark.parametrize("provider", [sms_api(), messages_api()])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_look_at_a_url_that_is_being_saved_is_answered_and_proves_nothing(provider, method):
    assert is_refused(provider, WebhookRequest(method, URL, {}, b"", NOW)) == 200


@pytest.mark.parametrize("late", [-1, 1])
def test_an_old_signature_is_refused_so_that_it_comes_again(late):
    request = sms_request(SMS, at=NOW + late * 301_000_000)
    assert is_refused(sms_api(tolerance_seconds=300), request) == 503
    sms_api(tolerance_seconds=302).verify(request)


def test_a_repetition_at_the_end_of_a_day_is_good():
    sms_api().verify(sms_request(SMS, at=NOW + 24 * 3600 * 1_000_000))


@pytest.mark.parametrize("time", ["", "x", "1e9", "-1", "9" * 30])
def test_a_signature_without_a_time_is_refused(time):
    assert is_refused(sms_api(), sms_request({**SMS, "timestamp": time})) == 403


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b"1", b'{"text": {}}', b'{"a":1,"a":2}', b"[" * 100_000, b"\xff"]
)
def test_json_that_no_signature_covers_is_refused(body):
    request = WebhookRequest("POST", URL, {"content-type": "application/json"}, body, NOW)
    assert is_refused(sms_api(), request) == 403


def test_an_endless_number_is_refused_and_costs_nothing():
    body = b'{"text": ' + b"9" * 60_000 + b"}"
    assert is_refused(sms_api(), WebhookRequest("POST", URL, {}, body, NOW)) == 403


# -- the token of the Messages API


@pytest.mark.parametrize(
    "claims",
    [
        {"payload_hash": None},
        {"payload_hash": "0" * 64},
        {"payload_hash": ["x"]},
        {"payload_hash": "\u2603"},
        {"iss": "Evil"},
        {"iss": None},
        {"api_key": "other"},
        {"api_key": None},
        {"iat": None},
        {"iat": "soon"},
        {"iat": True},
        {"secret": "another-secret-of-32-characters-x"},
        {"secret": "x" * 64, "algorithm": "HS512"},
        {"secret": SECRET + "x" * 64, "algorithm": "HS384"},
        {"secret": None, "algorithm": "none"},
    ],
)
def test_a_token_that_does_not_prove_this_body_and_account_is_refused(claims):
    body = json.dumps(MESSAGE).encode()
    if isinstance(claims.get("iat"), str):
        made = jwt.PyJWS().encode(json.dumps({"iat": claims["iat"]}).encode(), SECRET, "HS256")
    else:
        made = token(body, **claims)
    request = WebhookRequest("POST", URL, {"authorization": f"Bearer {made}"}, body, NOW)
    assert is_refused(messages_api(), request) == 403


def test_a_token_of_an_algorithm_stronger_than_agreed_is_refused_even_with_the_right_secret():
    secret = "s" * 64
    request = json_request(MESSAGE, secret=secret, algorithm="HS512")
    assert is_refused(messages_api(signature_secrets=secret), request) == 403
    messages_api(signature_secrets=secret).verify(json_request(MESSAGE, secret=secret))


@pytest.mark.parametrize("late", [-1, 1])
def test_an_old_token_is_refused_so_that_it_comes_again(late):
    assert is_refused(messages_api(), json_request(MESSAGE, at=NOW + late * 90_001_000_000)) == 503
    messages_api().verify(json_request(MESSAGE, at=NOW + late * 86_400_000_000))


def test_a_message_whose_signing_failed_is_answered_so_that_it_comes_again():
    request = WebhookRequest("POST", URL, {}, json.dumps(MESSAGE).encode(), NOW)
    assert is_refused(messages_api(), request) == 503


@pytest.mark.parametrize(
    "header",
    [
        "Basic YTpi",
        "Bearer",
        "Bearer ",
        "Bearer asdf",
        "Bearer a.b.c",
        "Bearer \u2603",
        "Bearer \ud800.\ud800.x",
        f"Bearer {'W1tb' * 5_000}.e30.x",
    ],
)
def test_any_other_header_is_refused(header):
    request = WebhookRequest("POST", URL, {"authorization": header}, json.dumps(MESSAGE).encode(), NOW)
    assert is_refused(messages_api(), request) == 403


def test_the_messages_api_uses_post_only():
    request = json_request(MESSAGE)
    other = WebhookRequest("GET", f"{URL}?a=1", request.headers, request.body, NOW)
    assert is_refused(messages_api(), other) == 403


def test_a_short_secret_signs_as_well():
    rehearsal = Rehearsal(URL, "+15555550100", "+15555550199", "STOP", "m-1", NOW)
    request = messages_api(signature_secrets="short").rehearse(rehearsal)
    messages_api(signature_secrets=["another", "short"]).verify(request)
