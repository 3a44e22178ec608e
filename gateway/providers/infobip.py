"""Infobip: inbound messages in batches, replies by REST, the blocklist.

Sources: Infobip, "Receive SMS", "Subscriptions", "Keywords and actions", "Blocklist".
"""

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self

from pydantic import Field, SecretStr, model_validator

from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Outgoing
from gateway.providers.base import (
    Answer,
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
from gateway.providers.infobip_inbound import read
from gateway.providers.infobip_rest import Blocklist, InfobipApi
from gateway.providers.opt_outs import OptOutList
from gateway.providers.provider_replies import SenderReplies, answered
from gateway.providers.shared_secret import SharedSecret, SharedSecretSettings, made_up_credentials
from gateway.providers.times import MILLISECOND

_ACKNOWLEDGED = Answer(200, "text/plain; charset=utf-8", b"")


class InfobipSettings(SharedSecretSettings):
    """An Infobip account."""

    base_url: str | None = Field(
        default=None,
        pattern=r"^https://[^/]+$",
        description="Base URL of the account's API, https://xxxxx.api.infobip.com, from the Infobip portal.",
    )
    api_key: SecretStr | None = Field(
        default=None,
        description="API key that sends, and that reads and writes the blocklist (scope blocklist:manage).",
    )

    @model_validator(mode="after")
    def _can_send(self) -> Self:
        if (self.base_url is None) != (self.api_key is None):
            raise ValueError("base_url and api_key go together: give both or neither")
        if self.api_key is not None and not self.api_key.get_secret_value().strip():
            raise ValueError("api_key is empty: give the key or remove it")
        return self


class Infobip(Provider):
    """One Infobip account."""

    def __init__(self, settings: InfobipSettings, net: Outgoing) -> None:
        self._shared = SharedSecret(settings)
        self._replies = SenderReplies(settings)
        self._api = _api(settings, net)

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request carries the credentials and the secret that are set."""
        self._shared.verify(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return what a verified batch holds; raise `CallerError` when it is no batch."""
        return read(request.body, self._answers_keywords)

    def refuse(self, request: WebhookRequest) -> Answer:  # noqa: ARG002 - every one is refused alike
        """Return 403, or ask for credentials where they are configured."""
        return self._shared.refusal()

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - Infobip goes by its keywords
        """Tell whether Infobip or the toll-free network answers this message: by default Infobip does not."""
        return answered(message, self._replies.of(message.sender))

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - replies go by REST
        """Return the acknowledgement."""
        return _ACKNOWLEDGED

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message by the API, under our reference as its id."""
        if self._api is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        return self._api.send(message)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the request with which Infobip forwards an SMS, with the first credentials and secret."""
        body = json.dumps({"results": [_result(rehearsal)], "messageCount": 1, "pendingMessageCount": 0})
        headers = {"content-type": "application/json", **self._shared.headers()}
        url = self._shared.signed_url(rehearsal.url)
        return WebhookRequest("POST", url, headers, body.encode(), rehearsal.at)

    @property
    def opt_outs(self) -> OptOutList | None:
        """The blocklist, where there is a key to it."""
        return None if self._api is None else Blocklist(self._api)

    def _answers_keywords(self, sender: str) -> bool:
        """Tell whether a keyword that Infobip has found there is the marker of its own answer."""
        return self._replies.of(sender) is ProviderReplies.MARKER


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return the settings of a made-up account."""
    settings: dict[str, object] = {
        "provider": "infobip",
        "basic": [made_up_credentials()],
        "url_secrets": [secrets.token_urlsafe(24)],
    }
    return settings, None


def _api(settings: InfobipSettings, net: Outgoing) -> InfobipApi | None:
    if settings.base_url is None or settings.api_key is None:
        return None
    return InfobipApi(net, settings.base_url, settings.api_key.get_secret_value())


def _result(rehearsal: Rehearsal) -> dict[str, object]:
    return {
        "messageId": rehearsal.message_id,
        "from": rehearsal.origin.removeprefix("+"),
        "to": rehearsal.sender.removeprefix("+"),
        "text": rehearsal.text,
        "cleanText": rehearsal.text,
        "keyword": "",
        "receivedAt": _written(rehearsal.at),
        "smsCount": 1,
        "price": {"pricePerMessage": 0, "currency": "EUR"},
        "callbackData": "",
    }


def _written(at: int) -> str:
    """Write a time as Infobip does: milliseconds, and no colon in the offset."""
    seconds, milliseconds = divmod(at // MILLISECOND, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03}+0000"
