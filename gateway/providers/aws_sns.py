"""The envelope of Amazon SNS: which of its fields AWS signs, and how.

Source: AWS, "Verifying the signatures of Amazon SNS messages", "HTTP/HTTPS notification JSON format".
"""

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from gateway.errors import CallerError, NotAuthenticError
from gateway.providers.aws_certificates import Certificates
from gateway.providers.payload import read_object
from gateway.providers.times import SECOND, from_iso


class EnvelopeKind(StrEnum):
    """What an envelope is, by AWS's names."""

    NOTIFICATION = "Notification"
    SUBSCRIPTION = "SubscriptionConfirmation"
    UNSUBSCRIPTION = "UnsubscribeConfirmation"


_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED: Mapping[str, tuple[str, ...]] = {
    EnvelopeKind.NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    EnvelopeKind.SUBSCRIPTION: _CONFIRMATION,
    EnvelopeKind.UNSUBSCRIPTION: _CONFIRMATION,
}
_MAY_BE_ABSENT = "Subject"
_MAY_HAVE_LINES = "Message"
# AWS's Lambda events spell them so; deliveries over HTTPS do not, and other senders of this form do.
_SPELLINGS = {"SigningCertUrl": "SigningCertURL", "SubscribeUrl": "SubscribeURL"}
_HOST = r"https://sns\.[a-z0-9-]{3,}\.amazonaws\.com(?:\.cn)?"
_CERTIFICATE_URL = re.compile(_HOST + r"/[A-Za-z0-9._/-]+\.pem", re.ASCII)
_SUBSCRIBE_URL = re.compile(_HOST + r"/\?[^#\s]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signed envelope. `fields` are texts, as AWS wrote them."""

    kind: EnvelopeKind
    fields: Mapping[str, str]

    @property
    def signed(self) -> bytes:
        """The bytes that AWS signs: each field that is present, name and value on lines of their own."""
        names = [name for name in _SIGNED[self.kind] if name in self.fields]
        return "".join([f"{name}\n{self.fields[name]}\n" for name in names]).encode()


class EnvelopeVerifier:
    """Proves that envelopes come from AWS, and from one of our topics: AWS signs for everybody's."""

    __slots__ = ("_certificates", "_oldest", "_topics")

    def __init__(
        self, topics: Collection[str], certificates: Certificates, maximum_age: int | None = None
    ) -> None:
        """Take the ARNs of the topics, and the age in seconds from which on a message is refused."""
        self._topics = frozenset(topics)
        self._certificates = certificates
        self._oldest = None if maximum_age is None else maximum_age * SECOND

    def verified(self, body: bytes, received_at: int) -> Envelope:
        """Return the envelope of a genuine request.

        Raises `NotAuthenticError`, and `OurTroubleError` when the certificate cannot be had now.
        """
        envelope = read_envelope(body)
        # All that costs nothing comes first: what follows may call out.
        if envelope.fields["TopicArn"] not in self._topics:
            raise NotAuthenticError("the topic is none of this account's")
        signed_at = self._signed_at(envelope, received_at)
        signature, algorithm = _signature(envelope), _algorithm(envelope)
        url = _certificate_url(envelope)
        keys = self._certificates.keys(url, signed_at=signed_at, received_at=received_at)
        if not any(_is_signed(key, signature, envelope.signed, algorithm) for key in keys):
            raise NotAuthenticError("the signature does not match")
        return envelope

    def _signed_at(self, envelope: Envelope, received_at: int) -> int:
        at = from_iso(envelope.fields["Timestamp"])
        if at is None:
            raise NotAuthenticError("the time is unreadable")
        if self._oldest is not None and received_at - at > self._oldest:
            raise NotAuthenticError("the message is too old")
        return at


def read_envelope(body: bytes) -> Envelope:
    """Return what may be an envelope; raise `NotAuthenticError` for everything else, raw deliveries included."""
    try:
        document = read_object(body)
    except CallerError:
        raise NotAuthenticError("no SNS envelope") from None
    texts = {_SPELLINGS.get(name, name): value for name, value in document.items() if isinstance(value, str)}
    kind = texts.get("Type", "")
    if kind not in _SIGNED:
        raise NotAuthenticError("no SNS envelope: is raw message delivery switched on?")
    _check_signed_fields(_SIGNED[kind], texts)
    return Envelope(EnvelopeKind(kind), texts)


def confirmation_url(envelope: Envelope) -> str:
    """Return where to confirm the subscription; raise `CallerError` unless it is SNS's own, for this topic."""
    url = envelope.fields["SubscribeURL"]
    query = parse_qs(urlsplit(url).query) if _SUBSCRIBE_URL.fullmatch(url) else {}
    if query.get("Action") != ["ConfirmSubscription"] or query.get("TopicArn") != [
        envelope.fields["TopicArn"]
    ]:
        raise CallerError("the SubscribeURL is no address of SNS for this topic")
    return url


def _check_signed_fields(names: tuple[str, ...], texts: Mapping[str, str]) -> None:
    for name in names:
        value = texts.get(name, "" if name == _MAY_BE_ABSENT else None)
        if value is None:
            raise NotAuthenticError(f"{name} is missing")
        # With line feeds in other fields one signed string could be cut into fields in two ways.
        if "\n" in value and name != _MAY_HAVE_LINES:
            raise NotAuthenticError(f"{name} has more than one line")
        if not _is_encodable(value):
            raise NotAuthenticError(f"{name} is no Unicode text")


def _is_encodable(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _algorithm(envelope: Envelope) -> HashAlgorithm:
    version = envelope.fields.get("SignatureVersion")
    if version == "1":
        return SHA1()  # noqa: S303 - AWS's choice for version 1; forging needs a second preimage
    if version == "2":
        return SHA256()
    raise NotAuthenticError("the signature version is unknown")


def _signature(envelope: Envelope) -> bytes:
    try:
        return base64.b64decode(envelope.fields.get("Signature", ""), validate=True)
    except (binascii.Error, ValueError):
        raise NotAuthenticError("the signature is no base64") from None


def _certificate_url(envelope: Envelope) -> str:
    url = envelope.fields.get("SigningCertURL", "")
    if not _CERTIFICATE_URL.fullmatch(url):
        raise NotAuthenticError("the certificate's URL is none of SNS")
    return url


def _is_signed(key: RSAPublicKey, signature: bytes, content: bytes, algorithm: HashAlgorithm) -> bool:
    try:
        key.verify(signature, content, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True
