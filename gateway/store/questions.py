"""Clarifying questions that nobody has answered."""

from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Engine, Row, text

from gateway.consent import scope
from gateway.consent.address import Address, Channel
from gateway.consent.person import QUESTION
from gateway.store.snapshot import as_trouble

# An answer is a later word on consent to the same sender. The first condition is the index's. A question that
# surely never left is none: it waits in the outbox, or was dropped or refused there. One that travelled in the
# response to a webhook has no row there, and of one that may have left the result begins with "unknown".
_UNANSWERED = text(f"""
SELECT asked.subject, asked.seq, asked.account, asked.message_id, asked.sender, asked.said_at,
  asked.received_at, states.channel, states.address
FROM events AS asked JOIN states ON states.subject = asked.subject AND states.scope = :all
WHERE asked.reply = '{QUESTION}' AND asked.received_at <= :until
AND (asked.received_at, asked.subject, asked.seq) > (:received_at, :subject, :seq)
AND states.address IS NOT NULL
AND NOT EXISTS (
  SELECT 1 FROM outbox
  WHERE outbox.subject = asked.subject AND outbox.seq = asked.seq AND outbox.kind = 'reply'
  AND outbox.state <> 'done' AND substr(coalesce(outbox.result, ''), 1, 7) <> 'unknown')
AND NOT EXISTS (
  SELECT 1 FROM events AS later
  WHERE later.subject = asked.subject AND later.seq > asked.seq AND later.choice IS NOT NULL
  AND later.sender IN (asked.sender, ''))
ORDER BY asked.received_at, asked.subject, asked.seq LIMIT :limit
""")  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The place of a question in the order in which they were asked (microseconds UTC)."""

    received_at: int
    subject: bytes = b""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of whom: the claim of the unclear message, and when it was said (microseconds UTC)."""

    place: Place
    subject: bytes
    account: str
    message_id: str
    sender: str
    said_at: int
    address: Address = field(repr=False)


def unanswered(engine: Engine, *, after: Place, until: int, limit: int) -> list[Question]:
    """Return questions after a place, asked up to a time, that nobody has answered since, oldest first.

    Only those that left, or may have: who was not asked has not kept silent.

    Raises `OurTroubleError`.
    """
    values = {"all": scope.ALL, **asdict(after), "until": until, "limit": limit}
    with as_trouble("the questions could not be read"), engine.connect() as connection:
        rows = connection.execute(_UNANSWERED, values).all()
    return [_question(row) for row in rows]


def _question(row: Row[Any]) -> Question:
    address = Address(Channel(row.channel), row.address)
    place = Place(row.received_at, row.subject, row.seq)
    return Question(place, row.subject, row.account, row.message_id, row.sender, row.said_at, address)
