"""What Sinch's SMS REST API posts: inbound messages and delivery reports. Source: Sinch, "SMS: Webhooks"."""

import base64
import binascii
from collections.abc import Iterator

from gateway.errors import CallerError
from gateway.providers.base import DeliveryStatus, InboundMessage, Part, Received
from gateway.providers.numbers import business_end, person
from gateway.providers.payload import (
    Fields,
    as_object,
    clean,
    each,
    identifier,
    inner,
    listed,
    required,
    text,
)
from gateway.providers.times import from_iso

OPTED_OUT = "257"  # of a toll-free number

_INBOUND = frozenset({"mo_text", "mo_binary", "mo_media"})
_RECIPIENT_REPORTS = frozenset({"recipient_delivery_report_sms", "recipient_delivery_report_mms"})
_BATCH_REPORTS = frozenset({"delivery_report_sms", "delivery_report_mms"})

# 3GPP TS 23.040 section 9.2.3.24: concatenation with a reference of 8 and of 16 bits.
_CONCATENATIONS = {0x00: 3, 0x08: 4}


def read(fields: Fields) -> Received:
    """Return what a callback holds; raise `CallerError` when it lacks an id or an end."""
    kind = text(fields, "type")
    if kind in _INBOUND:
        return Received(messages=(_message(fields, kind),))
    if kind in _RECIPIENT_REPORTS:
        return Received(statuses=(_recipient_report(fields),))
    if kind in _BATCH_REPORTS:
        return _batch_report(fields)
    return Received()


def _message(fields: Fields, kind: str) -> InboundMessage:
    origin = required(fields, "from")
    body, media = _body(fields, kind)
    return InboundMessage(
        message_id=required(fields, "id"),
        address=person(origin),
        origin=origin,
        sender=business_end(required(fields, "to")),
        text=body,
        said_at=from_iso(fields.get("received_at")),
        media=media,
        part=_part(text(fields, "udh")) if kind == "mo_binary" else None,
    )


def _body(fields: Fields, kind: str) -> tuple[str, int]:
    """Return the text and the number of media."""
    if kind == "mo_text":
        return text(fields, "body"), 0
    if kind == "mo_binary":
        return _binary_text(text(fields, "body")), 0
    body = inner(fields, "body")
    return text(body, "message") or text(body, "subject"), len(listed(body, "media"))


def _binary_text(encoded: str) -> str:
    """Decode a binary body as text. Its character set is not told: UCS-2 shows by its zero bytes."""
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise CallerError("body is no base64") from None
    for encoding in ("utf-16-be", "utf-8") if b"\0" in content else ("utf-8",):
        try:
            return clean(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    return clean(content.decode("latin-1"))


def _part(header: str) -> Part | None:
    """Return which part of a long message a user data header names; None for one that names none."""
    try:
        elements = dict(_elements(bytes.fromhex(header)))
    except ValueError:
        return None
    for kind, length in _CONCATENATIONS.items():
        content = elements.get(kind, b"")
        if len(content) == length:
            reference, total, number = content[:-2], content[-2], content[-1]
            return Part(reference.hex(), number, total) if 0 < number <= total else None
    return None


def _elements(header: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the information elements of a user data header: kind and content."""
    at = 1
    while at + 1 < len(header):
        length = header[at + 1]
        yield header[at], header[at + 2 : at + 2 + length]
        at += 2 + length


def _recipient_report(fields: Fields) -> DeliveryStatus:
    return _status(
        required(fields, "batch_id"),
        fields,
        required(fields, "recipient"),
        text(fields, "applied_originator"),
    )


def _batch_report(fields: Fields) -> Received:
    """Read a report on a batch, which names the recipients when it was asked to be full."""
    batch = required(fields, "batch_id")

    def statuses_of(piece: object) -> list[DeliveryStatus]:
        group = as_object(piece)
        return [_status(batch, group, str(recipient), "") for recipient in listed(group, "recipients")]

    good, bad = each(listed(fields, "statuses"), statuses_of)
    return Received(statuses=[status for group in good for status in group], unreadable=bad)


def _status(batch: str, fields: Fields, recipient: str, sender: str) -> DeliveryStatus:
    code = identifier(fields, "code")
    return DeliveryStatus(
        message_id=batch,
        address=person(recipient),
        sender=business_end(sender),
        status=text(fields, "status"),
        error_code=code if code not in {"", "0"} else None,
        opted_out=code == OPTED_OUT,
    )
