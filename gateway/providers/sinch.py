"""Sinch: the SMS REST API and the Conversation API.

Sources: Sinch, "SMS: Webhooks", "Conversation: Callbacks", "Toll-free numbers"; opt-outs: `sinch_consents`.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from gateway.errors import CallerError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Outgoing
from gateway.providers import sinch_conversation, sinch_sms
from gateway.providers.base import (
    Answer,
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
from gateway.providers.payload import Fields, read_object
from gateway.providers.provider_replies import SenderReplies, answered
from gateway.providers.shared_secret import Secrets, SharedSecret, SharedSecretSettings, revealed
from gateway.providers.sinch_consents import SinchConsents
from gateway.providers.sinch_rest import ConversationSender, ProjectClient, Sender, SmsSender, number
from gateway.providers.sinch_signature import Signatures
from gateway.providers.times import SECOND

_ACKNOWLEDGED = Answer(200, "text/plain; charset=utf-8", b"")
_SMS_KEYS = ("service_plan_id", "api_token")
_PROJECT_KEYS = ("project_id", "app_id", "key_id", "key_secret")
_CONVERSATION_REGIONS = frozenset({"us", "eu", "br"})


class SinchSettings(SharedSecretSettings):
    """A Sinch service plan (SMS API) or app (Conversation API)."""

    proofs: ClassVar[tuple[str, ...]] = ("webhook_secrets", "basic", "url_secrets")

    api: Literal["sms", "conversation"] = Field(
        default="sms",
        description="The API that sends, and keeps the opt-outs: sms or conversation. Webhooks of both are read.",
    )
    webhook_secrets: Secrets = Field(
        default_factory=list,
        description=(
            "Secret with which Sinch signs the webhooks (HMAC), or several while it is being rotated. For the SMS "
            "API Sinch has to switch signing on."
        ),
    )
    numbers_secrets: Secrets = Field(
        default_factory=list,
        description="Secret of the events of the Numbers API, where they come to the same address; they are acknowledged.",
    )
    tolerance_seconds: int = Field(
        default=300,
        ge=30,
        le=172_800,
        description="How far the signed time of a webhook may be from now. More lets late deliveries in.",
    )
    region: Literal["us", "eu", "au", "br", "ca"] = Field(
        default="us",
        description="Region of the service plan or app. The Conversation API knows us, eu and br.",
    )
    service_plan_id: str | None = Field(default=None, description="SMS API: the service plan that sends.")
    api_token: SecretStr | None = Field(default=None, description="SMS API: the service plan's API token.")
    project_id: str | None = Field(default=None, description="Conversation API: the project of the app.")
    app_id: str | None = Field(default=None, description="Conversation API: the app that sends.")
    key_id: str | None = Field(
        default=None, description="Conversation API: id of an access key of the project."
    )
    key_secret: SecretStr | None = Field(default=None, description="Conversation API: secret of key_id.")
    answered_keywords: list[str] = Field(
        default_factory=list,
        description=(
            "Words that Sinch answers by itself as the whole message, under provider_replies auto: those of its "
            "consent management (STOP and START, unless you have changed them) or of a set-up by Sinch."
        ),
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for keys in (_SMS_KEYS, _PROJECT_KEYS):
            given = [key for key in keys if getattr(self, key)]
            if given and len(given) < len(keys):
                raise ValueError(f"{', '.join(keys)} go together: give all of them or none")
        if self.api == "conversation" and self.region not in _CONVERSATION_REGIONS:
            raise ValueError("the Conversation API has no such region: give us, eu or br")
        if not all(secret.strip() for secret in revealed(self.numbers_secrets)):
            raise ValueError("an entry of numbers_secrets is empty: give its secret or remove it")
        return self


class Sinch(Provider):
    """One Sinch service plan or app."""

    def __init__(self, settings: SinchSettings, net: Outgoing) -> None:
        self._settings = settings
        self._shared = SharedSecret(settings)
        self._signatures = Signatures(
            revealed(settings.webhook_secrets), revealed(settings.numbers_secrets), settings.tolerance_seconds
        )
        self._replies = SenderReplies(settings)
        self._answered = frozenset(word.strip().upper() for word in settings.answered_keywords)
        self._client = _client(settings, net)
        self._sender = _sender(settings, net, self._client)

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request carries every proof that is configured."""
        if self._signatures.is_numbers_event(request):
            self._signatures.verify_numbers_event(request)
            return
        self._shared.verify(request)
        if self._signatures.has_webhooks:
            self._signatures.verify_webhook(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return what a verified request holds; raise `CallerError` when it is no event of Sinch's."""
        fields = read_object(request.body)
        if "type" in fields:
            return sinch_sms.read(fields)
        if "project_id" in fields or "app_id" in fields:
            return sinch_conversation.read(fields)
        if "eventType" in fields:  # an event of the Numbers API
            return Received()
        raise CallerError("neither type nor app_id: no event of Sinch's")

    def refuse(self, request: WebhookRequest) -> Answer:  # noqa: ARG002 - every one is refused alike
        """Return 403, or ask for credentials where they are configured."""
        return self._shared.refusal()

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - Sinch goes by the words
        """Tell whether Sinch or the toll-free network answers this message."""
        return answered(message, self._replies.of(message.sender), self._answered)

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - replies go by REST
        """Return the acknowledgement."""
        return _ACKNOWLEDGED

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message by the API of the account."""
        if self._sender is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        return self._sender.send(message)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the request with which Sinch posts an SMS, with every proof that is configured."""
        is_sms = self._settings.api == "sms"
        document = _sms(rehearsal) if is_sms else _event(rehearsal, self._settings)
        body = json.dumps(document).encode()
        headers = {
            "content-type": "application/json",
            **self._shared.headers(),
            **self._signatures.headers(body, nonce=rehearsal.message_id, at=rehearsal.at),
        }
        return WebhookRequest("POST", self._shared.signed_url(rehearsal.url), headers, body, rehearsal.at)

    @property
    def opt_outs(self) -> OptOutList | None:
        """The lists of consent management; the SMS API has none."""
        settings = self._settings
        if settings.api == "sms" or self._client is None or not settings.project_id or not settings.app_id:
            return None
        return SinchConsents(self._client, settings.region, settings.project_id, settings.app_id)


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return the settings of a made-up account."""
    settings: dict[str, object] = {
        "provider": "sinch",
        "api": "sms",
        "webhook_secrets": [secrets.token_urlsafe(24)],
    }
    return settings, None


def _client(settings: SinchSettings, net: Outgoing) -> ProjectClient | None:
    if settings.key_id is None or settings.key_secret is None:
        return None
    return ProjectClient(net, settings.key_id, settings.key_secret.get_secret_value())


def _sender(settings: SinchSettings, net: Outgoing, client: ProjectClient | None) -> Sender | None:
    if settings.api == "sms":
        if settings.service_plan_id is None or settings.api_token is None:
            return None
        return SmsSender(
            net, settings.region, settings.service_plan_id, settings.api_token.get_secret_value()
        )
    if client is None or not settings.project_id or not settings.app_id:
        return None
    return ConversationSender(client, settings.region, settings.project_id, settings.app_id)


def _sms(rehearsal: Rehearsal) -> Fields:
    return {
        "type": "mo_text",
        "id": rehearsal.message_id,
        "from": number(rehearsal.origin),
        "to": number(rehearsal.sender),
        "body": rehearsal.text,
        "received_at": _iso(rehearsal.at),
    }


def _event(rehearsal: Rehearsal, settings: SinchSettings) -> Fields:
    at = _iso(rehearsal.at)
    return {
        "app_id": settings.app_id or "rehearsal",
        "project_id": settings.project_id or "rehearsal",
        "accepted_time": at,
        "event_time": at,
        "message": {
            "id": rehearsal.message_id,
            "direction": "TO_APP",
            "contact_message": {"text_message": {"text": rehearsal.text}},
            "channel_identity": {"channel": "SMS", "identity": number(rehearsal.origin), "app_id": ""},
            "sender_id": number(rehearsal.sender),
            "accept_time": at,
        },
        "message_metadata": "",
    }


def _iso(at: int) -> str:
    written = datetime.fromtimestamp(at // SECOND, UTC).replace(microsecond=at % SECOND)
    return written.isoformat(timespec="microseconds").replace("+00:00", "Z")
