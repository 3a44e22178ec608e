"""A part of a long message as it is stored until the rest is there, and the parts as one message again. Pure."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gateway.consent.address import Address, Channel
from gateway.keywords.reading import ReadingClass
from gateway.providers.base import InboundMessage, Part

_LONGEST = 255  # 3GPP TS 23.040 section 9.2.3.24.1: the number of parts is one octet


def is_whole(part: Part | None) -> bool:
    """Tell whether the text needs no other part, or names none that could come."""
    return part is None or not (1 < part.total <= _LONGEST and 1 <= part.number <= part.total)


def to_text(message: InboundMessage) -> str:
    """Return the message as JSON, without its part and without what a database cannot store."""
    address = message.address
    fields = {
        "message_id": message.message_id,
        "channel": None if address is None else address.channel,
        "address": None if address is None else address.value,
        "origin": message.origin,
        "sender": message.sender,
        "text": message.text,
        "said_at": message.said_at,
        "verdict": message.verdict,
        "provider_replied": message.provider_replied,
        "media": message.media,
        "service": message.service,
    }
    return json.dumps({key: storable(value) for key, value in fields.items()})


def from_text(text: str) -> InboundMessage:
    """Undo `to_text`."""
    fields: dict[str, Any] = json.loads(text)
    channel, value, verdict = (fields.pop(key) for key in ("channel", "address", "verdict"))
    return InboundMessage(
        address=None if channel is None else Address(Channel(channel), value),
        verdict=None if verdict is None else ReadingClass(verdict),
        **fields,
    )


def storable(value: Any) -> Any:
    """Return a text without NUL and lone surrogates, anything else as it is."""
    if not isinstance(value, str):
        return value
    return str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def joined(parts: Sequence[InboundMessage]) -> InboundMessage:
    """Return the parts, in their order, as one message with the id of the first."""
    first = parts[0]
    times = [part.said_at for part in parts if part.said_at is not None]
    return replace(
        first,
        text="".join(part.text for part in parts),
        said_at=max(times) if len(times) == len(parts) else None,
        verdict=_verdict([part.verdict for part in parts]),
        provider_replied=any(part.provider_replied for part in parts),
        media=sum(part.media for part in parts),
        part=None,
    )


def _verdict(verdicts: Sequence[ReadingClass | None]) -> ReadingClass | None:
    """Return the provider's word on any of the parts; an opt-out goes before all others."""
    if ReadingClass.OPT_OUT in verdicts:
        return ReadingClass.OPT_OUT
    return next((verdict for verdict in verdicts if verdict is not None), None)
