"""What goes in and out of `/v1`, typed. The requests are checked by these models; the answers are described.

A request's model is called after the place it comes from (`…Path`, `…Query`, `…Body`): errors name it.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gateway.consent.address import Address, AddressError, Channel
from gateway.consent.choice import Choice, Purpose
from gateway.consent.decision import Reason
from gateway.flows.replies import ReplyKey
from gateway.flows.status import Caveat
from gateway.keywords.reading import Band, Reach, ReadingClass
from gateway.settings import StopScope
from gateway.web.problem import InvalidInputError

MOST_EVENTS = 200
MOST_TEXT = 10_000

_TIME = "RFC 3339, UTC, with microseconds."
_EVENT = "Event that decided: subject and number."
_SLUG = "A program's slug, or * for all programs."


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Output(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _example(value: dict[str, Any]) -> Any:
    """Return the configuration of a model with an example for the API's description."""
    return {"openapi_extra": {"example": value}}


class ConsentPath(_Input):
    """Which address."""

    channel: Channel = Field(description="The channel.", json_schema_extra={"example": "sms"})
    address: str = Field(
        description=(
            "Number in E.164 (the plus may be percent-encoded, raw or left out), mailbox, or id. A slash in "
            "it stays as it is or is percent-encoded."
        ),
        json_schema_extra={"example": "+15550100123"},
    )

    def target(self) -> Address:
        """Return the address in normal form; raise `InvalidInputError` when it is none of the channel."""
        try:
            return Address.parse(self.channel, self.address)
        except AddressError as error:
            raise InvalidInputError("path", ("address",), str(error)) from None


class StatusQuery(_Input):
    """Which programs."""

    program: str | None = Field(default=None, description=f"Only this one. {_SLUG}")


class EventsQuery(_Input):
    """Which page of the timeline."""

    before: int | None = Field(
        default=None, ge=1, lt=2**63, description="Events before this seq: `next_before` of the page before."
    )
    limit: int = Field(default=50, ge=1, le=MOST_EVENTS, description="Most events to return.")


class CheckBody(_Input):
    """Whom to check."""

    model_config = _example(
        {"channel": "sms", "program": "offers", "addresses": ["+15550100123", "+15550100124"]}
    )

    channel: Channel
    program: str = Field(default="*", max_length=63, description=_SLUG)
    addresses: list[str] = Field(
        min_length=1, description="In any usual form. At most limits.check_addresses of the configuration."
    )


class LinksBody(_Input):
    """Whom to mint links for."""

    model_config = _example(
        {"program": "offers", "message": "autumn-2026", "recipients": ["kim@example.org", "lee@example.org"]}
    )

    program: str = Field(default="*", max_length=63, description=f"What the links unsubscribe from. {_SLUG}")
    recipients: list[str] = Field(
        min_length=1, description="Addresses. At most limits.link_recipients of the configuration."
    )
    channel: Channel = Field(default=Channel.EMAIL, description="Header fields are made for email only.")
    message: str = Field(
        default="", max_length=100, description="Your name of the message or campaign; kept as evidence."
    )


class InterpretBody(_Input):
    """What to read, and as whom."""

    model_config = _example({"text": "Stop please", "program": "offers"})

    text: str = Field(max_length=MOST_TEXT)
    sender: str | None = Field(
        default=None, max_length=256, description="Read it as this sender would. Not together with program."
    )
    program: str | None = Field(
        default=None, max_length=63, description="Read it as the program's first sender would."
    )
    pending_opt_in: bool = Field(
        default=False, description="The person was asked to confirm an opt-in (double opt-in)."
    )
    marketing: bool | None = Field(
        default=None,
        description="Whether it answers advertising. Absent: as messages to the sender are read.",
    )
    last_sent: str = Field(
        default="", max_length=MOST_TEXT, description="Our message that it answers: a copy of it is not read."
    )


class DecisionAnswer(_Output):
    """Whether the address may get a message of the program now, and why (not)."""

    program: str
    name: str | None = Field(description="Shown name; null for all programs.")
    purpose: Purpose
    allowed: bool
    reason: Reason
    ajo_code: str | None = Field(description="Adobe Journey Optimizer's code for the same exclusion.")
    scope: str | None = Field(description="Where the deciding word stands: *, @sender or program.")
    choice: Choice | None = Field(
        description="The deciding word; null when a default or suppression decided."
    )
    said_at: str | None = Field(description=f"When it was said. {_TIME}")
    event: str | None = Field(description=_EVENT)
    source: str | None = Field(description="By which way the word came.")
    rule: str | None = Field(description="Name and version of the rule that read it.")
    default_choice: Choice = Field(description="What the program takes silence for.")
    by_default: bool = Field(description="Nobody's word decided, but the default choice.")
    warning: Caveat | None = Field(
        description="carrier_may_block: allowed, but a STOP to its sender stands; carriers block by number."
    )


