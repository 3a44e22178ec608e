"""AWS End User Messaging SMS: two-way messages and delivery events through Amazon SNS, sending by API.

Sources: AWS, "Two-way SMS messaging", "Keywords", "Required opt-out keywords", "SMS event data", "Confirm the
subscription".
"""

from collections.abc import Sequence

from gateway.errors import CallerError, OurTroubleError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Call, NothingSentError, OutcomeUnknownError, Outgoing
from gateway.providers.aws_certificates import FETCH_SECONDS, Certificates
from gateway.providers.aws_rehearsal import rehearsal_account, signed
from gateway.providers.aws_rest import Api, ApiKey, OptedOutNumbers, Sending, send
from gateway.providers.aws_settings import AwsSettings
from gateway.providers.aws_sns import (
    Envelope,
    EnvelopeKind,
    EnvelopeVerifier,
    confirmation_url,
    read_envelope,
)
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
from gateway.providers.opt_outs import OptOutList
from gateway.providers.payload import Fields, found, identifier, read_object, required, text
from gateway.providers.provider_replies import SenderReplies, answered
from gateway.providers.times import from_iso

__all__ = ["Aws", "AwsSettings", "rehearsal_account"]

_ACKNOWLEDGED = Answer(200, "text/plain; charset=utf-8", b"")
_OK = range(200, 300)

_OPT_OUT_WORDS = frozenset(
    {"ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD", "UNSUBSCRIBE"}
)
_HELP = "HELP"
# The keyword that stands for "none of the number's keywords" carries the number of the AWS account.
_NO_KEYWORD = "KEYWORD_"
_UNDER_WAY = frozenset({"TEXT_PENDING", "TEXT_QUEUED", "TEXT_SENT", "TEXT_SUCCESSFUL", "TEXT_DELIVERED"})
_OPTED_OUT = "opted out"


class Aws(Provider):
    """One AWS account."""

    def __init__(self, settings: AwsSettings, net: Outgoing) -> None:
        self._settings = settings
        self._net = net
        certificates = Certificates(net, settings.certificates)
        self._verifier = EnvelopeVerifier(settings.topics, certificates, settings.maximum_age_seconds)
        self._replies = SenderReplies(settings)
        self._opt_out_words = _OPT_OUT_WORDS | {word.strip().upper() for word in settings.opt_out_keywords}
        self._api = _api(settings, net)

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless AWS signed the request for one of the account's topics.

        Raises `OurTroubleError` when the signing certificate cannot be fetched: SNS drops what gets a 4xx.
        """
        self._verifier.verified(request.body, request.received_at)

    def parse(self, request: WebhookRequest) -> Received:
        """Return what a verified request holds; confirm the subscription when it asks for that.

        Raises `CallerError` for a message without id or ends, and `OurTroubleError` when the confirmation fails.
        """
        return self._read(read_envelope(request.body))

    def receive(self, request: WebhookRequest) -> Received:
        """Verify, then parse, reading the envelope once."""
        return self._read(self._verifier.verified(request.body, request.received_at))

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - AWS goes by its keywords, not by our reading
        """Tell whether AWS or the toll-free network answers this message, so that we stay silent."""
        return answered(message, self._replies.of(message.sender), self._opt_out_words | {_HELP})

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - SNS takes no replies
        """Return the acknowledgement."""
        return _ACKNOWLEDGED

    def send(self, message: OutboundMessage) -> SendResult:
        """Send by `SendTextMessage`, at most 1600 characters. Never raises for what AWS or the network does."""
        if self._api is None:
            return SendResult(SendOutcome.REFUSED, error_code="no_credentials")
        return send(
            self._api, Sending(self._settings.message_type, self._settings.configuration_set), message
        )

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the notification of SNS, signed with the rehearsal's key; raises `CannotRehearseError`."""
        return signed(self._settings.topics[0], rehearsal)

    @property
    def opt_outs(self) -> OptOutList | None:
        """The opt-out list of the numbers; None without an access key."""
        return None if self._api is None else OptedOutNumbers(self._api, self._settings.opt_out_list)

    def _read(self, envelope: Envelope) -> Received:
        if envelope.kind is EnvelopeKind.SUBSCRIPTION:
            self._confirm(confirmation_url(envelope))
        if envelope.kind is not EnvelopeKind.NOTIFICATION:
            return Received()
        try:
            event = read_object(envelope.fields["Message"].encode())
        except CallerError:
            return Received()  # of another publisher
        if "originationNumber" in event:
            return Received(messages=(self._message(event, envelope),))
        if "eventType" in event:
            return Received(statuses=_statuses(event))
        return Received()

    def _message(self, event: Fields, envelope: Envelope) -> InboundMessage:
        origin, sender = required(event, "originationNumber"), required(event, "destinationNumber")
        keyword = identifier(event, "messageKeyword").upper()
        matched = bool(keyword) and not keyword.startswith(_NO_KEYWORD)
        managed = self._replies.of(business_end(sender)) is not ProviderReplies.NONE
        return InboundMessage(
            message_id=identifier(event, "inboundMessageId") or envelope.fields["MessageId"],
            address=person(origin),
            origin=origin,
            sender=business_end(sender),
            text=text(event, "messageBody"),
            said_at=from_iso(envelope.fields["Timestamp"]),
            # Under self-managed opt-outs AWS blocks nobody, and "END" only begins a sentence.
            verdict=self._verdict(keyword) if managed else None,
            provider_replied=matched and managed,
        )

    def _verdict(self, keyword: str) -> ReadingClass | None:
        """Return AWS's verdict. That it has lifted its block for a START is no proof of consent."""
        if keyword in self._opt_out_words:
            return ReadingClass.OPT_OUT
        return ReadingClass.HELP if keyword == _HELP else None

    def _confirm(self, url: str) -> None:
        try:
            returned = self._net.call(Call("GET", url, timeout=FETCH_SECONDS))
        except (NothingSentError, OutcomeUnknownError) as error:
            raise OurTroubleError("the subscription could not be confirmed") from error
        if returned.status not in _OK:
            raise OurTroubleError(f"SNS answered {returned.status} to the confirmation of the subscription")


def _api(settings: AwsSettings, net: Outgoing) -> Api | None:
    if settings.access_key_id is None or settings.secret_access_key is None:
        return None
    token = settings.session_token.get_secret_value() if settings.session_token else None
    key = ApiKey(settings.access_key_id, settings.secret_access_key.get_secret_value(), token)
    return Api(net, settings.numbers_region, key)


def _statuses(event: Fields) -> tuple[DeliveryStatus, ...]:
    """Return what became of a message of ours; nothing for events of calls and of registrations."""
    kind = identifier(event, "eventType")
    if not kind.startswith(("TEXT_", "MEDIA_")):
        return ()
    return (
        DeliveryStatus(
            message_id=required(event, "messageId"),
            address=person(identifier(event, "destinationPhoneNumber")),
            sender=business_end(identifier(event, "originationPhoneNumber")),
            status=found(event, "messageStatus") or kind,
            error_code=None if kind in _UNDER_WAY else kind,
            opted_out=_OPTED_OUT in found(event, "messageStatusDescription").lower(),
        ),
    )
