"""Jasmin: messages as forms with their raw SMPP content, sending by its HTTP API.

Sources: Jasmin, "HTTP API" and `jasmin/routing/throwers.py`; SMPP 3.4 section 5.2.19 (data_coding).
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self
from urllib.parse import urlencode

from pydantic import ConfigDict, Field, SecretStr, model_validator

from gateway.errors import CallerError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Outgoing
from gateway.providers import jasmin_content, jasmin_send
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
from gateway.providers.jasmin_content import Alphabet
from gateway.providers.numbers import business_end, person
from gateway.providers.payload import clean, read_form, read_query
from gateway.providers.provider_replies import SenderReplies, answered
from gateway.providers.shared_secret import SharedSecret, SharedSecretSettings

_FORM = "application/x-www-form-urlencoded"
# The content is raw octets in any coding: Latin-1 keeps each as one character.
_OCTETS = "latin-1"

# Exactly this, or the message comes again.
_ACKNOWLEDGED = Answer(200, "text/plain; charset=utf-8", b"ACK/Jasmin")


class JasminSettings(SharedSecretSettings):
    """A Jasmin gateway."""

    model_config = ConfigDict(hide_input_in_errors=True)

    default_alphabet: Alphabet = Field(
        default=Alphabet.GSM,
        description=(
            "What coding 0 means to the message centre behind Jasmin: gsm (GSM 03.38), latin-1 or utf-8. "
            "Text that cannot be gsm is read as UTF-8, else as Latin-1."
        ),
    )
    api_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^?#]+$",
        description="Base URL of Jasmin's HTTP API, such as http://jasmin.internal:1401, to send replies.",
    )
    username: str | None = Field(default=None, min_length=1, description="Jasmin user that sends.")
    password: SecretStr | None = Field(default=None, min_length=1, description="Password of username.")

    @model_validator(mode="after")
    def _sends_wholly_or_not(self) -> Self:
        needed = (self.api_url, self.username, self.password)
        if any(needed) and not all(needed):
            raise ValueError("api_url, username and password go together: give all or none")
        return self


class Jasmin(Provider):
    """One Jasmin gateway."""

    def __init__(self, settings: JasminSettings, net: Outgoing) -> None:
        self._secret = SharedSecret(settings)
        self._replies = SenderReplies(settings)
        self._alphabet = settings.default_alphabet
        self._sender = _sender(settings, net)

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request carries the account's secret."""
        if request.method not in {"GET", "POST"}:
            raise NotAuthenticError("Jasmin uses GET and POST only")
        self._secret.verify(replace(request, url=_mended(request.url)))

    def parse(self, request: WebhookRequest) -> Received:
        """Return the message or the delivery report of a verified request.

        Raises `CallerError` when it lacks an id, an end, or content of a known coding.
        """
        fields = _fields(request)
        if "message_status" in fields:
            return Received(statuses=(_delivery(fields),))
        return Received((_message(fields, self._alphabet),))

    def refuse(self, request: WebhookRequest) -> Answer:  # noqa: ARG002 - the same for every request
        """Return 403, or with Basic the challenge."""
        return self._secret.refusal()

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - the network goes by the words
        """Tell whether the toll-free network answers. Jasmin itself answers nothing."""
        return answered(message, self._replies.of(message.sender))

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - Jasmin takes no replies inline
        """Return the acknowledgement."""
        return _ACKNOWLEDGED

    def send(self, message: OutboundMessage) -> SendResult:
        """Send by the HTTP API. Never raises for what Jasmin or the network does."""
        if self._sender is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        return self._sender.send(message)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the form that Jasmin posts for an SMS, with the first secret of each kind."""
        coding, content = jasmin_content.encode(rehearsal.text, self._alphabet)
        fields = {
            "id": rehearsal.message_id,
            "from": rehearsal.origin,
            "to": rehearsal.sender,
            "origin-connector": "rehearsal",
            "coding": str(coding),
            "content": content,
            "binary": content.hex(),
        }
        headers = {"content-type": _FORM, **self._secret.headers()}
        url = self._secret.signed_url(rehearsal.url)
        return WebhookRequest("POST", url, headers, urlencode(fields).encode(), rehearsal.at)


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return settings of a made-up account; the secret in the URL proves the webhooks."""
    return {"provider": "jasmin", "url_secrets": [secrets.token_urlsafe(24)]}, None


def _sender(settings: JasminSettings, net: Outgoing) -> jasmin_send.Sender | None:
    if settings.api_url is None or settings.username is None or settings.password is None:
        return None
    return jasmin_send.Sender(
        settings.api_url,
        settings.username,
        settings.password.get_secret_value(),
        net,
        settings.default_alphabet,
    )


def _mended(url: str) -> str:
    """Return the URL with one question mark: by GET Jasmin appends `?id=...` even to a URL with a query."""
    path, mark, query = url.partition("?")
    return path + mark + query.replace("?", "&")


def _fields(request: WebhookRequest) -> Mapping[str, str]:
    """Return the parameters, their octets as Latin-1."""
    if request.method == "GET":
        return read_query(_mended(request.url), _OCTETS)
    return read_form(request.body, _OCTETS)


def _value(fields: Mapping[str, str], name: str) -> str:
    """Return a parameter other than the content: Jasmin writes them in UTF-8."""
    return clean(fields.get(name, "").encode(_OCTETS).decode("utf-8", "replace")).strip()


def _needed(fields: Mapping[str, str], name: str) -> str:
    value = _value(fields, name)
    if not value:
        raise CallerError(f"{name} is missing")
    return value


def _message(fields: Mapping[str, str], alphabet: Alphabet) -> InboundMessage:
    origin = _needed(fields, "from")
    octets = jasmin_content.octets(_value(fields, "binary"), fields.get("content", "").encode(_OCTETS))
    return InboundMessage(
        message_id=_needed(fields, "id"),
        address=person(origin),
        origin=origin,
        sender=business_end(_needed(fields, "to")),
        text=clean(jasmin_content.decode(octets, _value(fields, "coding"), alphabet)),
    )


def _delivery(fields: Mapping[str, str]) -> DeliveryStatus:
    """Return the report, which names no person: `id` is what the send returned."""
    return DeliveryStatus(
        message_id=_needed(fields, "id"),
        address=None,
        sender="",
        status=_value(fields, "message_status"),
        error_code=_value(fields, "err") or None,
    )
