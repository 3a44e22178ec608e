"""Webhooks to forward, for tests of what goes out."""

import itertools
import json
from typing import Any

from support.entries import NOW

from gateway.store.forwards import Forward

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
OTHER_SECRET = "whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs="
_numbers = itertools.count(1)


def forward(**fields: Any) -> Forward:
    """Return a forward with an id of its own; any field can be given."""
    return Forward(
        **{
            "subject": b"s" * 16,
            "id": next(_numbers).to_bytes(16, "big"),
            "account": "acme-twilio",
            "sender": "",
            "method": "POST",
            "url": "https://sms.example.com/sms/acme-twilio",
            "headers": json.dumps([["content-type", "application/x-www-form-urlencoded"]]),
            "body": b"Body=STOP",
            "events": "[]",
            "received_at": NOW,
            **fields,
        }
    )
