"""What Infobip posts: batches of inbound messages, delivery reports and blocklist events.

Sources: Infobip, "Receive SMS", "Receive MMS", "Receive WhatsApp messages", "Delivery reports", "Blocklist events".
"""

from collections.abc import Callable

from gateway.consent.address import Address, Channel
from gateway.providers.base import DeliveryStatus, InboundMessage, Received
from gateway.providers.numbers import business_end, person
from gateway.providers.payload import (
    Fields,
    as_list,
    as_object,
    each,
    identifier,
    inner,
    listed,
    read_object,
    required,
    text,
)
from gateway.providers.times import from_iso

BLOCKLISTED = "REJECTED_DESTINATION_BLOCKLISTED"
BLOCKLISTED_ID = "14"
FAILED_GROUPS = frozenset({"2", "4", "5"})  # undeliverable, expired, rejected
# Blocklist entries without a channel hold for all of them.
CHANNELS = {
    "": Channel.SMS,
    "SMS": Channel.SMS,
    "MMS": Channel.SMS,
    "RCS": Channel.SMS,
    "WHATSAPP": Channel.WHATSAPP,
}
# Where the words of a WhatsApp message stand: texts, buttons, replies to lists.
_WHATSAPP_TEXTS = ("text", "title", "caption", "payload", "id")
_PLAIN = "text/plain"

Answered = Callable[[str], bool]  # of a sender: whether Infobip answers the keywords that it knows there


def read(body: bytes, answered: Answered) -> Received:
    """Return what a batch holds, each result by itself; raise `CallerError` when it is no batch."""
    document = read_object(body)
    results = listed(document, "results") if "results" in document else (document,)
    good, bad = each(results, lambda result: _read(as_object(result), answered))
    return Received(
        messages=[each for each in good if isinstance(each, InboundMessage)],
        statuses=[each for each in good if isinstance(each, DeliveryStatus)],
        unreadable=bad,
    )


def _read(result: Fields, answered: Answered) -> InboundMessage | DeliveryStatus | None:
    if "event" in result and "content" in result:
        return _blocklist_event(result)
    if "status" in result:
        return _report(result)
    return _message(result, answered)


def _message(result: Fields, answered: Answered) -> InboundMessage:
    origin = required(result, "from")
    sender = business_end(required(result, "to"))
    body, media = _body(result)
    return InboundMessage(
        message_id=required(result, "messageId"),
        address=_address(origin, text(result, "integrationType")),
        origin=origin,
        sender=sender,
        text=body,
        said_at=from_iso(result.get("receivedAt")),
        provider_replied=bool(text(result, "keyword").strip()) and answered(sender),
        media=media,
    )


def _body(result: Fields) -> tuple[str, int]:
    """Return the text and the number of media. The text of an MMS stands in its parts."""
    content = result.get("message")
    if content is None:
        return text(result, "text"), 0
    if isinstance(content, dict):
        return _whatsapp_text(content), int("url" in content)
    parts = [as_object(part) for part in as_list(content)]
    plain = [text(part, "value") for part in parts if text(part, "contentType").startswith(_PLAIN)]
    return text(result, "text") or "\n".join(filter(None, plain)), len(parts) - len(plain)


def _whatsapp_text(content: Fields) -> str:
    texts = (identifier(content, name) for name in _WHATSAPP_TEXTS if not isinstance(content.get(name), dict))
    return next(filter(None, texts), "")


def _address(end: str, channel: str) -> Address | None:
    known = CHANNELS.get(channel)
    return None if known is None else person(end, known)


def _report(result: Fields) -> DeliveryStatus:
    status = inner(result, "status")
    name = text(status, "name")
    return DeliveryStatus(
        message_id=required(result, "messageId"),
        address=_address(identifier(result, "to"), text(result, "channel")),
        sender=business_end(identifier(result, "sender") or identifier(result, "from")),
        status=name or text(status, "groupName"),
        error_code=name if identifier(status, "groupId") in FAILED_GROUPS else None,
        opted_out=is_blocklisted(status),
    )


def is_blocklisted(status: Fields) -> bool:
    """Tell whether a status says that the person is on the blocklist."""
    return text(status, "name") == BLOCKLISTED or identifier(status, "id") == BLOCKLISTED_ID


def _blocklist_event(result: Fields) -> DeliveryStatus | None:
    """Read that a person was blocked. That one was unblocked is no proof of consent."""
    if text(result, "event") != "BLOCK":
        return None
    content = inner(result, "content")
    return DeliveryStatus(
        message_id=required(result, "messageId"),
        address=_address(required(content, "destination"), text(content, "channel")),
        sender=business_end(identifier(content, "sender")),
        status="BLOCK",
        error_code="blocklist",
        opted_out=True,
    )
