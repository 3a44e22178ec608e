"""What Sinch's Conversation API posts: one event per call. Source: Sinch, "Conversation: Callbacks"."""

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError
from gateway.providers.base import DeliveryStatus, InboundMessage, Received
from gateway.providers.numbers import business_end, person
from gateway.providers.payload import Fields, inner, required, text
from gateway.providers.sinch_sms import OPTED_OUT
from gateway.providers.times import from_iso

_CHANNELS = {
    "SMS": Channel.SMS,
    "MMS": Channel.SMS,
    "RCS": Channel.SMS,
    "WHATSAPP": Channel.WHATSAPP,
}
# Where the words of a message stand, by its kind.
_TEXTS = (
    ("text_message", "text"),
    ("choice_response_message", "postback_data"),
    ("media_card_message", "caption"),
    ("fallback_message", "raw_message"),
)
_MEDIA = ("media_message", "media_card_message")
_TO_US = "TO_APP"


def read(event: Fields) -> Received:
    """Return what an event holds; raise `CallerError` when it lacks an id or an end."""
    if "message" in event:
        return _inbound(event)
    if "message_delivery_report" in event:
        return Received(statuses=(_report(inner(event, "message_delivery_report")),))
    if "opt_out_notification" in event:
        return _opt_out(event)
    # An opt-in there lifts a block of Sinch's; it is no proof of consent.
    return Received()


def _inbound(event: Fields) -> Received:
    message = inner(event, "message")
    if text(message, "direction") not in {"", _TO_US}:
        return Received()
    identity = inner(message, "channel_identity")
    origin = required(identity, "identity")
    content = inner(message, "contact_message")
    return Received(
        messages=(
            InboundMessage(
                message_id=required(message, "id"),
                address=_address(identity),
                origin=origin,
                # Some channels name no number: there the app is the business's end.
                sender=business_end(text(message, "sender_id") or required(event, "app_id")),
                text=_text(content),
                said_at=_said_at(event, message),
                media=sum(1 for name in _MEDIA if inner(content, name)),
            ),
        )
    )


def _text(content: Fields) -> str:
    for kind, name in _TEXTS:
        if found := text(inner(content, kind), name):
            return found
    return ""


def _said_at(event: Fields, message: Fields) -> int | None:
    """Return when the event happened on the channel, else when Sinch took it."""
    times = (event.get("event_time"), message.get("accept_time"), event.get("accepted_time"))
    return next((at for at in map(from_iso, times) if at is not None), None)


def _address(identity: Fields) -> Address | None:
    channel = _CHANNELS.get(text(identity, "channel"))
    return None if channel is None else person(text(identity, "identity"), channel)


def _report(report: Fields) -> DeliveryStatus:
    reason = inner(report, "reason")
    channel_code = text(reason, "channel_code")
    return DeliveryStatus(
        message_id=required(report, "message_id"),
        address=_address(inner(report, "channel_identity")),
        sender="",
        status=text(report, "status"),
        error_code=channel_code or text(reason, "code") or None,
        opted_out=channel_code == OPTED_OUT,
    )


def _opt_out(event: Fields) -> Received:
    """Read the note that a person was put on, or could not be put on, the list of opted-out people."""
    notification = inner(event, "opt_out_notification")
    status = text(notification, "status")
    if status != "OPT_OUT_SUCCEEDED":
        return Received()
    address = _address(notification)
    # The time keeps a later opt-out apart from this one where the request has no id.
    request_id = text(notification, "request_id") or text(event, "accepted_time")
    if not request_id:
        raise CallerError("request_id is missing")
    return Received(
        statuses=(DeliveryStatus(request_id, address, "", status, error_code="opt_out", opted_out=True),)
    )
