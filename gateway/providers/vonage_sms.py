"""What Vonage's SMS API delivers: a message, one part of a long one, or a delivery receipt.

Sources: Vonage, "Inbound SMS" (with "Concatenated and encoded messages") and "SMS delivery receipts".
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from gateway.providers.base import (
    DeliveryStatus,
    InboundMessage,
    Part,
    Received,
    Rehearsal,
    Unreadable,
    WebhookRequest,
)
from gateway.providers.numbers import business_end, person
from gateway.providers.payload import count, identifier, required, text
from gateway.providers.times import SECOND, from_iso
from gateway.providers.vonage_signature import Parameters, ParameterSignature, parameters

_MESSAGE_FIELDS = frozenset({"messageId", "msisdn", "text", "data"})
_RECEIPT_FIELDS = frozenset({"status", "err-code"})
# "Illegal Number": the person has sent STOP ("Opt-Out Assist: messaging opted-out numbers").
_OPTED_OUT = "9"
_MOST_KEPT = 4096  # characters of a binary message
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SmsApi:
    """The SMS API of one account."""

    __slots__ = ("_api_key", "_signature")

    def __init__(self, signature: ParameterSignature, api_key: str) -> None:
        self._signature = signature
        self._api_key = api_key

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request is signed."""
        self._signature.verified(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return what a verified request holds."""
        return _read(parameters(request))

    def receive(self, request: WebhookRequest) -> Received:
        """Verify, then parse."""
        return _read(self._signature.verified(request))

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the signed GET, Vonage's default method, of an inbound SMS."""
        signed = self._signature.signed(_fields(self._api_key, rehearsal))
        query = urlencode(signed, quote_via=quote)
        url = f"{rehearsal.url}{'&' if '?' in rehearsal.url else '?'}{query}"
        return WebhookRequest("GET", url, {}, b"", rehearsal.at)


def _read(fields: Parameters) -> Received:
    """Return what the parameters hold; raise `CallerError` when a message or receipt lacks its id or an end."""
    if _RECEIPT_FIELDS & fields.keys():
        return Received(statuses=(_receipt(fields),))
    if not _MESSAGE_FIELDS & fields.keys():
        return Received()
    message = _message(fields)
    if text(fields, "type") != "binary" or message.text:
        return Received((message,))
    return Received((message,), unreadable=(Unreadable("a binary message", _binary(fields)),))


def _message(fields: Parameters) -> InboundMessage:
    origin = required(fields, "msisdn")
    return InboundMessage(
        message_id=required(fields, "messageId"),
        address=person(origin),
        origin=origin,
        sender=business_end(required(fields, "to")),
        text=text(fields, "text"),
        said_at=from_iso(fields.get("message-timestamp")),
        part=_part(fields),
    )


def _part(fields: Parameters) -> Part | None:
    """Return which piece of a long message this is, each of which has an id and a webhook of its own."""
    number, total = count(fields.get("concat-part")), count(fields.get("concat-total"))
    if text(fields, "concat").lower() != "true" or not 1 <= number <= total or total == 1:
        return None
    return Part(identifier(fields, "concat-ref"), number, total)


def _binary(fields: Parameters) -> bytes:
    """Return data and user data header, both in hexadecimal."""
    return f"{text(fields, 'udh')} {text(fields, 'data')}".encode()[:_MOST_KEPT]


def _receipt(fields: Parameters) -> DeliveryStatus:
    """Return what became of a message of ours: here `msisdn` is whom it went to, as in an inbound message."""
    code = identifier(fields, "err-code") or None
    return DeliveryStatus(
        message_id=required(fields, "messageId"),
        address=person(identifier(fields, "msisdn")),
        sender=business_end(identifier(fields, "to")),
        status=text(fields, "status"),
        error_code=code,
        opted_out=code == _OPTED_OUT,
    )


def _fields(api_key: str, rehearsal: Rehearsal) -> dict[str, str]:
    at = _EPOCH + timedelta(microseconds=rehearsal.at)
    return {
        "api-key": api_key,
        "msisdn": rehearsal.origin.removeprefix("+"),
        "to": rehearsal.sender.removeprefix("+"),
        "messageId": rehearsal.message_id,
        "text": rehearsal.text,
        "type": "text" if rehearsal.text.isascii() else "unicode",
        "keyword": (rehearsal.text.split() or [""])[0].upper(),
        "message-timestamp": at.strftime("%Y-%m-%d %H:%M:%S"),
        "timestamp": str(rehearsal.at // SECOND),
        "nonce": rehearsal.message_id,
    }
