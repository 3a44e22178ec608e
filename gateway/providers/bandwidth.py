"""Bandwidth: messages and delivery reports as JSON lists, proven by Basic credentials; sending by REST.

Sources: Bandwidth, "Messaging webhooks", "Applications" (callback credentials), "Messaging errors".
"""

import json
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import quote

from pydantic import ConfigDict, Field, SecretStr, model_validator

from gateway.errors import CallerError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Outgoing
from gateway.providers.base import (
    Answer,
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
from gateway.providers.payload import (
    Fields,
    as_list,
    as_object,
    each,
    found,
    identifier,
    inner,
    listed,
    read_json,
    required,
    text,
)
from gateway.providers.provider_replies import SenderReplies, answered
from gateway.providers.rest import attempt, json_call
from gateway.providers.shared_secret import SharedSecret, SharedSecretSettings, made_up_credentials
from gateway.providers.times import from_iso

_API = "https://messaging.bandwidth.com/api/v2/users"
_OPTED_OUT = "4775"
_RECEIVED = "message-received"
_STATUSES = frozenset({"message-sending", "message-delivered", "message-failed", "message-read"})

_DONE = Answer(200, "text/plain; charset=utf-8", b"")


class BandwidthSettings(SharedSecretSettings):
    """A Bandwidth account. `basic` holds the callback credentials of its application."""

    model_config = ConfigDict(hide_input_in_errors=True)

    account_id: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9-]+$", description="Bandwidth account id, to send replies."
    )
    application_id: str | None = Field(
        default=None,
        description="Messaging application that sends, unless a reply answers another one's number.",
    )
    api_username: str | None = Field(
        default=None, min_length=1, description="User name or API token of an API user, to send replies."
    )
    api_password: SecretStr | None = Field(
        default=None, min_length=1, description="Password or API secret of api_username."
    )

    @model_validator(mode="after")
    def _sends_wholly_or_not(self) -> Self:
        needed = (self.account_id, self.application_id, self.api_username, self.api_password)
        if any(needed) and not all(needed):
            raise ValueError(
                "account_id, application_id, api_username and api_password go together: give all or none"
            )
        return self


class Bandwidth(Provider):
    """One Bandwidth account."""

    def __init__(self, settings: BandwidthSettings, net: Outgoing) -> None:
        self._secret = SharedSecret(settings)
        self._replies = SenderReplies(settings)
        self._settings = settings
        self._net = net

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request carries the account's credentials."""
        if request.method != "POST":
            raise NotAuthenticError("Bandwidth uses POST only")
        self._secret.verify(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return the messages and delivery reports of a verified list; raise `CallerError` when it is none."""
        read, unread = each(as_list(read_json(request.body)), _piece)
        return Received(
            messages=[piece for piece in read if isinstance(piece, InboundMessage)],
            statuses=[piece for piece in read if isinstance(piece, DeliveryStatus)],
            unreadable=unread,
        )

    def refuse(self, request: WebhookRequest) -> Answer:  # noqa: ARG002 - the same for every request
        """Ask for the credentials: Bandwidth's client may wait for the challenge before it sends them."""
        return self._secret.refusal()

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - the network goes by the words
        """Tell whether the toll-free network answers. Bandwidth itself answers nothing."""
        return answered(message, self._replies.of(message.sender))

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - Bandwidth takes no replies inline
        """Return the acknowledgement."""
        return _DONE

    def send(self, message: OutboundMessage) -> SendResult:
        """Send by REST. Never raises for what Bandwidth or the network does."""
        settings = self._settings
        if settings.account_id is None or settings.api_username is None or settings.api_password is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        document = {
            "applicationId": message.service or settings.application_id,
            "from": message.sender,
            "to": [message.address.value],
            "text": message.text,
            **({"tag": message.reference} if message.reference else {}),
        }
        url = f"{_API}/{quote(settings.account_id, safe='')}/messages"
        basic = (settings.api_username, settings.api_password.get_secret_value())
        made = attempt(self._net, json_call(url, document, basic=basic))
        code = found(made.document, "errorCode") or found(made.document, "type")
        if code == _OPTED_OUT:
            return SendResult(SendOutcome.OPTED_OUT, error_code=code)
        return made.result(message_id=found(made.document, "id"), error_code=code)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the list of one message that Bandwidth posts for an SMS, with the first credentials."""
        body = json.dumps([_event(rehearsal)]).encode()
        headers = {"content-type": "application/json; charset=utf-8", **self._secret.headers()}
        url = self._secret.signed_url(rehearsal.url)
        return WebhookRequest("POST", url, headers, body, rehearsal.at)


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return settings of a made-up account; its credentials prove the webhooks."""
    return {"provider": "bandwidth", "basic": [made_up_credentials()]}, None


def _piece(value: object) -> InboundMessage | DeliveryStatus | None:
    """Return what an element of the list holds, None for events of other kinds."""
    event = as_object(value)
    kind = text(event, "type")
    # Reports of our own messages come to the same URL: read as words of a person they would make a loop.
    outward = found(event, "message", "direction") == "out"
    if kind == _RECEIVED and not outward:
        return _message(inner(event, "message"), event)
    return _delivery(inner(event, "message"), event) if kind in _STATUSES else None


def _message(message: Fields, event: Fields) -> InboundMessage:
    origin = required(message, "from")
    return InboundMessage(
        message_id=required(message, "id"),
        address=person(origin),
        origin=origin,
        sender=business_end(_owner(message, event)),
        text=text(message, "text"),
        said_at=from_iso(message.get("time")) or from_iso(event.get("time")),
        media=len(listed(message, "media")),
        service=identifier(message, "applicationId") or None,
    )


def _owner(message: Fields, event: Fields) -> str:
    """Return our number: of a group's many recipients the one whose copy this is."""
    owner = identifier(message, "owner") or identifier(event, "to") or found(message, "to", 0)
    if not owner:
        raise CallerError("owner is missing")
    return owner


def _delivery(message: Fields, event: Fields) -> DeliveryStatus:
    code = identifier(event, "errorCode") or None
    return DeliveryStatus(
        message_id=required(message, "id"),
        address=person(_recipient(message, event)),
        sender=business_end(identifier(message, "owner") or identifier(message, "from")),
        status=text(event, "type").removeprefix("message-"),
        error_code=code,
        opted_out=code == _OPTED_OUT,
    )


def _recipient(message: Fields, event: Fields) -> str:
    """Return who was written to; the event's own `to` tells which member of a group."""
    recipients = listed(message, "to")
    return found(recipients, 0) if len(recipients) == 1 else identifier(event, "to")


def _event(rehearsal: Rehearsal) -> dict[str, Any]:
    return {
        "type": _RECEIVED,
        "description": "Incoming message received",
        "to": rehearsal.sender,
        "message": {
            "id": rehearsal.message_id,
            "owner": rehearsal.sender,
            "to": [rehearsal.sender],
            "from": rehearsal.origin,
            "text": rehearsal.text,
            "media": [],
            "direction": "in",
            "segmentCount": 1,
        },
    }
