"""Plivo: inbound messages and status callbacks as signed forms, sending by REST.

Sources: Plivo, "Handling incoming SMS/MMS/WhatsApp", "Message status callbacks", "Send a message", "DND service".
Plivo also takes replies in its answer, as XML that must name both ends of the message; ours do not travel so.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Self
from urllib.parse import quote, urlencode

from pydantic import ConfigDict, Field, model_validator

from gateway.consent.address import Channel
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Outgoing
from gateway.providers.account import AccountSettings
from gateway.providers.base import (
    Answer,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    Provider,
    ProviderReplies,
    Received,
    Rehearsal,
    SendOutcome,
    SendResult,
    WebhookRequest,
)
from gateway.providers.numbers import business_end, person
from gateway.providers.payload import clean, count, found, required, text
from gateway.providers.plivo_signature import (
    FORM_TYPE,
    Verifier,
    first_values,
    read_pairs,
)
from gateway.providers.provider_replies import SenderReplies, answered, network_answers
from gateway.providers.rest import attempt, json_call
from gateway.providers.shared_secret import Secrets, revealed

_API = "https://api.plivo.com/v1/Account"
_OPTED_OUT = "200"
_VERDICTS = {"optout": ReadingClass.OPT_OUT, "optin": ReadingClass.OPT_IN, "help": ReadingClass.HELP}
_WHATSAPP = "whatsapp"

_EMPTY_XML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
_SILENCE = Answer(200, "application/xml; charset=utf-8", _EMPTY_XML)


class PlivoSettings(AccountSettings):
    """A Plivo account or subaccount."""

    model_config = ConfigDict(hide_input_in_errors=True)

    auth_id: str = Field(
        pattern=r"^\w+$", description="Auth ID, MA or SA and 18 characters, from the Plivo console."
    )
    auth_tokens: Secrets = Field(
        description=(
            "Auth token of auth_id, or several while one is being changed. Each is accepted on webhooks; the first "
            "also sends."
        )
    )
    main_auth_tokens: Secrets = Field(
        default_factory=list,
        description=(
            "Auth token of the main account, or several, where auth_id is a subaccount: Plivo signs its webhooks "
            "with both."
        ),
    )
    status_callback: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Public URL of this account's /status path, to get delivery reports for what is sent.",
    )

    @model_validator(mode="after")
    def _has_secrets(self) -> Self:
        """Fail closed: without a token, or with an empty one, anybody could sign."""
        if not self.auth_tokens:
            raise ValueError("auth_tokens is empty: give the auth token of auth_id")
        if not all(token.strip() for token in revealed([*self.auth_tokens, *self.main_auth_tokens])):
            raise ValueError(
                "an entry of auth_tokens or main_auth_tokens is empty: give its token or remove it"
            )
        return self


class Plivo(Provider):
    """One Plivo account."""

    def __init__(self, settings: PlivoSettings, net: Outgoing) -> None:
        self._verifier = Verifier(revealed(settings.auth_tokens), revealed(settings.main_auth_tokens))
        self._replies = SenderReplies(settings)
        self._settings = settings
        self._net = net

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless an auth token signed the request."""
        self._verifier.verified_fields(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return the message or the status of a verified request; raise `CallerError` when it lacks an id or end."""
        return _read(first_values(read_pairs(request)))

    def receive(self, request: WebhookRequest) -> Received:
        """Verify, then parse, reading the parameters once."""
        return _read(self._verifier.verified_fields(request))

    def nonce(self, request: WebhookRequest) -> str | None:
        """Return the nonce of the second version, whose signature covers nothing but the URL."""
        return self._verifier.reusable_nonce(request)

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - Plivo goes by the words
        """Tell whether Plivo or the toll-free network answers this message, so that we stay silent.

        Plivo marks every keyword that it handles (`MessageIntent`), so that there is no list of words here.
        """
        replies = self._replies.of(message.sender)
        if replies is ProviderReplies.NONE:
            return network_answers(message)
        return answered(message, replies)

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - Plivo's XML would need both ends of the message
        """Return XML that sends nothing."""
        return _SILENCE

    def send(self, message: OutboundMessage) -> SendResult:
        """Send by REST. Never raises for what Plivo or the network does."""
        settings = self._settings
        token = settings.auth_tokens[0].get_secret_value()
        url = f"{_API}/{quote(settings.auth_id, safe='')}/Message/"
        call = json_call(url, _document(message, settings.status_callback), basic=(settings.auth_id, token))
        made = attempt(self._net, call)
        code = found(made.document, "error_code")
        if code == _OPTED_OUT and made.outcome is not SendOutcome.SENT:
            return SendResult(SendOutcome.OPTED_OUT, error_code=code)
        return made.result(message_id=found(made.document, "message_uuid", 0), error_code=code)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the form that Plivo posts for an SMS, signed with the first auth token in both versions."""
        fields = {
            "From": rehearsal.origin.removeprefix("+"),
            "To": rehearsal.sender.removeprefix("+"),
            "MessageUUID": rehearsal.message_id,
            "Type": "sms",
            "Text": rehearsal.text,
            "Units": "1",
            "TotalRate": "0",
            "TotalAmount": "0",
            "MessageIntent": "",
        }
        body, headers = urlencode(fields).encode(), {"content-type": FORM_TYPE}
        unsigned = WebhookRequest("POST", rehearsal.url, headers, body, rehearsal.at)
        nonce = f"{rehearsal.message_id}.{rehearsal.at}"
        signed = {**headers, **self._verifier.headers(unsigned, nonce)}
        return WebhookRequest("POST", rehearsal.url, signed, body, rehearsal.at)


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return settings of a made-up account; its auth token signs the webhooks."""
    settings: dict[str, object] = {
        "provider": "plivo",
        "auth_id": f"MA{secrets.token_hex(9).upper()}",
        "auth_tokens": [secrets.token_urlsafe(30)],
    }
    return settings, None


def _document(message: OutboundMessage, callback: str | None) -> dict[str, str]:
    document = {"dst": message.address.value, "text": message.text}
    # A reply comes from the number that was written to. Other ends send through their Powerpack.
    if message.service and not message.sender.removeprefix("+").isdecimal():
        document["powerpack_uuid"] = message.service
    else:
        document["src"] = message.sender
    if message.address.channel is Channel.WHATSAPP:
        document["type"] = _WHATSAPP
    if callback:
        document |= {"url": callback, "method": "POST"}
    return document


def _read(fields: Mapping[str, str]) -> Received:
    # An inbound message has no status. Read as one, a report would be a word of the business's own end.
    if text(fields, "Status"):
        return Received(statuses=(_delivery(fields),))
    return Received((_message(fields),))


def _message(fields: Mapping[str, str]) -> InboundMessage:
    origin = required(fields, "From")
    intent = text(fields, "MessageIntent").strip().lower()
    return InboundMessage(
        message_id=required(fields, "MessageUUID"),
        address=person(origin, _channel(fields)),
        origin=origin,
        sender=business_end(required(fields, "To")),
        text=text(fields, "Text") or text(fields, "Body"),
        verdict=_VERDICTS.get(intent),
        provider_replied=intent in _VERDICTS,
        media=_media(fields),
        service=text(fields, "PowerpackUUID") or None,
    )


def _delivery(fields: Mapping[str, str]) -> DeliveryStatus:
    code = text(fields, "ErrorCode").strip() or None
    return DeliveryStatus(
        message_id=required(fields, "MessageUUID"),
        address=person(required(fields, "To"), _channel(fields)),
        sender=business_end(text(fields, "From")),
        status=text(fields, "Status").lower(),
        error_code=code,
        opted_out=code == _OPTED_OUT,
    )


def _channel(fields: Mapping[str, str]) -> Channel:
    return Channel.WHATSAPP if text(fields, "Type").strip().lower() == _WHATSAPP else Channel.SMS


def _media(fields: Mapping[str, str]) -> int:
    """Return how many files come along: WhatsApp tells no count."""
    links = sum(1 for name, value in fields.items() if name.startswith("Media") and "://" in clean(value))
    return max(count(fields.get("MediaCount")), links)
