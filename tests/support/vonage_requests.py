"""Accounts of Vonage, and requests signed as its pages say."""

import hmac
import json
from hashlib import sha256
from urllib.parse import urlencode

import jwt
import pytest

from gateway.consent.address import Address, Channel
from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.base import WebhookRequest
from gateway.providers.vonage import Vonage, VonageSettings

URL = "https://sms.example.com/sms/acme"
SECRET = "signature-secret-of-the-account-1"
NOW = 1_767_225_600_000_000
FORM = {"content-type": "application/x-www-form-urlencoded"}
PERSON = Address(Channel.SMS, "+15555550100")
SMS = {
    "api-key": "abcd1234",
    "msisdn": "15555550100",
    "to": "15555550199",
    "messageId": "0A0000000123ABCD1",
    "text": "stop",
    "type": "text",
    "keyword": "STOP",
    "message-timestamp": "2026-01-01 00:00:00",
    "timestamp": "1767225600",
    "nonce": "n-1",
}
RECEIPT = {
    "msisdn": "15555550100",
    "to": "AcmeInc",
    "network-code": "12345",
    "messageId": "aaaa-1",
    "price": "0.00000000",
    "status": "failed",
    "scts": "2001011400",
    "err-code": "9",
    "api-key": "abcd1234",
    "message-timestamp": "2020-01-01 12:00:00",
    "timestamp": "1767225600",
}
MESSAGE = {
    "channel": "sms",
    "message_uuid": "aaaa-2",
    "to": "15555550199",
    "from": "15555550100",
    "timestamp": "2026-01-01T00:00:00.250Z",
    "message_type": "text",
    "text": "STOP",
    "sms": {"num_messages": "1", "keyword": "STOP"},
}


def settings(**values):
    fields = {"provider": "vonage", "api": "messages", "api_key": "abcd1234", "signature_secrets": SECRET}
    return VonageSettings.model_validate({**fields, **values})


def sms_api(**values):
    return Vonage(settings(**{"api": "sms", "signature_method": "sha256", **values}), Web())


def messages_api(**values):
    return Vonage(settings(**values), Web())


def signature(fields):
    """Sign as Vonage's page says."""
    values = {name: value.replace("&", "_").replace("=", "_") for name, value in fields.items()}
    content = "".join(f"&{name}={values[name]}" for name in sorted(values))
    return hmac.new(SECRET.encode(), content.encode(), sha256).hexdigest().upper()


def sms_request(fields, *, at=NOW):
    body = urlencode({**fields, "sig": signature(fields)}).encode()
    return WebhookRequest("POST", URL, FORM, body, at)


def token(body, *, secret=SECRET, algorithm="HS256", **claims):
    hashed = sha256(body).hexdigest()
    found = {
        "iat": NOW // 1_000_000,
        "iss": "Vonage",
        "api_key": "abcd1234",
        "payload_hash": hashed,
        **claims,
    }
    return jwt.encode({name: value for name, value in found.items() if value is not None}, secret, algorithm)


def json_request(document, *, at=NOW, **claims):
    body = json.dumps(document).encode()
    return WebhookRequest("POST", URL, {"authorization": f"Bearer {token(body, **claims)}"}, body, at)


def message_of(provider, request):
    received = provider.receive(request)
    assert received == provider.parse(request)
    [message] = received.messages
    return message


def is_refused(provider, request):
    with pytest.raises(NotAuthenticError):
        provider.verify(request)
    with pytest.raises(NotAuthenticError):
        provider.receive(request)
    return provider.refuse(request).status
