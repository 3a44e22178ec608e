"""Twilio: inbound messages and delivery reports as signed forms, TwiML answers, sending by REST.

Sources: Twilio, "Messaging webhooks", "Opt-out keywords (SMS STOP filtering)", "Advanced Opt-Out".
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from gateway.consent.address import Address, AddressError, Channel, normal_sender
from gateway.errors import CallerError, NotForUsError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Outgoing, Web
from gateway.providers import twilio_rehearsal, twiml
from gateway.providers.account import AccountSettings
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
from gateway.providers.opt_outs import OptOutList
from gateway.providers.twilio_consents import TwilioConsents
from gateway.providers.twilio_replies import answered
from gateway.providers.twilio_signature import FORM_TYPE, Algorithm, Form, Verifier, covered_form

if TYPE_CHECKING:
    from gateway.providers.twilio_rest import RestClient


_VERDICTS = {"STOP": ReadingClass.OPT_OUT, "START": ReadingClass.OPT_IN, "HELP": ReadingClass.HELP}
_CHANNELS = {"": Channel.SMS, "rcs": Channel.SMS, "whatsapp": Channel.WHATSAPP}
_MESSAGE_IDS = ("MessageSid", "SmsMessageSid", "SmsSid")
_INBOUND_STATUSES = frozenset({"received", "receiving"})
_DELIVERY_STATUSES = frozenset(
    {
        "accepted",
        "scheduled",
        "queued",
        "sending",
        "sent",
        "delivered",
        "undelivered",
        "failed",
        "read",
        "canceled",
        "partially_delivered",
    }
)
_OPTED_OUT = "21610"

_SMALL_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
_PHONE_NUMBER = re.compile(r" ?\+?[1-9][0-9]{6,14}", re.ASCII)

_SILENCE = Answer(200, twiml.CONTENT_TYPE, twiml.EMPTY)


class SharedKeySettings(BaseModel):
    """One shared key, as shown by Twilio when it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    secret: SecretStr = Field(description="The key's secret.")
    algorithm: Algorithm = Field(
        default=Algorithm.HMAC_SHA256,
        description="HMAC_SHA256 or HMAC_SHA1. A request that names another algorithm is refused.",
    )


class TwilioSettings(AccountSettings):
    """A Twilio account."""

    model_config = ConfigDict(hide_input_in_errors=True)

    account_sid: str = Field(
        pattern=r"^AC\w+$", description="Account SID, AC and 32 characters, from the Twilio console."
    )
    auth_tokens: list[SecretStr] = Field(
        default_factory=list,
        description=(
            "Auth token, or several while one is being rotated. Each is accepted on webhooks; the first also "
            "sends, unless api_key_sid is set."
        ),
    )
    shared_keys: dict[str, SharedKeySettings] = Field(
        default_factory=dict,
        description="Shared keys for webhooks, by key id (webhooks_sharedkey_...), instead of auth tokens.",
    )
    api_key_sid: str | None = Field(
        default=None, description="API key SID for sending. Without one, account_sid and the auth token send."
    )
    api_key_secret: SecretStr | None = Field(default=None, description="Secret of api_key_sid.")
    messaging_service_sid: str | None = Field(
        default=None,
        description="Messaging service that sends where the sender is no phone number, such as an RCS agent.",
    )
    status_callback: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Public URL of this account's /status path, to get delivery reports for what is sent.",
    )
    region: str | None = Field(default=None, description="Twilio region of the account, such as ie1.")
    edge: str | None = Field(
        default=None, description="Twilio edge location to send through, such as dublin."
    )

    @field_validator("auth_tokens", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str | SecretStr) else value

    @model_validator(mode="after")
    def _has_secrets(self) -> Self:
        """Fail closed: without a secret, or with an empty one, anybody could sign."""
        secrets = [*self.auth_tokens, *(key.secret for key in self.shared_keys.values())]
        if not secrets:
            raise ValueError("auth_tokens is missing: give the auth token, or shared_keys")
        if not all(secret.get_secret_value().strip() for secret in secrets):
            raise ValueError("an entry of auth_tokens or shared_keys is empty: give its secret or remove it")
        if (self.api_key_sid is None) != (self.api_key_secret is None):
            raise ValueError("api_key_sid and api_key_secret go together: give both or neither")
        return self


class Twilio(Provider):
    """One Twilio account."""

    def __init__(self, settings: TwilioSettings, net: Outgoing | None = None) -> None:
        self._settings = settings
        self._net = net or Web()
        self._verifier = _verifier(settings)
        self._replies = settings.provider_replies
        self._overrides = {
            normal_sender(key): sender.provider_replies
            for key, sender in settings.senders.items()
            if sender.provider_replies is not None
        }
        self._rest: RestClient | None = None

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless a token or shared key of this account signed the request."""
        self._verifier.verified_form(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return the message of a verified request.

        Raises `CallerError` when it lacks an id or an end, `NotForUsError` when it is genuine but no message:
        a JSON event or a delivery report.
        """
        return Received((_message(request, covered_form(request)),))

    def receive(self, request: WebhookRequest) -> Received:
        """Verify, then parse, reading the form once."""
        return Received((_message(request, self._verifier.verified_form(request)),))

    def parse_status(self, request: WebhookRequest) -> Received:
        """Return the delivery report of a verified status callback, whose person is `To`.

        Raises `CallerError` when it lacks an id or a status, `NotForUsError` for a JSON event.
        """
        return Received(statuses=(_delivery(_message_fields(request, covered_form(request))),))

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - Twilio goes by the words, not by our reading of them
        """Tell whether Twilio or the toll-free network answers this message, so that we stay silent."""
        return answered(message, self._overrides.get(message.sender, self._replies))

    @property
    def takes_inline(self) -> bool:
        """Whether a reply can travel in the acknowledgement: as TwiML."""
        return True

    def answer(self, texts: Sequence[str]) -> Answer:
        """Return TwiML that sends the texts, or nothing, to whoever wrote."""
        if not texts:
            return _SILENCE
        return Answer(200, twiml.CONTENT_TYPE, twiml.render(texts))

    def send(self, message: OutboundMessage) -> SendResult:
        """Send by REST, at most 1600 characters. Never raises for what Twilio or the network does."""
        if self._rest is None:
            self._rest = _rest_client(self._settings, self._net)
        if self._rest is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        return self._rest.send(message)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the form that Twilio posts for an SMS, signed with the first auth token or shared key."""
        return twilio_rehearsal.signed(self._settings.account_sid, self._verifier, rehearsal)

    @property
    def opt_outs(self) -> OptOutList | None:
        """Twilio's Consent API, where there are credentials that may write to it."""
        credentials = _credentials(self._settings)
        if credentials is None:
            return None
        return TwilioConsents(self._net, *credentials, self._settings.messaging_service_sid)


