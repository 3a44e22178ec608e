"""The contract of an SMS provider: verify, parse, answer, send. Pure: no database, no Flask, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.consent.address import Address
from gateway.errors import CallerError
from gateway.keywords.reading import ReadingClass
from gateway.providers.opt_outs import OptOutList


class ProviderReplies(StrEnum):
    """Who answers keywords on a sender: the provider by itself, only where it marks it, or nobody but us."""

    AUTO = "auto"
    MARKER = "marker"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A request as it came over the wire. Header names are lower case; `url` is the public URL, undecoded."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: int = 0  # microseconds UTC; windows against replay are measured from it

    @property
    def content_type(self) -> str:
        """Media type without parameters, lower case; "" when the header is absent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a long message that the provider delivers in pieces; counted from 1."""

    reference: str  # the same for all parts of one message from this person to this sender
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message that a person sent to the business."""

    message_id: str
    address: Address | None  # None: no person's address (short code, alphanumeric): stored, never acted on
    origin: str  # the person's end as the provider wrote it
    sender: str  # the business's end, E.164, short code or alphanumeric id
    text: str
    said_at: int | None = None  # provider's time, microseconds UTC; None where it tells none
    verdict: ReadingClass | None = None  # the provider's own reading
    provider_replied: bool = False  # the provider has marked that it answers by itself
    media: int = 0
    service: str | None = None  # messaging service or profile of the sender, where it has one
    part: Part | None = None  # None: the text is whole


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """What became of a message of ours, or of a person's standing at the provider.

    `opted_out`: the provider refuses since the person opted out there, or tells that the person did.
    """

    message_id: str
    address: Address | None
    sender: str
    status: str
    error_code: str | None = None
    opted_out: bool = False
    said_at: int | None = None  # when the person opted out, microseconds UTC; None where that is not told


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP answer that the provider understands."""

    status: int
    content_type: str
    body: bytes
    headers: Sequence[tuple[str, str]] = field(default=())


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A piece of an authentic webhook that could not be read. Operators see it; sending it again would not help."""

    reason: str  # without personal data
    piece: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """Everything that one authentic webhook holds. All of it empty: genuine, and nothing for us."""

    messages: Sequence[InboundMessage] = ()
    statuses: Sequence[DeliveryStatus] = ()
    unreadable: Sequence[Unreadable] = ()
    answer: Answer | None = (
        None  # what the provider waits for instead of the usual acknowledgement: a handshake
    )


class SendOutcome(StrEnum):
    """What a send by REST came to. `UNKNOWN` is never repeated: the message may have gone out."""

    SENT = "sent"
    OPTED_OUT = "opted_out"
    REFUSED = "refused"  # final
    BUSY = "busy"  # the provider took nothing; safe to repeat later
    UNKNOWN = "unknown"  # time-out after the request went out


@dataclass(frozen=True, slots=True)
class SendResult:
    """Outcome of one send, with the provider's message id or error code as evidence."""

    outcome: SendOutcome
    message_id: str | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A reply to send by the provider's API."""

    address: Address
    sender: str
    text: str
    service: str | None = None
    reference: str = ""  # ours, the same at every attempt: for providers that know one message by it


class CannotRehearseError(CallerError):
    """Only the provider itself can sign for this account."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A message to be delivered as the provider would deliver it."""

    url: str  # the public URL of the account's webhook
    origin: str  # the person's number, E.164
    sender: str  # the business's end
    text: str
    message_id: str
    at: int  # microseconds UTC
    signing_key: str | None = field(default=None, repr=False)  # the provider's private key, where it has one


_FORGED = Answer(403, "text/plain; charset=utf-8", b"")


class Provider(Protocol):
    """One configured account of one provider kind."""

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request proves that it comes from the provider.

        Raises `OurTroubleError` when it cannot be judged now, so that the provider tries again.
        """

    def parse(self, request: WebhookRequest) -> Received:
        """Return what a verified request holds; raise `CallerError` when nothing in it can be read."""

    def receive(self, request: WebhookRequest) -> Received:
        """Verify, then parse, reading the body once; raise what both raise. The hot path calls this."""
        self.verify(request)
        return self.parse(request)

    def parse_status(self, request: WebhookRequest) -> Received:
        """Return what a verified request at the address of delivery reports holds; raises as `parse`."""
        return self.parse(request)

    def nonce(self, request: WebhookRequest) -> str | None:  # noqa: ARG002 - most need none
        """Return a value that must not come again with other content.

        For signatures that do not cover the body. None where the signature covers everything: then a
        repetition is a duplicate, and the message's id tells.
        """
        return None

    def refuse(self, request: WebhookRequest) -> Answer:  # noqa: ARG002 - most do not look
        """Return the answer to a request that is not authentic."""
        return _FORGED

    def handshake(self, request: WebhookRequest) -> Answer | None:  # noqa: ARG002 - most have none
        """Return what an OPTIONS request of the provider waits for, such as CloudEvents' handshake; else None.

        It never brings a message. The provider checks by itself what it asks of the request.
        """
        return None

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:
        """Tell whether the provider answers this keyword, so that we stay silent."""

    def answer(self, texts: Sequence[str]) -> Answer:
        """Return the acknowledgement, carrying the replies where the provider takes them inline."""

    @property
    def takes_inline(self) -> bool:
        """Whether a reply can travel in the acknowledgement."""
        return False

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message by the provider's API. Never raises for what the provider or the network does."""

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the signed request with which the provider would deliver this message.

        For the demo and for an account's own test. Raises `CannotRehearseError` where only the provider
        holds the key and the rehearsal brings none.
        """

    @property
    def opt_outs(self) -> OptOutList | None:
        """The provider's own list of opt-outs, None where it has no interface to one."""
        return None
