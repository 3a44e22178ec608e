"""Azure Communication Services: SMS events through Event Grid, in its own schema or as CloudEvents.

Sources: Microsoft, "Azure Communication Services - SMS events", "Event Grid message delivery and retry",
"Endpoint validation with Event Grid event schema", "Endpoint validation with CloudEvents schema", "SMS FAQ".
"""

import hmac
import json
import re
import secrets
from collections.abc import Sequence
from typing import Any

from gateway.errors import CallerError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Outgoing
from gateway.providers.azure_entra import TokenVerifier, Trust
from gateway.providers.azure_rest import OptOuts, RestClient
from gateway.providers.azure_settings import AzureSettings
from gateway.providers.base import (
    Answer,
    CannotRehearseError,
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
from gateway.providers.opt_outs import OptOutList
from gateway.providers.payload import (
    Fields,
    as_object,
    each,
    found,
    identifier,
    inner,
    read_json,
    required,
    text,
)
from gateway.providers.provider_replies import SenderReplies, answered
from gateway.providers.shared_secret import SharedSecret, revealed
from gateway.providers.times import from_iso

_RECEIVED = "Microsoft.Communication.SMSReceived"
_REPORTED = "Microsoft.Communication.SMSDeliveryReportReceived"
_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
_BLOCKED = "sender blocked"  # "Sender blocked for given recipient.": the SMS FAQ, on opt-outs
_BLOCKED_CODE = "sender_blocked"
_DETAILS = 120  # characters of a failure's description that are kept

# Answered by Azure on short codes. On toll-free numbers the network answers, on other senders nobody.
_SHORT_CODE_WORDS = frozenset({"STOP", "START", "UNSTOP", "HELP"})
_NO_WORDS: frozenset[str] = frozenset()
_SHORT_CODE = re.compile(r"[0-9]{3,6}", re.ASCII)

_ORIGIN = re.compile(r"[A-Za-z0-9.:*-]{1,253}", re.ASCII)  # a host name, answered in a header

_DONE = Answer(200, "text/plain; charset=utf-8", b"")


class Azure(Provider):
    """One Communication Services resource."""

    def __init__(self, settings: AzureSettings, net: Outgoing) -> None:
        self._secret = SharedSecret(settings)
        self._header = settings.secret_header.lower()
        self._header_secrets = [secret.encode() for secret in revealed(settings.header_secrets)]
        self._tokens = _tokens(settings, net)
        self._replies = SenderReplies(settings)
        self._rest = _rest(settings, net)
        self._writes_opt_outs = settings.opt_out_api

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request carries every configured proof.

        Raises `OurTroubleError` while a token cannot be judged: Event Grid drops an event for a 401 or 403.
        """
        if request.method != "POST":
            raise NotAuthenticError("Event Grid delivers by POST only")
        self._prove(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return what a verified delivery holds, or the answer to a handshake; nothing for events of other kinds.

        Raises `CallerError` when the body is no JSON, or the handshake lacks its code.
        """
        value = read_json(request.body)
        events = value if isinstance(value, list) else [value]
        for event in events:
            if _kind(event) == _VALIDATION:
                return Received(answer=_validation(event))
        read, unread = each(events, _piece)
        return Received(
            messages=[piece for piece in read if isinstance(piece, InboundMessage)],
            statuses=[piece for piece in read if isinstance(piece, DeliveryStatus)],
            unreadable=unread,
        )

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """Permit CloudEvents to who knows the secret in the URL, or where there is none has the other proofs.

        "HTTP 1.1 Web Hooks for Event Delivery" section 4. Raises `OurTroubleError` as `verify`.
        """
        origin = request.headers.get("webhook-request-origin", "").strip()
        if not _ORIGIN.fullmatch(origin):
            return None
        try:
            # Delivery properties belong to deliveries: a handshake need not carry the header.
            (self._secret.verify if self._secret.is_set else self._prove)(request)
        except NotAuthenticError:
            return None
        return _permission(origin)

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - Azure goes by the words, not by our reading of them
        """Tell whether Azure or the toll-free network answers this message, so that we stay silent."""
        words = _SHORT_CODE_WORDS if _SHORT_CODE.fullmatch(message.sender) else _NO_WORDS
        return answered(message, self._replies.of(message.sender), words)

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - Azure takes no replies inline
        """Return the acknowledgement."""
        return _DONE

    def send(self, message: OutboundMessage) -> SendResult:
        """Send by REST, at most once for one reference. Never raises for what Azure or the network does."""
        if self._rest is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        return self._rest.send(message)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the event that Event Grid posts for an SMS, with the first secret of each kind.

        Raises `CannotRehearseError` where a token of Entra is required.
        """
        if self._tokens is not None:
            raise CannotRehearseError("only Microsoft Entra ID can issue the token of this account")
        headers = {"content-type": "application/json; charset=utf-8", "aeg-event-type": "Notification"}
        headers |= self._secret.headers()
        if self._header_secrets:
            headers[self._header] = self._header_secrets[0].decode()
        body = json.dumps([_event(rehearsal)]).encode()
        return WebhookRequest("POST", self._secret.signed_url(rehearsal.url), headers, body, rehearsal.at)

    @property
    def opt_outs(self) -> OptOutList | None:
        """Azure's list of opt-outs, which may be written; None unless `opt_out_api` is set."""
        return OptOuts(self._rest) if self._rest is not None and self._writes_opt_outs else None

    def _prove(self, request: WebhookRequest) -> None:
        self._secret.verify(request)
        if self._header_secrets and not self._has_header(request):
            raise NotAuthenticError("the secret header is missing or wrong")
        if self._tokens is not None:
            self._tokens.verify(request)

    def _has_header(self, request: WebhookRequest) -> bool:
        value = request.headers.get(self._header, "").strip().encode("utf-8", "replace")
        fitting = [hmac.compare_digest(value, secret) for secret in self._header_secrets]
        return any(fitting)


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return settings of a made-up account; the secret in the URL proves the webhooks."""
    return {"provider": "azure", "url_secrets": [secrets.token_urlsafe(24)]}, None


def _tokens(settings: AzureSettings, net: Outgoing) -> TokenVerifier | None:
    if settings.tenant_id is None:
        return None
    audiences = tuple(settings.audiences)
    trust = Trust(settings.authority, settings.tenant_id, audiences, settings.sender_app_id)
    return TokenVerifier(trust, net)


def _rest(settings: AzureSettings, net: Outgoing) -> RestClient | None:
    if settings.endpoint is None or settings.access_key is None:
        return None
    return RestClient(settings.endpoint, settings.access_key.get_secret_value(), net)


def _kind(event: object) -> str:
    """Return the type: `eventType` in Event Grid's schema, `type` in CloudEvents."""
    return found(event, "eventType") or found(event, "type")


def _validation(event: object) -> Answer:
    """Confirm the subscription: the caller knows the secret. Its `validationUrl` is never called."""
    code = found(event, "data", "validationCode")
    if not code:
        raise CallerError("validationCode is missing")
    return Answer(200, "application/json", json.dumps({"validationResponse": code}).encode())


def _permission(origin: str) -> Answer:
    headers = (("WebHook-Allowed-Origin", origin), ("WebHook-Allowed-Rate", "*"), ("Allow", "POST, OPTIONS"))
    return Answer(200, "text/plain; charset=utf-8", b"", headers)


def _piece(value: object) -> InboundMessage | DeliveryStatus | None:
    """Return what an event tells, None for one of another kind."""
    event = as_object(value)
    kind = _kind(event)
    if kind == _RECEIVED:
        return _message(inner(event, "data"), event)
    return _delivery(inner(event, "data"), event) if kind == _REPORTED else None


def _message(data: Fields, event: Fields) -> InboundMessage:
    origin = required(data, "from")
    return InboundMessage(
        message_id=identifier(data, "messageId") or required(event, "id"),
        address=person(origin),
        origin=origin,
        sender=business_end(required(data, "to")),
        text=text(data, "message"),
        said_at=_time(data, event),
    )


def _time(data: Fields, event: Fields) -> int | None:
    written = (data.get("receivedTimestamp"), event.get("eventTime"), event.get("time"))
    return next((at for value in written if (at := from_iso(value)) is not None), None)


def _delivery(data: Fields, event: Fields) -> DeliveryStatus:
    details = text(data, "deliveryStatusDetails").strip()
    status = text(data, "deliveryStatus").lower()
    blocked = _BLOCKED in details.lower()
    failure = details[:_DETAILS] if status == "failed" else ""
    return DeliveryStatus(
        message_id=identifier(data, "messageId") or required(event, "id"),
        address=person(required(data, "to")),
        sender=business_end(identifier(data, "from")),
        status=status,
        error_code=_BLOCKED_CODE if blocked else failure or None,
        opted_out=blocked,
    )


def _event(rehearsal: Rehearsal) -> dict[str, Any]:
    return {
        "id": f"event-{rehearsal.message_id}",
        "topic": "/subscriptions/rehearsal",
        "subject": f"/phonenumber/{rehearsal.sender.removeprefix('+')}",
        "eventType": _RECEIVED,
        "dataVersion": "1.0",
        "metadataVersion": "1",
        "data": {
            "messageId": rehearsal.message_id,
            "from": rehearsal.origin.removeprefix("+"),
            "to": rehearsal.sender.removeprefix("+"),
            "message": rehearsal.text,
            "segmentCount": 1,
        },
    }
