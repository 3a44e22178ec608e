"""Telnyx: messages and delivery reports as signed JSON events, sending by REST.

Sources: Telnyx, "Receiving webhooks for messaging", "Advanced Opt-In/Out Management", "Messaging error codes".
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SecretStr

from gateway.consent.address import Channel
from gateway.errors import CallerError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Outgoing
from gateway.providers.account import AccountSettings
from gateway.providers.base import (
    Answer,
    CannotRehearseError,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    Provider,
    Received,
    Rehearsal,
    SendOutcome,
    SendResult,
    WebhookRequest,
)
from gateway.providers.numbers import business_end, person
from gateway.providers.opt_outs import OptOutList
from gateway.providers.payload import (
    Fields,
    clean,
    found,
    identifier,
    inner,
    listed,
    read_object,
    required,
    text,
)
from gateway.providers.provider_replies import SenderReplies, answered
from gateway.providers.telnyx_rest import OptOuts, RestClient
from gateway.providers.telnyx_signature import Verifier, made_up_keys, signature_headers
from gateway.providers.times import from_iso

_VERDICTS = {"STOP": ReadingClass.OPT_OUT, "START": ReadingClass.OPT_IN, "HELP": ReadingClass.HELP}
# What the default engine acts on unmarked ("Default behavior"). HELP is answered only where a text is set up,
# and then it is marked.
_WORDS = frozenset({"STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "START", "UNSTOP"})
_STATUS_EVENTS = frozenset({"message.sent", "message.finalized"})
_FAILED = frozenset({"sending_failed", "delivery_failed"})
_OPTED_OUT = "40300"
# Where a WhatsApp or RCS message has its words: text, button, chosen suggestion.
_BODY_TEXTS = (
    ("text", "body"),
    ("text",),
    ("button", "text"),
    ("interactive", "button_reply", "title"),
    ("suggestion_response", "text"),
    ("suggestion_response", "postback_data"),
)

_DONE = Answer(200, "text/plain; charset=utf-8", b"")


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _usable(keys: list[str]) -> list[str]:
    """Fail closed: what is no key could verify nothing, or anything."""
    try:
        Verifier(keys, 0)
    except ValueError:
        raise ValueError(
            "an entry is no Ed25519 public key: copy it from Telnyx, Keys & Credentials, Public Key"
        ) from None
    return keys


class TelnyxSettings(AccountSettings):
    """A Telnyx account."""

    model_config = ConfigDict(hide_input_in_errors=True)

    public_keys: Annotated[list[str], BeforeValidator(_one_or_many), AfterValidator(_usable)] = Field(
        min_length=1,
        description=(
            "Public key of the Telnyx account, base64, which its webhooks are verified with; several while it "
            "is being changed."
        ),
    )
    tolerance_seconds: int = Field(
        default=300,
        ge=1,
        le=3600,
        description="How far the time of a webhook may be from now, in seconds. Telnyx recommends 300.",
    )
    api_key: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="API key (V2), to send replies and to read Telnyx's list of opt-outs.",
    )
    messaging_profile_id: str | None = Field(
        default=None, description="Messaging profile that sends where the sender is alphanumeric."
    )


class Telnyx(Provider):
    """One Telnyx account."""

    def __init__(self, settings: TelnyxSettings, net: Outgoing) -> None:
        self._verifier = Verifier(settings.public_keys, settings.tolerance_seconds)
        self._replies = SenderReplies(settings)
        self._profile = settings.messaging_profile_id
        self._rest = RestClient(settings.api_key.get_secret_value(), net) if settings.api_key else None

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless a key of this account signed the request just now."""
        self._verifier.verify(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return the message or the delivery report of a verified event, nothing for events of other kinds.

        Raises `CallerError` when the event lacks an id or an end.
        """
        data = inner(read_object(request.body), "data")
        kind = text(data, "event_type")
        if kind == "message.received":
            return Received((_message(data),))
        return Received(statuses=_deliveries(data)) if kind in _STATUS_EVENTS else Received()

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - Telnyx goes by the words, not by our reading of them
        """Tell whether Telnyx or the toll-free network answers this message, so that we stay silent."""
        return answered(message, self._replies.of(message.sender), _WORDS)

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - Telnyx takes no replies inline
        """Return the acknowledgement: 200, within two seconds."""
        return _DONE

    def send(self, message: OutboundMessage) -> SendResult:
        """Send by REST, at most once for one reference. Never raises for what Telnyx or the network does."""
        if self._rest is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        return self._rest.send(message, self._profile)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the event that Telnyx posts for an SMS, signed with the rehearsal's key: a base64 seed."""
        if rehearsal.signing_key is None:
            raise CannotRehearseError("only Telnyx can sign for this account: its private key is not ours")
        body = json.dumps(_event(rehearsal)).encode()
        signature = signature_headers(body, rehearsal.at, rehearsal.signing_key)
        headers = {"content-type": "application/json", **signature}
        return WebhookRequest("POST", rehearsal.url, headers, body, rehearsal.at)

    @property
    def opt_outs(self) -> OptOutList | None:
        """Telnyx's list of opt-outs, which may be read; None without an API key."""
        return None if self._rest is None else OptOuts(self._rest)


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return settings of a made-up account, and the private key that signs for it."""
    public, private = made_up_keys()
    return {"provider": "telnyx", "public_keys": [public]}, private


def _message(data: Fields) -> InboundMessage:
    payload = inner(data, "payload")
    body = payload.get("body")
    origin = _origin(payload, body)
    sender = _owned_number(payload)
    if not origin or not sender:
        raise CallerError("from or to is missing")
    marker = text(payload, "autoresponse_type").strip().upper()
    return InboundMessage(
        message_id=required(payload, "id"),
        address=person(origin, _channel(payload)),
        origin=origin,
        sender=business_end(sender),
        text=text(payload, "text") or _body_text(body),
        said_at=from_iso(payload.get("received_at")) or from_iso(data.get("occurred_at")),
        verdict=_VERDICTS.get(marker),
        provider_replied=bool(marker),
        media=len(listed(payload, "media")),
        service=identifier(payload, "messaging_profile_id") or None,
    )


def _channel(payload: Fields) -> Channel:
    return Channel.WHATSAPP if text(payload, "type").upper() == "WHATSAPP" else Channel.SMS


def _origin(payload: Fields, body: object) -> str:
    """Return the person's end; on WhatsApp it may be an id in place of a hidden number."""
    written = payload.get("from")
    number = written if isinstance(written, str) else found(written, "phone_number")
    return clean(number) or found(body, "from") or found(body, "from_user_id")


def _owned_number(payload: Fields) -> str:
    """Return our end. Of a group's many recipients it is the one that this webhook was delivered for."""
    ends = [recipient for recipient in _recipients(payload) if _end(recipient)]
    ours = [end for end in ends if found(end, "status") == "webhook_delivered"]
    return next((_end(end) for end in [*ours, *ends]), "")


def _recipients(payload: Fields) -> Sequence[Any]:
    """Return the recipients; WhatsApp has one, as bare text."""
    written = payload.get("to")
    return [{"phone_number": written}] if isinstance(written, str) else listed(payload, "to")


def _end(recipient: object) -> str:
    return found(recipient, "phone_number") or found(recipient, "agent_id")


def _body_text(body: object) -> str:
    return next((words for path in _BODY_TEXTS if (words := found(body, *path))), "")


def _deliveries(data: Fields) -> list[DeliveryStatus]:
    """Return one status for each recipient of a message of ours."""
    payload = inner(data, "payload")
    message_id = required(payload, "id")
    sender = business_end(found(payload, "from", "phone_number"))
    codes = [code for error in listed(payload, "errors") if (code := found(error, "code"))]
    recipients = _recipients(payload)
    return [
        DeliveryStatus(
            message_id=message_id,
            address=person(_end(recipient), _channel(payload)),
            sender=sender,
            status=found(recipient, "status"),
            error_code=_OPTED_OUT if _OPTED_OUT in codes else next(iter(codes), None),
            # Errors stand beside the recipients: of several only those who got nothing are meant.
            opted_out=_OPTED_OUT in codes and (len(recipients) == 1 or found(recipient, "status") in _FAILED),
        )
        for recipient in recipients
    ]


def _event(rehearsal: Rehearsal) -> dict[str, Any]:
    return {
        "data": {
            "event_type": "message.received",
            "id": f"event-{rehearsal.message_id}",
            "record_type": "event",
            "payload": {
                "id": rehearsal.message_id,
                "record_type": "message",
                "direction": "inbound",
                "type": "SMS",
                "from": {"phone_number": rehearsal.origin},
                "to": [{"phone_number": rehearsal.sender, "status": "webhook_delivered"}],
                "text": rehearsal.text,
                "media": [],
                "parts": 1,
            },
        },
        "meta": {"attempt": 1, "delivered_to": rehearsal.url},
    }
