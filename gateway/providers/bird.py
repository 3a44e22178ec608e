"""Bird, formerly MessageBird: three generations of its interface behind one kind; the setting `api` tells which.

Bird answers its keywords by itself, in every generation (Bird, "Opt-out keywords").
"""

import base64
import secrets
from collections.abc import Sequence
from typing import ClassVar, Protocol

from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Call, Outgoing
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
from gateway.providers.bird_legacy import Legacy
from gateway.providers.bird_notifications import Notifications
from gateway.providers.bird_opt_outs import Suppressions
from gateway.providers.bird_settings import BirdSettings, Generation
from gateway.providers.bird_sms import Sms
from gateway.providers.opt_outs import OptOutList
from gateway.providers.payload import found
from gateway.providers.provider_replies import SenderReplies, answered, is_toll_free
from gateway.providers.rest import Attempt, attempt
from gateway.providers.standard_webhooks import PREFIX

__all__ = ["Bird", "BirdSettings", "rehearsal_account"]

_OPT_OUT_WORDS = frozenset({"STOP", "STOPALL", "END", "QUIT", "CANCEL", "UNSUBSCRIBE", "ARRET"})
_WORDS = _OPT_OUT_WORDS | {"START", "BEGIN", "RESUME", "REVERT", "UNSTOP", "HELP", "INFO"}
_LONG_CODE_WORDS = _WORDS | {"YES"}  # opts in on 10DLC numbers only

_ACKNOWLEDGED = Answer(200, "text/plain; charset=utf-8", b"OK")


class _Interface(Protocol):
    """What differs from one generation to the next."""

    opt_out_code: ClassVar[str | None]  # of a refused send: the person has opted out

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` for a forged request."""

    def parse(self, request: WebhookRequest) -> Received:
        """Return what a verified request holds; raise `CallerError`."""

    def call(self, message: OutboundMessage, access_key: str) -> Call | None:
        """Return the call that sends a message, None when the account does not say from where."""

    def error_of(self, made: Attempt) -> str:
        """Return the error code of a refused send."""

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the signed request of a message."""


_INTERFACES: dict[Generation, type[Legacy] | type[Notifications] | type[Sms]] = {
    Generation.LEGACY: Legacy,
    Generation.NOTIFICATIONS: Notifications,
    Generation.SMS: Sms,
}


class Bird(Provider):
    """One Bird account."""

    def __init__(self, settings: BirdSettings, net: Outgoing) -> None:
        self._settings = settings
        self._net = net
        self._interface: _Interface = _INTERFACES[settings.api](settings)
        self._replies = SenderReplies(settings)
        self._access_key = settings.access_key.get_secret_value() if settings.access_key else None

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless a signing key of this account signed the request."""
        self._interface.verify(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return the message, status report or opt-out of a verified request; raise `CallerError` for neither."""
        return self._interface.parse(request)

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - Bird goes by the words, not by our reading of them
        """Tell whether Bird or the toll-free network answers this message, so that we stay silent."""
        is_long_code = message.sender.startswith("+1") and not is_toll_free(message.sender)
        words = _LONG_CODE_WORDS if is_long_code else _WORDS
        return answered(message, self._replies.of(message.sender), words)

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - Bird takes no replies inline
        """Return the acknowledgement, with the body that the first generation asks for."""
        return _ACKNOWLEDGED

    def send(self, message: OutboundMessage) -> SendResult:
        """Send by REST. Never raises for what Bird or the network does."""
        if self._access_key is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        call = self._interface.call(message, self._access_key)
        if call is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_channel")
        made = attempt(self._net, call)
        code = self._interface.error_of(made)
        if made.outcome is SendOutcome.REFUSED and code == self._interface.opt_out_code:
            return SendResult(SendOutcome.OPTED_OUT, error_code=code)
        return made.result(message_id=found(made.document, "id"), error_code=code)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the request with which this generation delivers an SMS, signed with the first key."""
        return self._interface.rehearse(rehearsal)

    @property
    def opt_outs(self) -> OptOutList | None:
        """Bird's suppressions, which the third generation shows; None otherwise, and without an access key."""
        if self._settings.api is not Generation.SMS or self._access_key is None:
            return None
        return Suppressions(self._settings, self._access_key, self._net)


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return the settings of a made-up account, as in TOML. Bird signs with no private key."""
    key = PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()
    return {"provider": "bird", "api": "sms", "signing_keys": [key]}, None