def _verifier(settings: TwilioSettings) -> Verifier:
    keys = settings.shared_keys.items()
    return Verifier(
        [token.get_secret_value() for token in settings.auth_tokens],
        {key_id: (key.secret.get_secret_value(), key.algorithm) for key_id, key in keys},
    )


def _rest_client(settings: TwilioSettings, net: Outgoing) -> "RestClient | None":
    """Return what sends, or None for an account that has shared keys only and so no right to send."""
    from gateway.providers import twilio_rest  # noqa: PLC0415 - half a second, which only a process that sends pays

    credentials = _credentials(settings)
    if credentials is None:
        return None
    username, password = credentials
    account = twilio_rest.RestAccount(
        account_sid=settings.account_sid,
        username=username,
        password=password,
        service=settings.messaging_service_sid,
        status_callback=settings.status_callback,
        region=settings.region,
        edge=settings.edge,
    )
    return twilio_rest.RestClient(account, net)


def _credentials(settings: TwilioSettings) -> tuple[str, str] | None:
    """Return user and password of the API: the API key, else the account and its first token."""
    secret = settings.api_key_secret or next(iter(settings.auth_tokens), None)
    if secret is None:
        return None
    return settings.api_key_sid or settings.account_sid, secret.get_secret_value()


def _message_fields(request: WebhookRequest, form: Form) -> Mapping[str, str]:
    # Event Streams and other products post JSON: genuine, acknowledged, no message.
    if request.method == "POST" and request.body and request.content_type != FORM_TYPE:
        raise NotForUsError("a JSON event, not a message")
    return form.fields


def _message(request: WebhookRequest, form: Form) -> InboundMessage:
    fields = _message_fields(request, form)
    if _status(fields) in _DELIVERY_STATUSES:
        # Its From is the business: taken for a message it would be a word of the wrong end.
        raise NotForUsError("a delivery report at the address of inbound messages")
    origin = _value(fields, "From") or _value(fields, "ExternalUserId")
    recipient = _value(fields, "To")
    if not origin or not recipient:
        raise CallerError("From or To is missing")
    marker = _value(fields, "OptOutType").upper()
    return InboundMessage(
        message_id=_message_id(fields),
        address=_address(origin),
        origin=origin,
        sender=_business_end(recipient),
        text=_value(fields, "Body") or _value(fields, "ButtonText") or _value(fields, "ButtonPayload"),
        verdict=_VERDICTS.get(marker),
        provider_replied=bool(marker),
        media=_count(fields.get("NumMedia", "")),
        service=_value(fields, "MessagingServiceSid") or None,
    )


def _delivery(fields: Mapping[str, str]) -> DeliveryStatus:
    status = _status(fields)
    if not status or status in _INBOUND_STATUSES:
        # Acknowledged here, a STOP would be lost: Twilio shall show the mistake and use the fallback URL.
        raise CallerError("no delivery report: inbound messages have another address")
    code = _value(fields, "ErrorCode") or None
    return DeliveryStatus(
        message_id=_message_id(fields),
        address=_address(_value(fields, "To")),
        sender=_business_end(_value(fields, "From")),
        status=status,
        error_code=code,
        opted_out=code == _OPTED_OUT,
    )


def _status(fields: Mapping[str, str]) -> str:
    return (_value(fields, "MessageStatus") or _value(fields, "SmsStatus")).lower()


def _message_id(fields: Mapping[str, str]) -> str:
    for name in _MESSAGE_IDS:
        if value := _value(fields, name):
            return value
    raise CallerError("MessageSid is missing")


def _value(fields: Mapping[str, str], name: str) -> str:
    """Return a field, "" when absent. PostgreSQL cannot store NUL."""
    return fields.get(name, "").replace("\0", "\ufffd")


def _count(text: str) -> int:
    return int(text) if _SMALL_NUMBER.fullmatch(text) else 0


def _prefix_and_rest(end: str) -> tuple[str, str]:
    prefix, colon, rest = end.partition(":")
    return (prefix.lower(), rest) if colon else ("", end)


def _address(end: str) -> Address | None:
    """Return the person's address; None for short codes, alphanumeric ids and channels without consent."""
    prefix, rest = _prefix_and_rest(end)
    channel = _CHANNELS.get(prefix)
    # An alphanumeric id may hold a plus and look like a number with letters in it.
    if channel is None or (channel is Channel.SMS and not _PHONE_NUMBER.fullmatch(rest)):
        return None
    try:
        return Address.parse(channel, rest)
    except AddressError:
        return None


def _business_end(end: str) -> str:
    prefix, rest = _prefix_and_rest(end)
    return normal_sender(rest if prefix in _CHANNELS else end)
