"""Clarifying questions that nobody has answered."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, Row, text

from gateway.consent import scope
from gateway.consent.address import Address, Channel
from gateway.consent.person import QUESTION
from gateway.store.snapshot import as_trouble

# An answer is a later word on consent to the same sender. The first condition is the index's.
_UNANSWERED = text(f"""
SELECT asked.subject, asked.account, asked.message_id, asked.sender, asked.said_at, states.channel, states.address
FROM events AS asked JOIN states ON states.subject = asked.subject AND states.scope = :all
WHERE asked.reply = '{QUESTION}' AND asked.received_at > :after AND asked.received_at <= :until
AND states.address IS NOT NULL
AND NOT EXISTS (
  SELECT 1 FROM events AS later
  WHERE later.subject = asked.subject AND later.seq > asked.seq AND later.choice IS NOT NULL
  AND later.sender IN (asked.sender, ''))
ORDER BY asked.received_at LIMIT :limit
""")  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of whom: the claim of the unclear message, and when it was said (microseconds UTC)."""

    subject: bytes
    account: str
    message_id: str
    sender: str
    said_at: int
    address: Address = field(repr=False)


def unanswered(engine: Engine, *, after: int, until: int, limit: int) -> list[Question]:
    """Return questions asked after one time and up to another that nobody has answered since, oldest first.

    Raises `OurTroubleError`.
    """
    values = {"all": scope.ALL, "after": after, "until": until, "limit": limit}
    with as_trouble("the questions could not be read"), engine.connect() as connection:
        rows = connection.execute(_UNANSWERED, values).all()
    return [_question(row) for row in rows]


def _question(row: Row[Any]) -> Question:
    address = Address(Channel(row.channel), row.address)
    return Question(row.subject, row.account, row.message_id, row.sender, row.said_at, address)
