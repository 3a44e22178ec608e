"""The `sig` of Vonage's SMS API, and the parameters that it covers.

Sources: Vonage, "Signing messages"; the official libraries for Python and PHP and their cases. Vonage's page names
each method by its algorithm, and "MD5 hash signature" for the one that is no HMAC.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from urllib.parse import unquote_to_bytes

from gateway.errors import NotAuthenticError
from gateway.providers.base import WebhookRequest
from gateway.providers.times import SECOND, from_epoch

FORM_TYPE = "application/x-www-form-urlencoded"

_SIGNATURE = "sig"
_TIME = "timestamp"
_REPLACED = str.maketrans("&=", "__")
# What every message and every report holds.
_SURELY_VONAGE = ("messageId", "msisdn")

Parameters = Mapping[str, str]


class Method(StrEnum):
    """Signature methods, as they are called in Vonage's dashboard, in small letters."""

    MD5HASH = "md5hash"
    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"


class TryAgainError(NotAuthenticError):
    """Unproven, but Vonage may have sent it: unsigned, or signed too long ago. Its next try may prove itself."""


class ParameterSignature:
    """Proves the requests of an account of the SMS API."""

    __slots__ = ("_method", "_secrets", "_tolerance")

    def __init__(self, secrets: Sequence[str], method: Method, tolerance: int) -> None:
        """Take the secrets in the order of their likelihood, and how far (seconds) a time may be from now."""
        self._secrets = [secret.encode() for secret in secrets]
        self._method = method
        self._tolerance = tolerance * SECOND

    def verified(self, request: WebhookRequest) -> Parameters:
        """Return the parameters of a genuine request; raise `NotAuthenticError` for every other one."""
        found = parameters(request)
        offered = found.get(_SIGNATURE, "")
        if not offered:
            raise _unsigned(found)
        if not offered.isascii() or not self._is_signed(found, offered.lower().encode()):
            raise NotAuthenticError("the signature does not match")
        at = from_epoch(found.get(_TIME), SECOND)
        if at is None:
            raise NotAuthenticError("the time is missing")
        if abs(at - request.received_at) > self._tolerance:
            raise TryAgainError("the time is outside the window")
        return found

    def signed(self, fields: Parameters) -> dict[str, str]:
        """Return the parameters with the signature that Vonage would add."""
        return {**fields, _SIGNATURE: self._hex(_content(fields), self._secrets[0])}

    def _is_signed(self, found: Parameters, offered: bytes) -> bool:
        try:
            content = _content(found)
        except UnicodeEncodeError:
            return False
        return any(
            hmac.compare_digest(self._hex(content, secret).encode(), offered) for secret in self._secrets
        )

    def _hex(self, content: bytes, secret: bytes) -> str:
        if self._method is Method.MD5HASH:
            return hashlib.md5(content + secret, usedforsecurity=False).hexdigest()
        return hmac.new(secret, content, self._method.value).hexdigest()


def parameters(request: WebhookRequest) -> Parameters:
    """Return the parameters of a request: those of the URL for GET, else those of its form or JSON body.

    Raises `NotAuthenticError` for what no signature can cover.
    """
    if request.method == "GET":
        return _of_form(request.url.partition("#")[0].partition("?")[2])
    if request.method != "POST":
        raise NotAuthenticError("Vonage uses GET and POST only")
    try:
        text = request.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotAuthenticError("the body is not UTF-8") from None
    return _of_form(text) if request.content_type == FORM_TYPE else _of_json(text)


def _unsigned(found: Parameters) -> NotAuthenticError:
    if any(name in found for name in _SURELY_VONAGE):
        return TryAgainError("no signature")
    return NotAuthenticError("no signature")


def _content(found: Parameters) -> bytes:
    pairs = [(name, value) for name, value in sorted(found.items()) if name != _SIGNATURE]
    return "".join([f"&{name}={value.translate(_REPLACED)}" for name, value in pairs]).encode()


def _of_form(text: str) -> Parameters:
    found: dict[str, str] = {}
    for pair in filter(None, text.split("&")):
        name, _, value = pair.partition("=")
        name = _decoded(name)
        # Only values are rid of & and =: such a name would swallow its neighbours, and leave the signature whole.
        if name in found or "&" in name or "=" in name:
            raise NotAuthenticError("a parameter is ambiguous")
        found[name] = _decoded(value)
    return found


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeError:
        raise NotAuthenticError("the parameters are not UTF-8") from None


def _of_json(text: str) -> Parameters:
    """Read a flat object. Numbers stay as they were written: the signature covers their digits."""
    if not text:
        return {}
    try:
        found = json.loads(
            text, object_pairs_hook=_unambiguous, parse_int=str, parse_float=str, parse_constant=str
        )
    except (ValueError, RecursionError):
        raise NotAuthenticError("the body is neither form nor JSON") from None
    if not isinstance(found, dict):
        raise NotAuthenticError("the body is no object")
    return {name: _written(value) for name, value in found.items()}


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs) or any("&" in name or "=" in name for name in found):
        raise NotAuthenticError("a parameter is ambiguous")
    return found


def _written(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    raise NotAuthenticError("a parameter is no text")
