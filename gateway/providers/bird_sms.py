"""Bird's SMS API, the third generation: events by Standard Webhooks.

Sources: Bird's API reference for SMS messages and webhooks; the official library `messagebird-sdk` 0.106.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from gateway.net.outgoing import Call
from gateway.providers import standard_webhooks
from gateway.providers.base import (
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    Received,
    Rehearsal,
    WebhookRequest,
)
from gateway.providers.bird_settings import BirdSettings
from gateway.providers.numbers import business_end, person
from gateway.providers.payload import Fields, found, inner, read_object, required, text
from gateway.providers.rest import Attempt, json_call
from gateway.providers.shared_secret import revealed
from gateway.providers.times import from_iso

_OPTED_OUT = "recipient_opted_out"
_STATUSES = frozenset({"accepted", "sent", "delivered", "undelivered", "failed", "rejected", "expired"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sms:
    """One account of the third generation."""

    opt_out_code: ClassVar[str | None] = _OPTED_OUT

    def __init__(self, settings: BirdSettings) -> None:
        self._settings = settings
        self._keys = [standard_webhooks.key_of(key) for key in revealed(settings.signing_keys)]

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless a secret signed id, time and body."""
        standard_webhooks.verify(
            request.headers,
            request.body,
            self._keys,
            received_at=request.received_at,
            tolerance=self._settings.tolerance_seconds,
        )

    def parse(self, request: WebhookRequest) -> Received:
        """Return the message or status of a verified request, nothing for other events; raises `CallerError`."""
        event = read_object(request.body)
        kind = found(event, "type")
        if kind == "sms.received":
            return Received(messages=(_message(event),))
        if kind == "sms_suppression.created":
            return Received(statuses=(_suppression(inner(event, "data")),))
        product, _, status = kind.partition(".")
        if product == "sms" and status in _STATUSES:
            return Received(statuses=(_status(inner(event, "data"), status),))
        return Received()

    def call(self, message: OutboundMessage, access_key: str) -> Call | None:
        """Return the call that sends a message, under its reference as idempotency key."""
        document = {
            "to": message.address.value,
            "from": message.sender,
            "text": message.text,
            "category": self._settings.category,
        }
        headers = bearer(access_key)
        if message.reference:
            headers["idempotency-key"] = message.reference
        return json_call(api_url(self._settings) + "/v1/sms/messages", document, headers=headers)

    def error_of(self, made: Attempt) -> str:
        """Return the error code of a refused send, "" where there is none."""
        return error_of(made)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the event of a received SMS, signed with the first secret."""
        data = {
            "sms_id": rehearsal.message_id,
            "from": rehearsal.origin,
            "to": rehearsal.sender,
            "text": rehearsal.text,
        }
        moment = (_EPOCH + timedelta(microseconds=rehearsal.at)).isoformat().replace("+00:00", "Z")
        body = json.dumps({"type": "sms.received", "timestamp": moment, "data": data}).encode()
        headers = standard_webhooks.signed(
            self._keys[0], message_id=rehearsal.message_id, at=rehearsal.at, body=body
        )
        headers["content-type"] = "application/json"
        return WebhookRequest("POST", rehearsal.url, headers, body, rehearsal.at)


def api_url(settings: BirdSettings) -> str:
    """Return the base URL of the account's region."""
    return f"https://{settings.host_region}.platform.bird.com"


def bearer(access_key: str) -> dict[str, str]:
    """Return the header that proves the key."""
    return {"authorization": f"Bearer {access_key}"}


def error_of(made: Attempt) -> str:
    """Return the code of an error answer, which stands inside `error` or, at times, alone."""
    return found(made.document, "error", "code") or found(made.document, "code")


def _message(event: Fields) -> InboundMessage:
    data = inner(event, "data")
    origin = required(data, "from")
    return InboundMessage(
        message_id=required(data, "sms_id"),
        address=person(origin),
        origin=origin,
        sender=business_end(required(data, "to")),
        text=text(data, "text"),
        said_at=from_iso(event.get("timestamp")),
        service=found(data, "messaging_profile_id") or None,
    )


def _status(data: Fields, status: str) -> DeliveryStatus:
    code = found(data, "error", "code")
    return DeliveryStatus(
        message_id=required(data, "sms_id"),
        address=person(required(data, "to")),
        sender=business_end(required(data, "from")),
        status=status,
        error_code=code or None,
        opted_out=code == _OPTED_OUT,
    )


def _suppression(data: Fields) -> DeliveryStatus:
    """Return the opt-out that Bird tells of: of a person, of a carrier, or entered by somebody by hand."""
    return DeliveryStatus(
        message_id=required(data, "suppression_id"),
        address=person(required(data, "destination")),
        sender=business_end(required(data, "originator")),
        status="suppressed",
        error_code=found(data, "reason") or None,
        opted_out=True,
    )
