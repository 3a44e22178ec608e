"""Bird's Notifications API, the second generation: messages of the Channels API as signed JSON.

Sources: Bird, "Webhook subscriptions", "Verifying a webhook subscription", "Programmable SMS: Receiving messages",
"Message status and interactions", "SMS platform extended error codes", "Messaging: Send a message".
"""

import json
from typing import ClassVar
from urllib.parse import quote

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError
from gateway.net.outgoing import Call
from gateway.providers.base import (
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    Received,
    Rehearsal,
    WebhookRequest,
)
from gateway.providers.bird_settings import BirdSettings
from gateway.providers.bird_signature import hmac_headers, verify_hmac, whole_url
from gateway.providers.numbers import business_end, person
from gateway.providers.payload import Fields, found, inner, read_object, required
from gateway.providers.rest import Attempt, json_call
from gateway.providers.shared_secret import revealed
from gateway.providers.times import SECOND, from_iso

_API = "https://api.bird.com"
_CHANNELS = {"sms": Channel.SMS, "rcs": Channel.SMS, "whatsapp": Channel.WHATSAPP}
_MEDIA = ("images", "files", "videos", "audios")
_OPTED_OUT = "103"  # of the SMS platform: the recipient has sent STOP
_SMS_PLATFORM = "sms-messagebird"


class Notifications:
    """One account of the second generation."""

    opt_out_code: ClassVar[str | None] = None  # Bird tells of opt-outs in its reports only

    def __init__(self, settings: BirdSettings) -> None:
        self._settings = settings
        self._keys = [key.encode() for key in revealed(settings.signing_keys)]
        self._channel_of = {business_end(sender): channel for channel, sender in settings.channels.items()}

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless a key signed time, URL and body."""
        verify_hmac(request, self._keys, whole_url, self._settings.tolerance_seconds)

    def parse(self, request: WebhookRequest) -> Received:
        """Return the message or status of a verified request, nothing for other events; raises `CallerError`."""
        event = read_object(request.body)
        platform, _, direction = found(event, "event").partition(".")
        channel = _CHANNELS.get(platform)
        if found(event, "service") != "channels" or channel is None:
            return Received()
        payload = inner(event, "payload")
        if direction == "inbound":
            return Received(messages=(self._message(payload, channel),))
        return Received(statuses=(self._status(payload, channel),)) if direction == "outbound" else Received()

    def call(self, message: OutboundMessage, access_key: str) -> Call | None:
        """Return the call that sends a message; None when no channel of the sender is known."""
        channel = message.service or self._channel_of.get(business_end(message.sender))
        if channel is None or self._settings.workspace_id is None:
            return None
        document: dict[str, object] = {
            "receiver": {"contacts": [_contact(message.address)]},
            "body": {"type": "text", "text": {"text": message.text}},
        }
        if message.reference:
            document["reference"] = message.reference
        path = f"/workspaces/{self._settings.workspace_id}/channels/{quote(channel, safe='')}/messages"
        return json_call(_API + path, document, headers={"authorization": f"AccessKey {access_key}"})

    def error_of(self, made: Attempt) -> str:
        """Return the error code of a refused send, "" where there is none."""
        return found(made.document, "code")

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the notification of an SMS, signed with the first key."""
        payload = {
            "id": rehearsal.message_id,
            "channelId": self._channel_of.get(business_end(rehearsal.sender), "rehearsal"),
            "sender": {"contact": {"identifierKey": "phonenumber", "identifierValue": rehearsal.origin}},
            "receiver": {"connector": {"identifierValue": rehearsal.sender}},
            "body": {"type": "text", "text": {"text": rehearsal.text}},
            "direction": "incoming",
        }
        document = {"service": "channels", "event": "sms.inbound", "payload": payload}
        body = json.dumps(document).encode()
        headers = hmac_headers(
            self._keys[0], place=rehearsal.url, body=body, at=rehearsal.at // SECOND * SECOND
        )
        headers["content-type"] = "application/json"
        return WebhookRequest("POST", rehearsal.url, headers, body, rehearsal.at)

    def _message(self, payload: Fields, channel: Channel) -> InboundMessage:
        if found(payload, "direction") == "outgoing":
            # Its contact is the receiver: taken for a message it would be a word of the wrong end.
            raise CallerError("an outgoing message among the inbound ones")
        origin = _either(
            payload, ("sender", "contact", "identifierValue"), ("sender", "contact", "platformAddress")
        )
        sender = self._sender(payload, "receiver")
        if not origin or not sender:
            raise CallerError("an end of the message is missing")
        body = inner(payload, "body")
        content = inner(body, found(body, "type"))
        return InboundMessage(
            message_id=required(payload, "id"),
            address=person(origin, channel),
            origin=origin,
            sender=sender,
            text=found(content, "text"),
            said_at=from_iso(found(payload, "createdAt")),
            media=sum(len(content[name]) for name in _MEDIA if isinstance(content.get(name), list)),
            service=found(payload, "channelId") or None,
        )

    def _status(self, payload: Fields, channel: Channel) -> DeliveryStatus:
        code = found(payload, "failure", "source", "code") or found(payload, "failure", "code")
        platform = found(payload, "failure", "source", "name")
        return DeliveryStatus(
            message_id=required(payload, "id"),
            address=person(found(payload, "receiver", "contacts", 0, "identifierValue"), channel),
            sender=self._sender(payload, "sender"),
            status=required(payload, "status"),
            error_code=code or None,
            opted_out=platform == _SMS_PLATFORM and code == _OPTED_OUT,
        )

    def _sender(self, payload: Fields, end: str) -> str:
        """Return the business's end: as configured for the channel, else as Bird names it, else the channel's id."""
        channel = found(payload, "channelId")
        named = _either(
            payload, (end, "connector", "identifierValue"), (end, "connectors", 0, "identifierValue")
        )
        return business_end(self._settings.channels.get(channel) or named or channel)


def _contact(address: Address) -> dict[str, str]:
    return {"identifierKey": "phonenumber", "identifierValue": address.value}


def _either(value: Fields, *paths: tuple[str | int, ...]) -> str:
    return next((text for path in paths if (text := found(value, *path))), "")
