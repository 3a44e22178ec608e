"""What a flow asks to be recorded, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.consent.address import Address
from gateway.consent.choice import Choice
from gateway.consent.event import Event


@dataclass(frozen=True, slots=True)
class Reply:
    """What we would answer the person. `key` names the text; `inline` replies travel in the response."""

    key: str
    text: str
    inline: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """Something said or done, before it has its place in the ledger.

    (subject, account, message_id) claims it: a second entry with the same claim changes nothing.
    `said_at` and `received_at` are microseconds UTC. `scope` is as `scope.join` writes it.
    """

    address: Address
    subject: bytes
    account: str
    message_id: str
    klass: str
    choice: Choice | None
    scope: str
    sender: str
    source: str
    rule: str
    said_at: int
    received_at: int
    text: str | None = None
    evidence: str | None = None
    actor: str | None = None
    reply: Reply | None = None
    only_if_new: bool = False  # leave no event when the same choice was said in every scope within a day
    only_over: Choice | None = None  # leave no event unless this choice stands in every scope
    # The same message read otherwise, where that depends on what the person said before.
    when_pending: "Entry | None" = None  # a double opt-in waits, asked for since `pending_since`
    when_consenting: "Entry | None" = None  # the person is in already, in every scope
    pending_since: int = 0


class Result(StrEnum):
    """What became of an entry."""

    RECORDED = "recorded"
    DUPLICATE = "duplicate"  # this message was recorded before
    UNCHANGED = "unchanged"  # it says what stands already, or what it would displace does not stand


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entry, the event if there is one, and the reply that is due to the person."""

    result: Result
    event: Event | None = None
    reply: Reply | None = None
