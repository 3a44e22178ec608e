"""An event: one row of the ledger. Something was said or done that bears on consent, with its evidence."""

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
    SILENCE = "silence"  # a clarifying question was not answered


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


def canonical(event: Event) -> bytes:
    """Return the bytes that the chain covers: every field but the personal ones and `chain` itself.

    Numbers and digests have forms of their own; a text stands behind its length, so that no two events
    have the same bytes.
    """
    e = event
    actor, reply = _text(e.actor), _text(e.reply)
    return (
        f"{e.subject.hex()} {e.seq} {e.said_at} {e.received_at} {e.recorded_at} {e.digest.hex()} "
        f"{e.choice or '-'} {len(e.account)}:{e.account} {len(e.message_id)}:{e.message_id} "
        f"{len(e.klass)}:{e.klass} {len(e.scope)}:{e.scope} {len(e.sender)}:{e.sender} "
        f"{len(e.source)}:{e.source} {len(e.rule)}:{e.rule} {actor} {reply}"
    ).encode()


def personal(text: str | None, evidence: str | None) -> bytes:
    """Return the bytes that the digest covers."""
    return f"{_text(text)} {_text(evidence)}".encode()


def _text(value: str | None) -> str:
    return "-" if value is None else f"{len(value)}:{value}"
