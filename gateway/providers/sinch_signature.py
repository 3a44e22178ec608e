"""Sinch's webhook signatures: of the SMS and Conversation APIs, and of the Numbers API.

Sources: Sinch, "SMS: Webhooks", "Conversation: Callbacks", "Numbers: Event notifications".
"""

import binascii
import hmac
from collections.abc import Mapping, Sequence

from gateway.errors import NotAuthenticError
from gateway.providers.base import WebhookRequest
from gateway.providers.times import SECOND

NUMBERS_HEADER = "x-sinch-signature"
_SIGNATURE = "x-sinch-webhook-signature"
_NONCE = f"{_SIGNATURE}-nonce"
_TIMESTAMP = f"{_SIGNATURE}-timestamp"
_ALGORITHM = f"{_SIGNATURE}-algorithm"
_ONLY_ALGORITHM = "HmacSHA256"
_LONGEST_TIMESTAMP = 12  # digits of seconds


class Signatures:
    """Proves requests by the secrets of an account, each accepted while they are being rotated."""

    __slots__ = ("_numbers", "_tolerance", "_webhooks")

    def __init__(self, webhooks: Sequence[str], numbers: Sequence[str], tolerance: int) -> None:
        """Take the secrets of webhooks and of Numbers events, and the replay window in seconds."""
        self._webhooks = [hmac.new(secret.encode(), digestmod="sha256") for secret in webhooks]
        self._numbers = [hmac.new(secret.encode(), digestmod="sha1") for secret in numbers]
        self._tolerance = tolerance * SECOND

    @property
    def has_webhooks(self) -> bool:
        """Whether messages are signed."""
        return bool(self._webhooks)

    def is_numbers_event(self, request: WebhookRequest) -> bool:
        """Tell whether the request claims to be signed as an event of the Numbers API."""
        return bool(self._numbers) and NUMBERS_HEADER in request.headers and _SIGNATURE not in request.headers

    def verify_numbers_event(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the header holds the HMAC-SHA1 of the body, in hex."""
        given = _ascii(request.headers, NUMBERS_HEADER)
        expected = [_hex(key, request.body) for key in self._numbers]
        if not any(hmac.compare_digest(given, each) for each in expected):
            raise NotAuthenticError("the signature does not match")

    def verify_webhook(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless body, nonce and timestamp are signed, and the timestamp is near."""
        headers = request.headers
        given = _ascii(headers, _SIGNATURE)
        nonce, timestamp = _ascii(headers, _NONCE), _ascii(headers, _TIMESTAMP)
        if headers.get(_ALGORITHM, _ONLY_ALGORITHM) != _ONLY_ALGORITHM:
            raise NotAuthenticError("the signature uses an unknown algorithm")
        if abs(_microseconds(timestamp) - request.received_at) > self._tolerance:
            raise NotAuthenticError("the timestamp is too far from now")
        expected = [_signed(key, request.body, nonce, timestamp) for key in self._webhooks]
        if not any(hmac.compare_digest(given, each) for each in expected):
            raise NotAuthenticError("the signature does not match")

    def headers(self, body: bytes, *, nonce: str, at: int) -> dict[str, str]:
        """Return the headers with which Sinch would sign this body, by the first secret; none without one."""
        if not self._webhooks:
            return {}
        timestamp = str(at // SECOND)
        signature = _signed(self._webhooks[0], body, nonce.encode(), timestamp.encode())
        return {
            _SIGNATURE: signature.decode(),
            _NONCE: nonce,
            _TIMESTAMP: timestamp,
            _ALGORITHM: _ONLY_ALGORITHM,
        }


def _signed(key: hmac.HMAC, body: bytes, nonce: bytes, timestamp: bytes) -> bytes:
    mac = key.copy()
    mac.update(b"%b.%b.%b" % (body, nonce, timestamp))
    return binascii.b2a_base64(mac.digest(), newline=False)


def _hex(key: hmac.HMAC, body: bytes) -> bytes:
    mac = key.copy()
    mac.update(body)
    return mac.hexdigest().encode()


def _ascii(headers: Mapping[str, str], name: str) -> bytes:
    value = headers.get(name, "")
    if not value or not value.isascii():
        raise NotAuthenticError(f"no usable {name}")
    return value.encode()


def _microseconds(timestamp: bytes) -> int:
    if not timestamp.isdigit() or len(timestamp) > _LONGEST_TIMESTAMP:
        raise NotAuthenticError("the timestamp is no number")
    return int(timestamp) * SECOND
