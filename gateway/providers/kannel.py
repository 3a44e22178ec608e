"""Kannel: messages by `get-url` or `post-url`, replies as the body of the answer, sending by sendsms.

Sources: Kannel, "User's guide" (SMS services, sendsms, X-Kannel headers) and `gw/smsbox.c`.
"""

import re
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Self
from urllib.parse import urlencode

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from gateway.errors import CallerError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Call, Outgoing
from gateway.providers import gsm, kannel_text
from gateway.providers.base import (
    Answer,
    InboundMessage,
    OutboundMessage,
    Provider,
    Received,
    Rehearsal,
    SendOutcome,
    SendResult,
    Unreadable,
    WebhookRequest,
)
from gateway.providers.kannel_text import Fields
from gateway.providers.numbers import business_end, person
from gateway.providers.payload import clean
from gateway.providers.provider_replies import SenderReplies, answered
from gateway.providers.rest import attempt
from gateway.providers.shared_secret import SharedSecret, SharedSecretSettings
from gateway.providers.times import SECOND, from_epoch, from_iso

_PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", re.ASCII)
_TEXT_TYPE = "text/plain; charset=utf-8"
_MOST_KEPT = 4096  # bytes of a binary message
# Kannel takes GSM characters for granted; with this it sends the text as UCS-2.
_UCS2 = ("X-Kannel-Coding", "2")


class KannelSettings(SharedSecretSettings):
    """A Kannel gateway."""

    model_config = ConfigDict(hide_input_in_errors=True)

    sendsms_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^?#]+$",
        description=(
            "URL of Kannel's sendsms, such as http://kannel.internal:13013/cgi-bin/sendsms, to send replies that "
            "do not travel inline."
        ),
    )
    username: str | None = Field(
        default=None, min_length=1, description="Name of the sendsms-user group that sends."
    )
    password: SecretStr | None = Field(default=None, min_length=1, description="Password of username.")
    smsc: str | None = Field(
        default=None,
        pattern=r"^[\x21-\x7e]+$",
        description="Id of the message centre to send through, where Kannel has several.",
    )

    @field_validator("username", "password")
    @classmethod
    def _fits_a_header(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        written = value.get_secret_value() if isinstance(value, SecretStr) else value
        if written is not None and not _PRINTABLE.fullmatch(written):
            raise ValueError("only printable ASCII, without blanks at its ends, travels in Kannel's headers")
        return value

    @model_validator(mode="after")
    def _sends_wholly_or_not(self) -> Self:
        needed = (self.sendsms_url, self.username, self.password)
        if any(needed) and not all(needed):
            raise ValueError("sendsms_url, username and password go together: give all or none")
        return self


class Kannel(Provider):
    """One Kannel gateway."""

    def __init__(self, settings: KannelSettings, net: Outgoing) -> None:
        self._secret = SharedSecret(settings)
        self._replies = SenderReplies(settings)
        self._settings = settings
        self._net = net

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request carries the account's secret."""
        if request.method not in {"GET", "POST"}:
            raise NotAuthenticError("Kannel uses GET and POST only")
        self._secret.verify(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return the message of a verified request; raise `CallerError` when an end is missing."""
        fields = kannel_text.read(request)
        message = _message(fields, request.received_at)
        if not kannel_text.is_binary(fields):
            return Received((message,))
        return Received((message,), unreadable=(Unreadable("a binary message", fields.text[:_MOST_KEPT]),))

    def parse_status(self, request: WebhookRequest) -> Received:  # noqa: ARG002 - whatever it says
        """Return nothing: Kannel's reports on messages of ours know no opt-outs."""
        return Received()

    def refuse(self, request: WebhookRequest) -> Answer:  # noqa: ARG002 - the same for every request
        """Return 403, or with Basic the challenge."""
        return self._secret.refusal()

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - the network goes by the words
        """Tell whether the toll-free network answers. Kannel itself answers nothing."""
        return answered(message, self._replies.of(message.sender))

    @property
    def takes_inline(self) -> bool:
        """Whether a reply can travel in the acknowledgement: its body is texted to the person."""
        return True

    def answer(self, texts: Sequence[str]) -> Answer:
        """Return the reply, or nothing. Kannel texts whatever stands in the body, and takes 200 and 202 only."""
        reply = clean("\n".join(filter(str.strip, texts)))
        headers = () if gsm.encode(reply) is not None else (_UCS2,)
        return Answer(200, _TEXT_TYPE, reply.encode(), headers)

    def send(self, message: OutboundMessage) -> SendResult:
        """Send by sendsms. Never raises for what Kannel or the network does."""
        settings = self._settings
        if settings.sendsms_url is None or settings.username is None or settings.password is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        if not _PRINTABLE.fullmatch(message.sender):
            return SendResult(SendOutcome.REFUSED, error_code="bad_sender")
        # By POST, so that the password stands in no log of URLs.
        headers = {
            "content-type": _TEXT_TYPE,
            "x-kannel-username": settings.username,
            "x-kannel-password": settings.password.get_secret_value(),
            "x-kannel-from": message.sender,
            "x-kannel-to": message.address.value,
            "x-kannel-coding": "0" if gsm.encode(message.text) is not None else "2",
        }
        if settings.smsc:
            headers["x-kannel-smsc"] = settings.smsc
        body = message.text.encode("utf-8", "replace")
        return attempt(self._net, Call("POST", settings.sendsms_url, headers, body)).result()

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the request that Kannel makes by the `get-url` of the documentation, with the first secret."""
        fields = {
            "id": rehearsal.message_id,
            "from": rehearsal.origin,
            "to": rehearsal.sender,
            "text": rehearsal.text,
            "coding": "0" if gsm.encode(rehearsal.text) is not None else "2",
            "charset": "UTF-8",
            "ts": str(rehearsal.at // SECOND),
        }
        url = self._secret.signed_url(rehearsal.url)
        url += ("&" if "?" in url else "?") + urlencode(fields)
        return WebhookRequest("GET", url, self._secret.headers(), b"", rehearsal.at)


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return settings of a made-up account; the secret in the URL proves the webhooks."""
    return {"provider": "kannel", "url_secrets": [secrets.token_urlsafe(24)]}, None


def _message(fields: Fields, received_at: int) -> InboundMessage:
    if not fields.origin or not fields.sender:
        raise CallerError(
            "the sender or the receiver is missing: give from=%p and to=%P, or send-sender=true"
        )
    return InboundMessage(
        message_id=fields.message_id or _made_up_id(fields, received_at),
        address=person(fields.origin),
        origin=fields.origin,
        sender=business_end(fields.sender),
        text="" if kannel_text.is_binary(fields) else clean(kannel_text.decode(fields)),
        said_at=from_epoch(fields.time, SECOND) or from_iso(fields.time),
        service=fields.smsc or None,
    )


def _made_up_id(fields: Fields, received_at: int) -> str:
    """Return an id for a message that brings none: the same for a repetition, as far as its time tells.

    Without its time every request is a message of its own: better one STOP twice than the second of two not at all.
    """
    when = fields.time or str(received_at)
    ends = f"{fields.origin}\0{fields.sender}\0{when}\0"
    return sha256(ends.encode() + fields.text).hexdigest()[:32]
