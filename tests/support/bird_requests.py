"""Requests of Bird's three generations, and accounts that read them."""

import json
from urllib.parse import urlencode

from hypothesis import strategies as st

from gateway.net.outgoing import Web
from gateway.providers.base import WebhookRequest
from gateway.providers.bird import Bird, BirdSettings

URL = "https://sms.example.com/sms/acme"
NOW = 1_767_225_600_000_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CHANNEL = "00000000-0000-4000-8000-00000000000c"
GENERATIONS = ["legacy", "notifications", "sms"]
FORM = {"id": "m1", "recipient": "15555550199", "originator": "15555550100", "body": "STOP"}
NOTIFICATION = {
    "id": "m2",
    "channelId": CHANNEL,
    "sender": {"contact": {"id": "c1", "identifierKey": "phonenumber", "identifierValue": "+15555550100"}},
    "receiver": {"connector": {"id": "k1"}},
    "body": {"type": "text", "text": {"text": "STOP"}},
    "status": "delivered",
    "direction": "incoming",
    "createdAt": "2026-01-01T00:00:00.250Z",
}
REPORT = {
    "id": "m3",
    "channelId": CHANNEL,
    "sender": {"connector": {"identifierValue": "+15555550199"}},
    "receiver": {"contacts": [{"identifierKey": "phonenumber", "identifierValue": "+15555550100"}]},
    "body": {"type": "text"},
    "status": "delivery_failed",
    "direction": "outgoing",
    "failure": {"code": 15001, "source": {"name": "sms-messagebird", "code": "103"}},
}
DATA = {
    "sms_id": "sms_1",
    "workspace_id": "ws_1",
    "to": "+15555550199",
    "from": "+15555550100",
    "text": "STOP",
    "segments": {"count": 1, "encoding": "GSM_7BIT", "characters": 4},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def provider(api, **values):
    settings = {"provider": "bird", "api": api, "signing_keys": SECRET, **values}
    return Bird(BirdSettings.model_validate(settings), Web())


def form(fields, **changes):
    pairs = fields if isinstance(fields, list) else list((fields | changes).items())
    body = urlencode([(name, value) for name, value in pairs if value is not None]).encode()
    return WebhookRequest("POST", URL, {"content-type": "application/x-www-form-urlencoded"}, body, NOW)


def posted(document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return WebhookRequest("POST", URL, {"content-type": "application/json"}, body, NOW)


def legacy(fields=FORM, **changes):
    [message] = provider("legacy").parse(form(fields, **changes)).messages
    return message


def notified(payload=NOTIFICATION, event="sms.inbound", **values):
    return provider("notifications", **values).parse(
        posted({"service": "channels", "event": event, "payload": payload})
    )


def event(kind, data, **changes):
    document = {"type": kind, "timestamp": "2026-01-01T00:00:00Z", "data": data, **changes}
    return provider("sms").parse(posted(document))
