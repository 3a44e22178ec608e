"""What Clickatell posts, in the shape of the Platform (one message) and of the One API (lists of events).

Sources: Clickatell, "Platform API: Callbacks", "One API: Receive message callback", "Message status table".
"""

from collections.abc import Callable, Mapping
from urllib.parse import unquote_to_bytes

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError
from gateway.providers.base import DeliveryStatus, InboundMessage, Received, Unreadable
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
from gateway.providers.times import MILLISECOND, from_epoch

_CHANNELS = {"": Channel.SMS, "sms": Channel.SMS, "whatsapp": Channel.WHATSAPP}
# In these the text comes as percent-encoded bytes; in UTF-8 literally.
_ENCODED = {"ISO-8859-1": "latin-1", "UTF-16BE": "utf-16-be"}


def read(document: Fields) -> Received:
    """Return what a callback holds; raise `CallerError` when it is none of Clickatell's."""
    if "event" in document:
        return _one_api(inner(document, "event"))
    if "fromNumber" in document:
        return Received(messages=(_platform_message(document),))
    if "statusCode" in document or "status" in document:
        return Received(statuses=(_status(document),))
    raise CallerError("neither fromNumber, event nor statusCode: no callback of Clickatell's")


def _one_api(event: Fields) -> Received:
    good: list[InboundMessage | DeliveryStatus] = []
    bad: list[Unreadable] = []
    for name, reader in _EVENTS.items():
        read_here, unread = each(
            listed(event, name),
            lambda item, reader=reader: reader(as_object(item)),  # type: ignore[misc]  # mypy infers no default of a lambda
        )
        good += read_here
        bad += unread
    return Received(
        messages=[item for item in good if isinstance(item, InboundMessage)],
        statuses=[item for item in good if isinstance(item, DeliveryStatus)],
        unreadable=bad,
    )


def _platform_message(fields: Fields) -> InboundMessage:
    origin = required(fields, "fromNumber")
    return InboundMessage(
        message_id=required(fields, "messageId"),
        address=person(origin),
        origin=origin,
        # Absent for one-way integrations with a shared number.
        sender=business_end(identifier(fields, "toNumber")),
        text=_decoded(text(fields, "text"), text(fields, "charset")),
        said_at=from_epoch(fields.get("timestamp"), MILLISECOND),
    )


def _text_message(item: Fields) -> InboundMessage:
    return _message(item, _decoded(text(item, "content"), text(item, "charset")), media=0)


def _media_message(item: Fields) -> InboundMessage:
    files = listed(item, "files")
    return _message(item, text(item, "caption"), media=len(files) or 1)


def _message(item: Fields, body: str, *, media: int) -> InboundMessage:
    origin = required(item, "from")
    return InboundMessage(
        message_id=required(item, "messageId"),
        address=_address(origin, item),
        origin=origin,
        sender=business_end(identifier(item, "to")),
        text=body,
        said_at=from_epoch(item.get("timestamp"), MILLISECOND),
        media=media,
    )


def _address(end: str, item: Fields) -> Address | None:
    # Clickatell's own examples have a blank after the channel.
    channel = _CHANNELS.get(text(item, "channel").strip().lower())
    return None if channel is None else person(end, channel)


def _status(item: Fields) -> DeliveryStatus:
    code = identifier(item, "statusCode")
    return DeliveryStatus(
        message_id=required(item, "messageId"),
        address=_address(identifier(item, "to"), item),
        sender=business_end(identifier(item, "from")),
        status=text(item, "status") or code,
        error_code=identifier(item, "errorCode") or None,
    )


def _decoded(written: str, charset: str) -> str:
    """Return the text that was meant; what does not decode stays as it came."""
    encoding = _ENCODED.get(charset.strip().upper())
    if encoding is None or not written.isascii():
        return written
    try:
        return clean(unquote_to_bytes(written.replace("+", " ")).decode(encoding))
    except UnicodeDecodeError:
        return written


_EVENTS: Mapping[str, Callable[[Fields], InboundMessage | DeliveryStatus]] = {
    "moText": _text_message,
    "moMedia": _media_message,
    "messageStatusUpdate": _status,
}
