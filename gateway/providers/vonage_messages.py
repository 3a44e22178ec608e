"""What Vonage's Messages API delivers, versions 1 and 0.1: a message or the status of one of ours.

Sources: Vonage, Messages API reference ("Inbound message", "Message status"), "Messages API errors".
"""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError
from gateway.providers.base import (
    DeliveryStatus,
    InboundMessage,
    Received,
    Rehearsal,
    WebhookRequest,
)
from gateway.providers.numbers import business_end, person
from gateway.providers.payload import Fields, found, identifier, inner, read_object, required, text
from gateway.providers.times import from_iso

if TYPE_CHECKING:
    from gateway.providers.vonage_token import TokenSignature

OPTED_OUT = "1240"  # "Illegal Number": the person has sent STOP

_CHANNELS = {
    "sms": Channel.SMS,
    "mms": Channel.SMS,
    "rcs": Channel.SMS,
    "whatsapp": Channel.WHATSAPP,
}
_MEDIA = frozenset({"image", "audio", "video", "file", "vcard", "sticker"})
# Where the words stand when there is no `text`: suggested replies, buttons, captions.
_WORDS = (
    ("reply", "title"),
    ("reply", "id"),
    ("button", "text"),
    ("button", "payload"),
    ("image", "caption"),
    ("video", "caption"),
    ("file", "caption"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MessagesApi:
    """The Messages API of one account."""

    __slots__ = ("_signature",)

    def __init__(self, signature: "TokenSignature") -> None:
        self._signature = signature

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request is signed."""
        self._signature.verify(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return what a verified request holds."""
        return _read(request.body)

    def receive(self, request: WebhookRequest) -> Received:
        """Verify, then parse."""
        self._signature.verify(request)
        return _read(request.body)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the signed JSON of an inbound SMS."""
        body = json.dumps(_document(rehearsal)).encode()
        token = self._signature.header(body, at=rehearsal.at, token_id=rehearsal.message_id)
        headers = {"content-type": "application/json", **token}
        return WebhookRequest("POST", rehearsal.url, headers, body, rehearsal.at)


def error_code(problem: object) -> str:
    """Return the number of an error, which stands in its title or at the end of its type; "" when it has none."""
    for code in (found(problem, "title"), found(problem, "type").rpartition("#")[2], found(problem, "code")):
        if code.isdecimal():
            return code
    return ""


def _read(body: bytes) -> Received:
    """Return what a body holds; raise `CallerError` when it is no JSON or lacks an id or an end."""
    fields = read_object(body)
    if "status" in fields:
        return Received(statuses=(_status(fields),))
    if "message_uuid" not in fields:
        return Received()
    return Received((_message(fields),))


def _message(fields: Fields) -> InboundMessage:
    origin, kind = _end(fields, "from")
    sender, _ = _end(fields, "to")
    content = inner(inner(fields, "message"), "content") if "message" in fields else fields
    return InboundMessage(
        message_id=required(fields, "message_uuid"),
        address=_address(origin, identifier(fields, "channel") or kind),
        origin=origin,
        sender=business_end(sender),
        text=_words(content),
        said_at=from_iso(fields.get("timestamp")),
        media=_media(content),
    )


def _status(fields: Fields) -> DeliveryStatus:
    recipient, kind = _end(fields, "to")
    sender, _ = _end(fields, "from")
    code = error_code(fields.get("error")) or None
    return DeliveryStatus(
        message_id=required(fields, "message_uuid"),
        # A status names its channel under `channel`, or not at all.
        address=_address(recipient, identifier(fields, "channel") or kind or "sms"),
        sender=business_end(sender),
        status=text(fields, "status"),
        error_code=code,
        opted_out=code == OPTED_OUT,
    )


def _end(fields: Fields, name: str) -> tuple[str, str]:
    """Return an end and, in version 0.1, its channel."""
    if not isinstance(fields.get(name), dict):
        return required(fields, name), ""
    end = inner(fields, name)
    value = identifier(end, "number") or identifier(end, "id")
    if not value:
        raise CallerError(f"{name} is missing")
    return value, identifier(end, "type")


def _address(end: str, channel: str) -> Address | None:
    """Return the person's address; None on channels without consent, such as Messenger and Viber."""
    known = _CHANNELS.get(channel.lower())
    return None if known is None else person(end, known)


def _words(content: Fields) -> str:
    return text(content, "text") or next(filter(None, (found(content, *path) for path in _WORDS)), "")


def _media(content: Fields) -> int:
    kind = found(content, "message_type") or found(content, "type")
    several: Any = content.get("content")
    if isinstance(several, list):
        return sum(found(piece, "type") in _MEDIA for piece in several)
    return 1 if kind in _MEDIA else 0


def _document(rehearsal: Rehearsal) -> dict[str, Any]:
    at = _EPOCH + timedelta(microseconds=rehearsal.at)
    return {
        "channel": "sms",
        "message_uuid": rehearsal.message_id,
        "to": rehearsal.sender.removeprefix("+"),
        "from": rehearsal.origin.removeprefix("+"),
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "message_type": "text",
        "text": rehearsal.text,
        "sms": {"num_messages": "1", "keyword": (rehearsal.text.split() or [""])[0].upper()},
    }
