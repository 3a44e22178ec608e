"""The contract of an SMS provider: verify, parse, answer, send. Pure: no database, no Flask, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.consent.address import Address
from gateway.keywords.reading import ReadingClass


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

    @property
    def content_type(self) -> str:
        """Media type without parameters, lower case; "" when the header is absent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


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


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """What became of a message of ours. `opted_out`: the provider refuses since the person opted out there."""

    message_id: str
    address: Address | None
    sender: str
    status: str
    error_code: str | None = None
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP answer that the provider understands."""

    status: int
    content_type: str
    body: bytes
    headers: Sequence[tuple[str, str]] = field(default=())


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


class Provider(Protocol):
    """One configured account of one provider kind."""

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request proves that it comes from the provider."""

    def parse(self, request: WebhookRequest) -> Sequence[InboundMessage]:
        """Return the messages of a verified request; raise `CallerError` when it is malformed."""

    def receive(self, request: WebhookRequest) -> Sequence[InboundMessage]:
        """Verify, then parse, reading the body once; raise what both raise. The hot path calls this."""
        self.verify(request)
        return self.parse(request)

    def parse_status(self, request: WebhookRequest) -> Sequence[DeliveryStatus]:
        """Return the delivery reports of a verified status callback."""

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:
        """Tell whether the provider answers this keyword, so that we stay silent."""

    def answer(self, texts: Sequence[str]) -> Answer:
        """Return the acknowledgement, carrying the replies where the provider takes them inline."""

    def send(self, message: "OutboundMessage") -> SendResult:
        """Send one message by the provider's API."""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A reply to send by the provider's API."""

    address: Address
    sender: str
    text: str
    service: str | None = None
