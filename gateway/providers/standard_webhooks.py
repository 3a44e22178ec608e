"""Standard Webhooks: HMAC-SHA256 over id, time and raw body.

Source: standardwebhooks.com, specification 1.0, "Webhook headers" and "Signature scheme". Times are microseconds
UTC; the official library looks at the clock by itself, so its check cannot be used where the clock is passed in.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence

from gateway.errors import NotAuthenticError

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300

_ID, _TIME, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_SECONDS = re.compile(rb"[0-9]{1,12}", re.ASCII)
_MOST_SIGNATURES = 16


def key_of(secret: str) -> bytes:
    """Return the key inside a secret, with or without its prefix `whsec_`; raise `ValueError` for none."""
    text = secret.strip().removeprefix(PREFIX)
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a secret of Standard Webhooks is base64 after whsec_") from None
    if not key:
        raise ValueError("a secret of Standard Webhooks is empty")
    return key


def verify(
    headers: Mapping[str, str],
    body: bytes,
    keys: Sequence[bytes],
    *,
    received_at: int,
    tolerance: int = TOLERANCE_SECONDS,
) -> None:
    """Raise `NotAuthenticError` unless one of the keys signed this body within `tolerance` seconds of its time."""
    message, time = _header(headers, _ID), _header(headers, _TIME)
    offered = _offered(_header(headers, _SIGNATURE))
    if not _SECONDS.fullmatch(time) or abs(int(time) * 1_000_000 - received_at) > tolerance * 1_000_000:
        raise NotAuthenticError("the time is outside the window")
    wanted = [_signature(key, message, time, body) for key in keys]
    if not any(hmac.compare_digest(each, one) for each in wanted for one in offered):
        raise NotAuthenticError("the signature does not match")


def signed(key: bytes, *, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """Return the three headers for a body sent at `at`."""
    time = str(at // 1_000_000)
    signature = _signature(key, message_id.encode(), time.encode(), body).decode()
    return {_ID: message_id, _TIME: time, _SIGNATURE: signature}


def _signature(key: bytes, message: bytes, time: bytes, body: bytes) -> bytes:
    mac = hmac.new(key, b".".join((message, time, body)), "sha256")
    return b"v1," + base64.b64encode(mac.digest())


def _header(headers: Mapping[str, str], name: str) -> bytes:
    text = headers.get(name, "").strip()
    if not text or not text.isascii():
        raise NotAuthenticError(f"no usable {name}")
    return text.encode()


def _offered(header: bytes) -> list[bytes]:
    """Return the signatures of the header. Several stand there while a secret is being rotated."""
    return header.split(b" ")[:_MOST_SIGNATURES]
