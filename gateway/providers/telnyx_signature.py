"""Telnyx's webhook signature: Ed25519 over the time, a bar and the raw body.

Source: Telnyx, "Receiving webhooks for messaging"; agrees with `webhooks.unwrap` of telnyx-python.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.errors import NotAuthenticError
from gateway.providers.base import WebhookRequest
from gateway.providers.times import SECOND

_SIGNATURE_HEADER = "telnyx-signature-ed25519"
_TIME_HEADER = "telnyx-timestamp"
_SIGNATURE_BYTES = 64
_UNIX_TIME = re.compile(r"[0-9]{1,11}", re.ASCII)  # seconds


class Verifier:
    """Proves that requests come from Telnyx, with the public keys of one account."""

    __slots__ = ("_keys", "_tolerance")

    def __init__(self, public_keys: Sequence[str], tolerance_seconds: int) -> None:
        """Take base64 public keys in the order of their likelihood; raise `ValueError` for what is none."""
        self._keys = [_public_key(key) for key in public_keys]
        self._tolerance = tolerance_seconds * SECOND

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless one of the keys signed this body at about the time of arrival."""
        if request.method != "POST":
            raise NotAuthenticError("Telnyx uses POST only")
        at = request.headers.get(_TIME_HEADER, "")
        signature = _signature(request.headers)
        if not _UNIX_TIME.fullmatch(at) or abs(request.received_at - int(at) * SECOND) > self._tolerance:
            raise NotAuthenticError("the time is missing or too far from now")
        content = _content(at, request.body)
        if not any(_is_signed(content, signature, key) for key in self._keys):
            raise NotAuthenticError("the signature does not match")


def signature_headers(body: bytes, at: int, private_key: str) -> dict[str, str]:
    """Return the headers with which Telnyx would sign the body at `at` (microseconds), by a base64 seed."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key, validate=True))
    seconds = str(at // SECOND)
    signature = key.sign(_content(seconds, body))
    return {_SIGNATURE_HEADER: base64.b64encode(signature).decode(), _TIME_HEADER: seconds}


def made_up_keys() -> tuple[str, str]:
    """Return a fresh key pair in base64: public key, private seed."""
    key = Ed25519PrivateKey.generate()
    pair = key.public_key().public_bytes_raw(), key.private_bytes_raw()
    return base64.b64encode(pair[0]).decode(), base64.b64encode(pair[1]).decode()


def _public_key(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))


def _content(at: str, body: bytes) -> bytes:
    return at.encode() + b"|" + body


def _signature(headers: Mapping[str, str]) -> bytes:
    try:
        signature = base64.b64decode(headers.get(_SIGNATURE_HEADER, ""), validate=True)
    except (binascii.Error, ValueError):  # ValueError: beyond ASCII
        signature = b""
    if len(signature) != _SIGNATURE_BYTES:
        raise NotAuthenticError("no usable signature header")
    return signature


def _is_signed(content: bytes, signature: bytes, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True
