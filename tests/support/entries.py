"""Entries for tests."""

import itertools
from typing import Any

from gateway.consent.address import Address, Channel, subject_of
from gateway.consent.choice import Choice
from gateway.consent.entry import Entry

KEY = b"k" * 32
NOW = 1_790_000_000_000_000
_numbers = itertools.count()


def entry(number: int = 0, choice: Choice | None = Choice.NO, **fields: Any) -> Entry:
    """Return an entry of person `number` with a fresh claim; any field can be given."""
    address = Address(Channel.SMS, f"+1555010{number:04d}")
    at = fields.pop("at", NOW)
    return Entry(
        **{
            "address": address,
            "subject": subject_of(address, KEY),
            "account": "acme-twilio",
            "message_id": f"SM{next(_numbers):032x}",
            "klass": "opt_out",
            "choice": choice,
            "scope": "@+15550199000" if choice else "",
            "sender": "+15550199000",
            "source": "keyword",
            "rule": "keyword@1",
            "said_at": at,
            "received_at": at,
            "text": "STOP",
            "evidence": "{}",
            **fields,
        }
    )
