"""Vonage (Nexmo): inbound messages and delivery receipts of the SMS API and of the Messages API.

Sources: Vonage, "Signing messages", "Webhooks", "Inbound SMS", "Opt-Out Assist".
"""

import re
import secrets
from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from pydantic import ConfigDict, Field, SecretStr, model_validator

from gateway.errors import NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Outgoing
from gateway.providers.account import AccountSettings
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
from gateway.providers.provider_replies import SenderReplies, answered
from gateway.providers.shared_secret import Secrets, revealed
from gateway.providers.vonage_messages import MessagesApi
from gateway.providers.vonage_rest import RestClient
from gateway.providers.vonage_signature import Method, ParameterSignature, TryAgainError
from gateway.providers.vonage_sms import SmsApi

# Vonage tries for 24 hours, and does not say that it stamps each try anew. A repetition is a duplicate by its id.
_TOLERANCE_SECONDS = 25 * 3600

# Opt-Out Assist serves the US and Canada. These are the words of short codes; 10DLC campaigns may add others.
_ASSIST_WORDS = frozenset({"STOP", "END", "QUIT", "CANCEL", "UNSUBSCRIBE", "START", "JOIN", "HELP"})
_ASSISTED = re.compile(r"\+1[0-9]{10}|[0-9]{5,6}", re.ASCII)

_DONE = Answer(200, "text/plain; charset=utf-8", b"")
_FORBIDDEN = Answer(403, "text/plain; charset=utf-8", b"")
# Vonage gives a request up at a 4xx, and comes again after a 5xx.
_TRY_AGAIN = Answer(503, "text/plain; charset=utf-8", b"")


class Api(StrEnum):
    """Vonage's two interfaces for messages."""

    MESSAGES = "messages"
    SMS = "sms"


class VonageSettings(AccountSettings):
    """A Vonage account."""

    model_config = ConfigDict(hide_input_in_errors=True)

    provider_replies: ProviderReplies = Field(
        default=ProviderReplies.NONE,
        description=(
            "Who answers STOP, START and HELP: none (we answer) or auto (Vonage's Opt-Out Assist, which its "
            "support sets up for numbers and short codes of the US and Canada). Vonage marks nothing, so marker "
            "is the same as none."
        ),
    )
    api: Api = Field(
        description=(
            "Which interface delivers and sends: messages (Messages API, with an application) or sms (SMS API). "
            "It stands in Vonage's dashboard under API settings, as default SMS setting."
        )
    )
    api_key: str = Field(pattern=r"^\w+$", description="API key of the account.")
    signature_secrets: Secrets = Field(
        description=(
            "Signature secret of the account, from API settings, or several while it is being changed. It is "
            "not the API secret."
        )
    )
    signature_method: Method | None = Field(
        default=None,
        description=(
            "For api = sms: the signature method of the account, from API settings: md5hash (MD5 hash), or md5, "
            "sha1, sha256 or sha512 (HMAC). A request that is signed by another method is refused."
        ),
    )
    tolerance_seconds: int = Field(
        default=_TOLERANCE_SECONDS,
        ge=1,
        le=7 * 86_400,
        description=(
            "How far the time of a signature may be from now. Vonage repeats an unanswered request for 24 hours; "
            "less than that can lose an opt-out of an outage."
        ),
    )
    api_secret: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="API secret, to send replies. Without one the account only receives.",
    )
    api_url: str | None = Field(
        default=None,
        pattern=r"^https://[^/?#]+$",
        description="Vonage's host to send through, such as https://api-eu.vonage.com, if not the default one.",
    )

    @model_validator(mode="after")
    def _can_prove(self) -> Self:
        """Fail closed: without a secret, or with an empty one, anybody could sign."""
        if not self.signature_secrets:
            raise ValueError("signature_secrets is empty: give the signature secret of the account")
        if not all(secret.strip() for secret in revealed(self.signature_secrets)):
            raise ValueError("an entry of signature_secrets is empty: give its secret or remove it")
        if self.api is Api.SMS and self.signature_method is None:
            raise ValueError("signature_method is missing: give the one that the dashboard shows")
        return self


class Vonage(Provider):
    """One Vonage account."""

    def __init__(self, settings: VonageSettings, net: Outgoing) -> None:
        self._api = _interface(settings)
        self._replies = SenderReplies(settings)
        self._rest = _rest_client(settings, net)
        self._sends_by_sms_api = settings.api is Api.SMS

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless a secret of this account signed the request, lately enough."""
        self._api.verify(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return the message or receipt of a verified request; raise `CallerError` when it lacks an id or end."""
        return self._api.parse(request)

    def receive(self, request: WebhookRequest) -> Received:
        """Verify, then parse, reading the parameters once."""
        return self._api.receive(request)

    def refuse(self, request: WebhookRequest) -> Answer:
        """Return 403 for a forged request, and 503 for one that Vonage may have sent, so that it comes again.

        A request without any content is Vonage's look at a URL that is being saved: it wants 200.
        """
        if not request.body and "?" not in request.url:
            return _DONE
        try:
            self._api.verify(request)
        except TryAgainError:
            return _TRY_AGAIN
        except NotAuthenticError:
            return _FORBIDDEN
        return _FORBIDDEN

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - Vonage goes by the words
        """Tell whether Opt-Out Assist or the toll-free network answers this message, so that we stay silent."""
        assisted = _ASSISTED.fullmatch(message.sender) is not None
        words = _ASSIST_WORDS if assisted else frozenset[str]()
        return answered(message, self._replies.of(message.sender), words)

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - Vonage takes no replies inline
        """Return the acknowledgement."""
        return _DONE

    def send(self, message: OutboundMessage) -> SendResult:
        """Send by the account's API. Never raises for what Vonage or the network does."""
        if self._rest is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        if self._sends_by_sms_api:
            return self._rest.send_sms(message)
        return self._rest.send_message(message)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the request with which Vonage delivers an SMS, signed with the first secret."""
        return self._api.rehearse(rehearsal)


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return settings of a made-up account; its signature secret signs the webhooks."""
    settings: dict[str, object] = {
        "provider": "vonage",
        "api": "messages",
        "api_key": secrets.token_hex(4),
        "signature_secrets": [secrets.token_urlsafe(32)],
    }
    return settings, None


def _interface(settings: VonageSettings) -> SmsApi | MessagesApi:
    proofs = revealed(settings.signature_secrets)
    if settings.api is Api.SMS and settings.signature_method is not None:
        signature = ParameterSignature(proofs, settings.signature_method, settings.tolerance_seconds)
        return SmsApi(signature, settings.api_key)
    from gateway.providers.vonage_token import TokenSignature  # noqa: PLC0415 - a tenth of a second for its library

    return MessagesApi(TokenSignature(proofs, settings.api_key, settings.tolerance_seconds))


def _rest_client(settings: VonageSettings, net: Outgoing) -> RestClient | None:
    if settings.api_secret is None:
        return None
    return RestClient(net, settings.api_key, settings.api_secret.get_secret_value(), settings.api_url)
