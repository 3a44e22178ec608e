"""Clickatell: callbacks of the Platform and of the One API, sending by either.

Sources: Clickatell, "Platform API: Callbacks", "One API: Receive message callback", "One API: Customer callbacks".
"""

import hmac
import json
import secrets
from collections.abc import Sequence
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from gateway.errors import NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Outgoing
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
from gateway.providers.clickatell_inbound import read
from gateway.providers.clickatell_rest import ClickatellApi
from gateway.providers.payload import Fields, read_object, read_query
from gateway.providers.provider_replies import SenderReplies, answered
from gateway.providers.shared_secret import (
    Secrets,
    SharedSecret,
    SharedSecretSettings,
    made_up_credentials,
    revealed,
)
from gateway.providers.times import MILLISECOND

_ACKNOWLEDGED = Answer(200, "text/plain; charset=utf-8", b"")


class ClickatellSettings(SharedSecretSettings):
    """A Clickatell integration."""

    proofs: ClassVar[tuple[str, ...]] = ("basic", "url_secrets", "header_secrets")

    api: Literal["platform", "one"] = Field(
        default="platform", description="The API that sends: platform or one. Callbacks of both are read."
    )
    header_secrets: Secrets = Field(
        default_factory=list,
        description="Value of the custom header of the callbacks; several while it is being changed.",
    )
    secret_header: str = Field(
        default="X-Webhook-Secret",
        pattern=r"^[A-Za-z0-9-]+$",
        description="Name of the custom header that holds one of header_secrets.",
    )
    api_key: SecretStr | None = Field(default=None, description="API key of the integration that sends.")

    @model_validator(mode="after")
    def _can_send(self) -> Self:
        if self.api_key is not None and not self.api_key.get_secret_value().strip():
            raise ValueError("api_key is empty: give the key or remove it")
        return self


class Clickatell(Provider):
    """One Clickatell integration."""

    def __init__(self, settings: ClickatellSettings, net: Outgoing) -> None:
        self._api_name = settings.api
        self._shared = SharedSecret(settings)
        self._header = settings.secret_header.lower()
        self._header_secrets = [secret.encode() for secret in revealed(settings.header_secrets)]
        self._replies = SenderReplies(settings)
        key = settings.api_key
        self._api = None if key is None else ClickatellApi(net, settings.api, key.get_secret_value())

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request carries every secret that is set."""
        self._shared.verify(request)
        if self._header_secrets and not self._has_header(request):
            raise NotAuthenticError("the header's secret is missing or wrong")

    def parse(self, request: WebhookRequest) -> Received:
        """Return what a verified callback holds; raise `CallerError` when it is none of Clickatell's."""
        if request.method == "GET":
            return read(read_query(request.url))
        return read(read_object(request.body))

    def refuse(self, request: WebhookRequest) -> Answer:  # noqa: ARG002 - every one is refused alike
        """Return 403, or ask for credentials where they are configured."""
        return self._shared.refusal()

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - only the toll-free network answers
        """Tell whether the toll-free network answers this message: Clickatell never does."""
        return answered(message, self._replies.of(message.sender))

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - replies go by REST
        """Return the acknowledgement."""
        return _ACKNOWLEDGED

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message by the API of the account."""
        if self._api is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        return self._api.send(message)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the callback with which Clickatell posts an SMS, with every secret that is set."""
        document = _platform(rehearsal) if self._api_name == "platform" else _one(rehearsal)
        headers = {"content-type": "application/json", **self._shared.headers()}
        if self._header_secrets:
            headers[self._header] = self._header_secrets[0].decode()
        url = self._shared.signed_url(rehearsal.url)
        return WebhookRequest("POST", url, headers, json.dumps(document).encode(), rehearsal.at)

    def _has_header(self, request: WebhookRequest) -> bool:
        given = request.headers.get(self._header, "").encode("utf-8", "replace")
        return any(hmac.compare_digest(given, secret) for secret in self._header_secrets)


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return the settings of a made-up account."""
    settings: dict[str, object] = {
        "provider": "clickatell",
        "basic": [made_up_credentials()],
        "url_secrets": [secrets.token_urlsafe(24)],
    }
    return settings, None


def _platform(rehearsal: Rehearsal) -> Fields:
    return {
        "messageId": rehearsal.message_id,
        "fromNumber": rehearsal.origin.removeprefix("+"),
        "toNumber": rehearsal.sender.removeprefix("+"),
        "text": rehearsal.text,
        "timestamp": rehearsal.at // MILLISECOND,
        "charset": "UTF-8",
    }


def _one(rehearsal: Rehearsal) -> Fields:
    message = {
        "channel": "sms",
        "messageId": rehearsal.message_id,
        "relatedMessageId": None,
        "from": rehearsal.origin.removeprefix("+"),
        "to": rehearsal.sender.removeprefix("+"),
        "timestamp": rehearsal.at // MILLISECOND,
        "content": rehearsal.text,
        "charset": "UTF-8",
    }
    return {"integrationId": "rehearsal", "integrationName": "rehearsal", "event": {"moText": [message]}}
