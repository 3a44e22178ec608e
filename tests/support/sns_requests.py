"""SNS envelopes signed with a key of our own, and the hosts of SNS that serve its certificate."""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from gateway.net.outgoing import Call, Returned
from gateway.providers.aws import Aws, AwsSettings, rehearsal_account
from gateway.providers.base import WebhookRequest

URL = "https://sms.example.com/sms/acme"
TOPIC = "arn:aws:sns:us-east-1:000000000000:two-way-sms"
CERTIFICATE_URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b.pem"
SUBSCRIBE_URL = f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=23"
NOW = 1_767_225_600_000_000
SMS = {
    "originationNumber": "+15555550100",
    "destinationNumber": "+15555550199",
    "messageKeyword": "KEYWORD_000000000000",
    "messageBody": "hello",
    "previousPublishedMessageId": "a1",
    "inboundMessageId": "b2",
}
NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
WEB_NAMES = [x509.DNSName("sns.amazonaws.com")]


@cache
def account():
    settings, pem = rehearsal_account()
    return settings, pem, load_pem_private_key(pem.encode(), None)


def certificate(key=None, *, names=WEB_NAMES, start=2025, end=2045, issuer=None, issuer_key=None):
    key = key or account()[2]
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder(
        issuer or subject,
        subject,
        key.public_key(),
        7,
        datetime(start, 1, 1, tzinfo=UTC),
        datetime(end, 1, 1, tzinfo=UTC),
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key or key, SHA256()).public_bytes(Encoding.PEM)


class Sns:
    """What stands behind the hosts of SNS, and what was asked of it."""

    def __init__(self, body=None, status=200, error=None):
        self.body, self.status, self.error, self.called = body or certificate(), status, error, []

    def call(self, call: Call) -> Returned:
        self.called.append((call.method, call.url))
        if self.error:
            raise self.error
        return Returned(self.status, {}, self.body)


def iso(at):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def envelope(message=SMS, *, version="2", key=None, drop=(), **changes):
    kind = changes.get("Type", "Notification")
    fields = {
        "Type": kind,
        "MessageId": "m1",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": iso(NOW),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        **changes,
    }
    if kind != "Notification":
        fields = {"SubscribeURL": SUBSCRIBE_URL, "Token": "23", **fields}
    names = NOTIFICATION if kind == "Notification" else CONFIRMATION
    content = "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields).encode()
    algorithm = SHA1() if version == "1" else SHA256()
    signature = (key or account()[2]).sign(content, padding.PKCS1v15(), algorithm)
    fields = {"Signature": base64.b64encode(signature).decode(), **fields}
    return {name: value for name, value in fields.items() if name not in drop}


def request(fields, *, at=NOW):
    body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return WebhookRequest("POST", URL, {"content-type": "text/plain; charset=UTF-8"}, body, at)


def provider(net=None, **settings):
    values = {"provider": "aws", "topics": TOPIC, **settings}
    return Aws(AwsSettings.model_validate(values), net or Sns())