class StateAnswer(_Output):
    """The word that stands in one scope, and the event in which it was said."""

    scope: str
    choice: Choice
    said_at: str = Field(description=_TIME)
    event: str = Field(description=_EVENT)
    klass: str | None = Field(alias="class")
    source: str | None
    rule: str | None
    account: str | None
    message_id: str | None
    received_at: str | None = Field(description=_TIME)


class SuppressionAnswer(_Output):
    """A delivery reason against sending, beside consent."""

    reason: str
    since: str = Field(description=_TIME)
    source: str


class StatusAnswer(_Output):
    """All that is known of an address. One that is unknown has the same shape."""

    channel: Channel
    address: str = Field(description="In normal form.")
    subject: str = Field(description="The key that stands for the address, in hex.")
    known: bool = Field(description="There is an event or a suppression.")
    last_event: str | None = Field(description="Newest event.")
    decisions: list[DecisionAnswer]
    states: list[StateAnswer]
    suppressions: list[SuppressionAnswer]


class EventAnswer(_Output):
    """One event of the ledger with its evidence."""

    event: str
    seq: int
    klass: str = Field(alias="class")
    choice: Choice | None
    scopes: list[str]
    sender: str | None
    source: str
    rule: str
    said_at: str = Field(description=_TIME)
    received_at: str = Field(description=_TIME)
    recorded_at: str = Field(description=_TIME)
    account: str
    message_id: str
    actor: str | None
    reply: str | None = Field(description="Which text we answered with.")
    text: str | None = Field(description="The raw text; null after erasure.")
    evidence: Any = Field(description="How it was read, or where it came from; null after erasure.")


class EventsAnswer(_Output):
    """A page of the timeline, newest first."""

    channel: Channel
    address: str
    subject: str
    events: list[EventAnswer]
    next_before: int | None = Field(description="`before` of the next page; null on the last.")


class CheckResultAnswer(_Output):
    """The decision for one address."""

    address: str | None = Field(description="In normal form; null when it is no address.")
    allowed: bool
    reason: Reason | None
    ajo_code: str | None
    scope: str | None
    choice: Choice | None
    said_at: str | None = Field(description=_TIME)
    event: str | None = Field(description=_EVENT)
    by_default: bool
    warning: Caveat | None
    error: str | None = Field(description="Why it is no address.")


class CheckAnswer(_Output):
    """One result for each address, in the order they were given."""

    channel: Channel
    program: str
    name: str | None
    purpose: Purpose
    default_choice: Choice
    results: list[CheckResultAnswer]


class LinkAnswer(_Output):
    """A recipient's link, and the header fields that belong into the message, unfolded and under DKIM."""

    address: str | None
    url: str | None = Field(description="The page; a POST to it is RFC 8058's one-click.")
    headers: dict[str, str]
    error: str | None


class LinksAnswer(_Output):
    """One link for each recipient, in the order they were given."""

    channel: Channel
    program: str
    links: list[LinkAnswer]


class InterpretationAnswer(_Output):
    """What the text would mean, and what would be done upon it. Nothing was recorded."""

    klass: ReadingClass = Field(alias="class")
    band: Band
    reach: Reach
    program: str | None
    choice: Choice | None = Field(description="What would be recorded.")
    scopes: list[str] = Field(description="What the word would cover.")
    reply: ReplyKey | None = Field(description="Which reply we would owe, if the provider does not answer.")
    reply_text: str | None
    rule: str = Field(description="Name and version of the rule that fired.")
    language: str | None
    keyword: str | None = Field(
        description="The keyword; or the phrase or, of a guarded one, the guard, as its language file has it."
    )
    span: tuple[int, int] | None = Field(description="Code points of the text that decided.")
    stages: list[str] = Field(description="Stages passed; the last one decided.")
    sender: str | None = Field(description="Whose programs, languages and keywords were used.")
    marketing: bool = Field(description="Whether it was read as an answer to advertising.")


class ProgramAnswer(_Output):
    """A configured program."""

    program: str
    name: str
    purpose: Purpose
    default_choice: Choice
    senders: list[str]
    languages: list[str]
    stop_scope: StopScope
    double_opt_in: bool
    path: list[str] = Field(description="Scopes whose words bind it.")


class ProgramsAnswer(_Output):
    """The configured programs."""

    programs: list[ProgramAnswer]
