"""A message as SNS would deliver it, for the demo and for an account's own test."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from gateway.providers.aws_sns import Envelope, EnvelopeKind
from gateway.providers.base import CannotRehearseError, Rehearsal, WebhookRequest

_TOPIC = "arn:aws:sns:us-east-1:000000000000:two-way-sms"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Fixed: no clock here, and what is pinned is not asked for its age.
_FROM, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


def signed(topic: str, rehearsal: Rehearsal) -> WebhookRequest:
    """Return the SNS notification of a two-way SMS, signed in version 2 with the rehearsal's key."""
    key = _private_key(rehearsal.signing_key)
    sms = {
        "originationNumber": rehearsal.origin,
        "destinationNumber": rehearsal.sender,
        "messageKeyword": _keyword(rehearsal.text),
        "messageBody": rehearsal.text,
        "inboundMessageId": rehearsal.message_id,
    }
    fields = {
        "Type": EnvelopeKind.NOTIFICATION.value,
        "MessageId": rehearsal.message_id,
        "TopicArn": topic,
        "Message": json.dumps(sms),
        "Timestamp": _iso(rehearsal.at),
        "SignatureVersion": "2",
        "SigningCertURL": f"https://sns.{topic.split(':')[3]}.amazonaws.com/SimpleNotificationService-0.pem",
    }
    content = Envelope(EnvelopeKind.NOTIFICATION, fields).signed
    signature = key.sign(content, padding.PKCS1v15(), SHA256())
    return _request({**fields, "Signature": base64.b64encode(signature).decode()}, rehearsal)


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return the settings of a made-up account, as in TOML, and the private key that its certificate proves."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    certificate = _certificate(key).public_bytes(Encoding.PEM).decode()
    return {"provider": "aws", "topics": [_TOPIC], "certificates": [certificate]}, pem


def _certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), _FROM, _UNTIL
    )
    return builder.sign(key, SHA256())


def _private_key(pem: str | None) -> rsa.RSAPrivateKey:
    if pem is None:
        raise CannotRehearseError("only AWS can sign: give the key of a certificate in `certificates`")
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CannotRehearseError("the signing key is no private key in PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CannotRehearseError("the signing key is not RSA")
    return key


def _keyword(text: str) -> str:
    """Return what AWS names as the keyword: its own for STOP and HELP, else that of the number's default."""
    word = text.strip().upper()
    return word if word in {"STOP", "HELP"} else "KEYWORD_000000000000"


def _iso(at: int) -> str:
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _request(envelope: Mapping[str, str], rehearsal: Rehearsal) -> WebhookRequest:
    headers = {
        "content-type": "text/plain; charset=UTF-8",
        "x-amz-sns-message-type": envelope["Type"],
        "x-amz-sns-message-id": envelope["MessageId"],
        "x-amz-sns-topic-arn": envelope["TopicArn"],
        "user-agent": "Amazon Simple Notification Service Agent",
    }
    return WebhookRequest("POST", rehearsal.url, headers, json.dumps(envelope).encode(), rehearsal.at)
