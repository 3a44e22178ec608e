"""The token (JWT) with which Vonage's Messages API signs its webhooks.

Source: Vonage, "Webhooks: decoding signed webhooks". The official library checks the signature alone; the hash of
the body, the issuer, the account and the time are checked here. Apart from the provider, since the JWT library is
slow to import and only accounts of the Messages API need it.
"""

import hmac
import json
from collections.abc import Sequence
from functools import cache
from hashlib import sha256

import jwt
from jwt.algorithms import HMACAlgorithm

from gateway.errors import CallerError, NotAuthenticError
from gateway.providers.base import WebhookRequest
from gateway.providers.payload import Fields, read_object
from gateway.providers.times import SECOND, from_epoch
from gateway.providers.vonage_signature import TryAgainError

_ISSUER = "Vonage"
_ALGORITHM = "HS256"


class TokenSignature:
    """Proves the requests of an account of the Messages API."""

    __slots__ = ("_api_key", "_secrets", "_tolerance")

    def __init__(self, secrets: Sequence[str], api_key: str, tolerance: int) -> None:
        """Take the secrets in the order of their likelihood, and how far (seconds) a time may be from now."""
        self._secrets = tuple(secrets)
        self._api_key = api_key
        self._tolerance = tolerance * SECOND

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless a secret signed a token for this account, body and time."""
        if request.method != "POST":
            raise NotAuthenticError("the Messages API uses POST only")
        scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
        if not scheme:
            # Vonage's page: a call whose signing failed comes unsigned; a 5xx brings it again, signed.
            raise TryAgainError("no token") if request.body else NotAuthenticError("no token")
        if scheme.lower() != "bearer":
            raise NotAuthenticError("no token")
        claims = signed_claims(token.strip(), self._secrets)
        if claims.get("iss") != _ISSUER or claims.get("api_key") != self._api_key:
            raise NotAuthenticError("the token is of another issuer or account")
        _check_hash(claims, request.body)
        self._check_time(claims, request.received_at)

    def header(self, body: bytes, *, at: int, token_id: str) -> dict[str, str]:
        """Return the header that Vonage would send with this body at `at` (microseconds)."""
        claims = {"iat": at // SECOND, "jti": token_id, "iss": _ISSUER, "api_key": self._api_key}
        claims["payload_hash"] = sha256(body).hexdigest()
        token = _signer().encode(json.dumps(claims).encode(), self._secrets[0], _ALGORITHM)
        return {"authorization": f"Bearer {token}"}

    def _check_time(self, claims: Fields, now: int) -> None:
        at = from_epoch(claims.get("iat"), SECOND)
        if at is None:
            raise NotAuthenticError("the token tells no time")
        if abs(at - now) > self._tolerance:
            raise TryAgainError("the token's time is outside the window")


def signed_claims(token: str, secrets: Sequence[str]) -> Fields:
    """Return the claims of a token that one of the secrets signed by HS256; raise `NotAuthenticError`."""
    for secret in secrets:
        try:
            return read_object(_signer().decode(token, secret, algorithms=[_ALGORITHM]))
        except (jwt.PyJWTError, CallerError, ValueError, RecursionError):
            continue
    raise NotAuthenticError("no secret fits the token")


class _AnyLength(HMACAlgorithm):
    """HMAC without a word on short keys: the secrets are as long as Vonage makes them."""

    def check_key_length(self, key: bytes) -> str | None:  # noqa: ARG002 - accepts all
        return None


@cache
def _signer() -> jwt.PyJWS:
    # The layer that only signs: the one above asks the clock by itself.
    signer = jwt.PyJWS(algorithms=[])
    signer.register_algorithm(_ALGORITHM, _AnyLength(HMACAlgorithm.SHA256))
    return signer


def _check_hash(claims: Fields, body: bytes) -> None:
    offered = claims.get("payload_hash")
    wanted = sha256(body).hexdigest().encode()
    if not isinstance(offered, str) or not hmac.compare_digest(
        offered.lower().encode("utf-8", "replace"), wanted
    ):
        raise NotAuthenticError("the token does not cover this body")
