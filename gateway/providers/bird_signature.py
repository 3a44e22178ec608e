"""The two signatures of MessageBird: a token (JWT) over URL and body, and an HMAC with a time of its own.

Sources: MessageBird, "Verify HTTP requests"; the official library's `RequestValidator` and its 44 cases; Bird,
"Verifying a webhook subscription". The token is read here, not by a JWT library: those ask the clock by themselves
and warn of short keys, which MessageBird hands out.
"""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode

from gateway.errors import CallerError, NotAuthenticError
from gateway.providers.base import WebhookRequest
from gateway.providers.payload import Fields, read_object
from gateway.providers.times import SECOND

JWT_HEADER = "messagebird-signature-jwt"
HMAC_HEADER = "messagebird-signature"
TIME_HEADER = "messagebird-request-timestamp"

_ISSUER = "MessageBird"
_DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_TOKEN_SECONDS = 60
_UNCHECKED = "surrogatepass"  # foreign text is hashed as it is, whatever it holds

Place = Callable[[str], str]  # what of the URL an HMAC covers


def verify_token(request: WebhookRequest, keys: Sequence[bytes], leeway: int) -> None:
    """Raise `NotAuthenticError` unless a key signed a token that holds now, for this URL and this body.

    `leeway` is in seconds.
    """
    token = request.headers.get(JWT_HEADER, "").strip()
    if not _TOKEN.fullmatch(token):
        raise NotAuthenticError("no usable token")
    content, _, signature = token.rpartition(".")
    header, _, payload = content.partition(".")
    digest = _digest(_object(header))
    wanted = [hmac.digest(key, content.encode(), digest) for key in keys]
    offered = _decoded(signature)
    if not any(hmac.compare_digest(each, offered) for each in wanted):
        raise NotAuthenticError("the token's signature does not match")
    claims = _object(payload)
    _check_time(claims, request.received_at, leeway * SECOND)
    _check_content(claims, request)


def verify_hmac(request: WebhookRequest, keys: Sequence[bytes], place: Place, tolerance: int) -> None:
    """Raise `NotAuthenticError` unless a key signed time, place and body within `tolerance` seconds of now."""
    time = request.headers.get(TIME_HEADER, "").strip()
    if not _SECONDS.fullmatch(time) or abs(int(time) * SECOND - request.received_at) > tolerance * SECOND:
        raise NotAuthenticError("the time is missing or outside the window")
    offered = request.headers.get(HMAC_HEADER, "").strip().encode("utf-8", _UNCHECKED)
    content = _hmac_content(time, place(request.url), request.body)
    if not any(hmac.compare_digest(_mac(key, content), offered) for key in keys):
        raise NotAuthenticError("the signature does not match")


def token_headers(key: bytes, *, url: str, body: bytes, at: int, token_id: str) -> dict[str, str]:
    """Return the header with MessageBird's token for this request, made at `at` microseconds."""
    seconds = at // SECOND
    claims: dict[str, object] = {"iss": _ISSUER, "nbf": seconds, "exp": seconds + _TOKEN_SECONDS}
    claims |= {"jti": token_id, "url_hash": _hash(url.encode())}
    if body:
        claims["payload_hash"] = _hash(body)
    content = ".".join(
        _encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)
    )
    return {JWT_HEADER: f"{content}.{_encoded(hmac.digest(key, content.encode(), 'sha256'))}"}


def hmac_headers(key: bytes, *, place: str, body: bytes, at: int) -> dict[str, str]:
    """Return the headers with the HMAC for this request, made at `at` microseconds."""
    time = str(at // SECOND)
    return {TIME_HEADER: time, HMAC_HEADER: _mac(key, _hmac_content(time, place, body)).decode()}


def sorted_query(url: str) -> str:
    """Return what MessageBird's HMAC covers of a URL: its parameters, sorted by name, written anew."""
    query = url.partition("#")[0].partition("?")[2]
    pairs = parse_qsl(query, keep_blank_values=True, errors=_UNCHECKED)
    return urlencode(sorted(pairs, key=lambda pair: pair[0]), errors=_UNCHECKED)


def whole_url(url: str) -> str:
    """Return what the HMAC of Bird's Notifications API covers of a URL."""
    return url


def _digest(header: Fields) -> str:
    name = header.get("alg")
    # "none" and the public-key algorithms are no entries; nothing critical (RFC 7515 section 4.1.11) is known.
    if not isinstance(name, str) or name not in _DIGESTS or "crit" in header:
        raise NotAuthenticError("the token's algorithm is not HS256, HS384 or HS512")
    return _DIGESTS[name]


def _check_time(claims: Mapping[str, object], now: int, leeway: int) -> None:
    start, end = claims.get("nbf"), claims.get("exp")
    if claims.get("iss") != _ISSUER or type(start) is not int or type(end) is not int:
        raise NotAuthenticError("the token lacks its issuer or its times")
    if start * SECOND > now + leeway or end * SECOND <= now - leeway:
        raise NotAuthenticError("the token does not hold now")


def _check_content(claims: Mapping[str, object], request: WebhookRequest) -> None:
    if not _is_hash(claims.get("url_hash"), request.url.encode("utf-8", _UNCHECKED)):
        raise NotAuthenticError("the token is for another URL")
    payload = claims.get("payload_hash")
    is_right = _is_hash(payload, request.body) if request.body else not payload
    if not is_right:
        raise NotAuthenticError("the token is for another body")


def _is_hash(claim: object, content: bytes) -> bool:
    offered = claim.encode("utf-8", _UNCHECKED) if isinstance(claim, str) else b""
    return hmac.compare_digest(_hash(content).encode(), offered)


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def _hmac_content(time: str, place: str, body: bytes) -> bytes:
    return f"{time}\n{place}\n".encode("utf-8", _UNCHECKED) + sha256(body).digest()


def _mac(key: bytes, content: bytes) -> bytes:
    return base64.b64encode(hmac.digest(key, content, "sha256"))


def _object(part: str) -> Fields:
    try:
        return read_object(_decoded(part))
    except CallerError:
        raise NotAuthenticError("the token is no JSON") from None


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise NotAuthenticError("the token is no base64") from None


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
