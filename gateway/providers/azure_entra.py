"""Tokens of Microsoft Entra ID, with which Event Grid proves its deliveries.

Sources: Microsoft, "Deliver events to Microsoft Entra protected endpoints", "Access token claims reference",
"Signing key rollover in the Microsoft identity platform".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from gateway.errors import CallerError, NotAuthenticError, OurTroubleError
from gateway.net.outgoing import Call, NothingSentError, OutcomeUnknownError, Outgoing
from gateway.providers.base import WebhookRequest
from gateway.providers.payload import found, listed, read_object
from gateway.providers.times import SECOND

PUBLIC_AUTHORITY: Final = "https://login.microsoftonline.com"
# Tokens of version 1.0 name another issuer than the authority.
AUTHORITIES = {
    PUBLIC_AUTHORITY: "https://sts.windows.net",
    "https://login.microsoftonline.us": "https://sts.windows.net",
    "https://login.partner.microsoftonline.cn": "https://sts.chinacloudapi.cn",
}

_ALGORITHM = "RS256"
_LEEWAY = 300 * SECOND  # what Microsoft's own libraries allow
_FRESH = 86_400 * SECOND  # keys are rolled over without notice: look once a day
_PAUSE = 60 * SECOND  # strangers who name unknown keys must not make us call without end
_FETCH_SECONDS = 3.0  # the caller waits
_MOST_BYTES = 16_384
_HTTP_OK = 200
# PyJWT lets through what the parts of a token make json and base64 raise.
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens are taken: issued by a tenant, for one of the audiences, to one application."""

    authority: str
    tenant_id: str
    audiences: tuple[str, ...]
    sender_app_id: str

    @property
    def issuers(self) -> tuple[str, ...]:
        """The issuers by which tokens of versions 1.0 and 2.0 name the tenant."""
        return (
            f"{AUTHORITIES[self.authority]}/{self.tenant_id}/",
            f"{self.authority}/{self.tenant_id}/v2.0",
        )


class TokenVerifier:
    """Checks bearer tokens. The tenant's keys are fetched when first needed, and kept."""

    __slots__ = ("_asked_at", "_keys", "_net", "_trust")

    def __init__(self, trust: Trust, net: Outgoing) -> None:
        self._trust = trust
        self._net = net
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._asked_at: int | None = None

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request carries a valid token of Event Grid.

        Raises `OurTroubleError` while the keys cannot be had: a 401 or 403 would make Event Grid drop the event.
        """
        token = _bearer(request)
        try:
            key_id = found(dict(jwt.get_unverified_header(token)), "kid")
            claims = jwt.decode(token, options={"verify_signature": False})
        except _UNREADABLE:
            raise NotAuthenticError("the bearer token cannot be read") from None
        # The claims first: only who knows tenant and audience makes us look for keys.
        _check(claims, self._trust, request.received_at)
        self._prove(token, self._key(key_id, request.received_at))

    def _prove(self, token: str, key: jwt.PyJWK) -> None:
        try:
            jwt.decode(token, key.key, algorithms=[_ALGORITHM], options=_SIGNATURE_ONLY)
        except _UNREADABLE:
            raise NotAuthenticError("the bearer token's signature does not match") from None

    def _key(self, key_id: str, at: int) -> jwt.PyJWK:
        """Return the tenant's key of this id; the set is renewed for an unknown id, and once a day."""
        known = self._keys.get(key_id)
        age = None if self._asked_at is None else at - self._asked_at
        if known is not None and age is not None and age < _FRESH:
            return known
        if known is None and age is not None and age < _PAUSE:
            raise OurTroubleError("the key of the token is unknown, and the keys were fetched just now")
        self._renew(at, needed=known is None)
        if key_id not in self._keys:
            raise NotAuthenticError("the tenant has no such key")
        return self._keys[key_id]

    def _renew(self, at: int, *, needed: bool) -> None:
        self._asked_at = at
        try:
            self._keys = _fetched(self._trust, self._net)
        except OurTroubleError:
            if needed:
                raise


# Times are compared with the request's, audience and issuer have been.
_SIGNATURE_ONLY: Any = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


def _bearer(request: WebhookRequest) -> str:
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.isascii() or len(token) > _MOST_BYTES:
        raise NotAuthenticError("no usable bearer token")
    return token.strip()


def _check(claims: Mapping[str, Any], trust: Trust, at: int) -> None:
    """Raise unless the claims are those of a token that Event Grid got for us, valid at `at`."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if not any(each in trust.audiences for each in audiences):
        raise NotAuthenticError("the token is for somebody else")
    if claims.get("iss") not in trust.issuers:
        raise NotAuthenticError("the token is of another tenant")
    # `appid` in tokens of version 1.0, `azp` in 2.0.
    if (claims.get("appid") or claims.get("azp")) != trust.sender_app_id:
        raise NotAuthenticError("the token was issued to another application")
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int) or not isinstance(begins, int):
        raise NotAuthenticError("the token has no times")
    if not begins * SECOND - _LEEWAY <= at < expires * SECOND + _LEEWAY:
        raise NotAuthenticError("the token is expired or not yet valid")


def _fetched(trust: Trust, net: Outgoing) -> dict[str, jwt.PyJWK]:
    """Return the tenant's keys by id; raise `OurTroubleError` when they cannot be had."""
    url = f"{trust.authority}/{trust.tenant_id}/discovery/v2.0/keys"
    try:
        returned = net.call(Call("GET", url, {"accept": "application/json"}, timeout=_FETCH_SECONDS))
        if returned.status != _HTTP_OK:
            raise OurTroubleError(f"the tenant's keys could not be fetched: {returned.status}")
        keys = listed(read_object(returned.body), "keys")
    except (NothingSentError, OutcomeUnknownError, CallerError) as error:
        raise OurTroubleError("the tenant's keys could not be fetched") from error
    return {found(key, "kid"): made for key in keys if (made := _made(key)) is not None}


def _made(key: object) -> jwt.PyJWK | None:
    """Return a key, None for one of another sort than the tokens use."""
    if found(key, "kty") != "RSA" or not isinstance(key, dict):
        return None
    try:
        return jwt.PyJWK.from_dict(key, algorithm=_ALGORITHM)
    except _UNREADABLE:
        return None
