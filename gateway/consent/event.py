"""An event: one row of the ledger. Something was said or done that bears on consent, with its evidence."""

import json
from dataclasses import dataclass
from enum import StrEnum

from gateway.consent.choice import Choice


class Source(StrEnum):
    """By which way a word reached us."""

    KEYWORD = "keyword"  # an inbound message, read by us or by the provider
    PROVIDER = "provider"  # the provider told of an opt-out on its own list
    ONE_CLICK = "one_click"  # RFC 8058 POST by a mail client
    PAGE = "page"  # a person pressed the button on our page
    API = "api"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one subject.

    Times are microseconds since 1970 UTC: `said_at` by the provider's clock where it tells one, else the
    time of receipt. `text`, `evidence` and `salt` are personal and go at erasure; `digest` stays in their
    place, so that the chain still closes.
    """

    subject: bytes
    seq: int
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
    recorded_at: int
    actor: str | None
    reply: str | None
    text: str | None
    evidence: str | None
    salt: bytes | None
    digest: bytes
    chain: bytes

    @property
    def event_id(self) -> str:
        """Public name of the event: the subject key in hex, and its place in the subject's ledger."""
        return f"{self.subject.hex()}-{self.seq}"


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def canonical(event: Event) -> bytes:
    """Return the bytes that the chain covers: every field but the personal ones, in this order, as JSON."""
    return _encode(
        [
            event.subject.hex(),
            event.seq,
            event.account,
            event.message_id,
            event.klass,
            event.choice,
            event.scope,
            event.sender,
            event.source,
            event.rule,
            event.said_at,
            event.received_at,
            event.recorded_at,
            event.actor,
            event.reply,
            event.digest.hex(),
        ]
    ).encode()


def personal(text: str | None, evidence: str | None) -> bytes:
    """Return the bytes that the digest covers."""
    return _encode([text, evidence]).encode()
