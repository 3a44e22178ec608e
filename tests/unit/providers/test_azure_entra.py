"""Entra tokens as Event Grid sends them, and the keys that prove them."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import NotAuthenticError, OurTroubleError
from gateway.net.outgoing import Call, NothingSentError, OutcomeUnknownError, Outgoing, Returned
from gateway.providers.azure import Azure
from gateway.providers.azure_settings import AzureSettings
from gateway.providers.base import WebhookRequest

TENANT = "11111111-2222-3333-4444-555555555555"
EVENT_GRID = "4962773b-9cdb-44cf-a8bf-237846a00ab7"
KEYS_URL = f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"
NOW = 1_767_225_600
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLAIMS = {
    "aud": "api://gateway",
    "iss": f"https://sts.windows.net/{TENANT}/",
    "appid": EVENT_GRID,
    "nbf": NOW - 60,
    "exp": NOW + 3600,
}


def jwk(key, key_id):
    return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": key_id, "use": "sig"}


class Microsoft(Outgoing):
    """Answers for the tenant's keys, and remembers who asked."""

    def __init__(self, *keys, status=200, body=None, error=None):
        self.calls: list[Call] = []
        self.keys = keys
        self.status, self.body, self.error = status, body, error

    def call(self, call):
        self.calls.append(call)
        if self.error is not None:
            raise self.error
        body = json.dumps({"keys": self.keys}).encode() if self.body is None else self.body
        return Returned(self.status, {}, body)


def provider(microsoft, **values):
    settings = {"provider": "azure", "tenant_id": TENANT, "audiences": ["api://gateway"], **values}
    return Azure(AzureSettings.model_validate(settings), microsoft)


def token(key=KEY, key_id="k1", algorithm="RS256", **claims):
    kept = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode(kept, key, algorithm=algorithm, headers={"kid": key_id})


def posted(authorization, at=NOW):
    url = "https://consent.example.com/sms/acme-azure"
    return WebhookRequest("POST", url, {"authorization": authorization}, b"[]", at * 1_000_000)


def bearer(*arguments, at=NOW, **claims):
    return posted(f"Bearer {token(*arguments, **claims)}", at)


@pytest.fixture
def microsoft():
    return Microsoft({"kty": "EC", "kid": "odd"}, jwk(OTHER_KEY, "k0"), jwk(KEY, "k1"))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": ["x", "api://gateway"]},
        {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0", "appid": None, "azp": EVENT_GRID},
        {"exp": NOW - 299},
        {"nbf": NOW + 300},
    ],
)
def test_a_token_of_event_grid_is_accepted(microsoft, claims):
    account = provider(microsoft)
    account.verify(bearer(**claims))
    account.verify(bearer(**claims))
    [call] = microsoft.calls
    assert (call.method, call.url) == ("GET", KEYS_URL)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "api://another"},
        {"aud": None},
        {"aud": 7},
        {"iss": f"https://sts.windows.net/{TENANT}"},
        {"iss": "https://sts.windows.net/99999999-2222-3333-4444-555555555555/"},
        {"appid": "99999999-2222-3333-4444-555555555555"},
        {"appid": None},
        {"exp": NOW - 300},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": NOW + 301},
    ],
)
def test_a_token_of_somebody_else_is_refused_without_a_call(microsoft, claims):
    with pytest.raises(NotAuthenticError):
        provider(microsoft).verify(bearer(**claims))
    assert microsoft.calls == []


def test_a_token_signed_with_another_key_is_refused(microsoft):
    with pytest.raises(NotAuthenticError):
        provider(microsoft).verify(bearer(OTHER_KEY))


def test_the_algorithm_is_ours_to_choose(microsoft):
    public = json.dumps(jwk(KEY, "k1"))
    for forged in (token(None, "k1", "none"), token(public * 2, "k1", "HS256"), token(KEY, "k1", "RS512")):
        with pytest.raises(NotAuthenticError):
            provider(microsoft).verify(posted(f"Bearer {forged}"))


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a.b.c",
        "Bearer é.b.c",
        "Basic Ync6eA==",
        "Bearer " + "a" * 20_000,
        "Bearer \ud800",
    ],
)
def test_an_odd_header_is_refused(microsoft, authorization):
    with pytest.raises(NotAuthenticError):
        provider(microsoft).verify(posted(authorization))


@given(st.text())
def test_any_token_is_refused(text):
    with pytest.raises(NotAuthenticError):
        provider(Microsoft()).verify(posted(f"Bearer {text}"))


def test_a_deep_token_is_refused(microsoft):
    deep = jwt.utils.base64url_encode(b"[" * 5000).decode()
    with pytest.raises(NotAuthenticError):
        provider(microsoft).verify(posted(f"Bearer {deep}.{deep}.AAAA"))


@pytest.mark.parametrize(
    "trouble",
    [
        Microsoft(error=NothingSentError("down")),
        Microsoft(error=OutcomeUnknownError("slow")),
        Microsoft(status=503),
        Microsoft(body=b"<html>"),
        Microsoft(body=b'{"keys": 7}'),
    ],
)
def test_keys_that_cannot_be_had_are_our_trouble_so_that_the_event_comes_again(trouble):
    with pytest.raises(OurTroubleError):
        provider(trouble).verify(bearer())


def test_an_unknown_key_is_looked_for_once_a_minute(microsoft):
    account = provider(microsoft)
    with pytest.raises(NotAuthenticError):
        account.verify(bearer(key_id="k2"))
    with pytest.raises(OurTroubleError):
        account.verify(bearer(key_id="k2", at=NOW + 59))
    microsoft.keys = (jwk(KEY, "k2"),)
    account.verify(bearer(key_id="k2", at=NOW + 60))
    assert len(microsoft.calls) == 2


def test_keys_are_renewed_daily_and_kept_while_they_cannot_be(microsoft):
    account = provider(microsoft)
    account.verify(bearer())
    day = 86_400
    microsoft.error = NothingSentError("down")
    account.verify(bearer(at=NOW + day, exp=NOW + 2 * day))
    microsoft.error, microsoft.keys = None, ()
    with pytest.raises(NotAuthenticError):
        account.verify(bearer(at=NOW + 2 * day, exp=NOW + 3 * day))
    assert len(microsoft.calls) == 3


def test_a_handshake_is_proven_by_the_token_where_there_is_no_secret(microsoft):
    genuine, bare = bearer(), posted("")
    asked = {"webhook-request-origin": "eventgrid.azure.net"}
    for request, permitted in ((genuine, True), (bare, False)):
        shake = WebhookRequest("OPTIONS", request.url, {**request.headers, **asked}, b"", NOW * 1_000_000)
        assert (provider(microsoft).handshake(shake) is not None) is permitted


def test_a_secret_is_checked_before_the_token(microsoft):
    with pytest.raises(NotAuthenticError):
        provider(microsoft, url_secrets="s3cret").verify(bearer())
    assert microsoft.calls == []
