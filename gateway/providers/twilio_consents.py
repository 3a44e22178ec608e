"""Twilio's Consent API: opt-outs and consents are written in bulk, never read.

Source: Twilio, "Consent Management API", "Bulk Upsert Consents", error 30646.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from urllib.parse import urlencode

from gateway.consent.address import Channel
from gateway.net.outgoing import Call, Outgoing
from gateway.providers.base import SendOutcome
from gateway.providers.opt_outs import (
    ListEntry,
    ListPage,
    ListUnavailableError,
    OptOutList,
    PushOutcome,
    PushResult,
)
from gateway.providers.payload import found
from gateway.providers.rest import Attempt, attempt
from gateway.providers.times import SECOND

_URL = "https://accounts.twilio.com/v1/Consents/Bulk"
_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
_BATCH = 25
_TROUBLE_OF_THEIRS = "INTERNAL_SERVER_ERROR"


class TwilioConsents(OptOutList):
    """The consents of an account. An opt-in written here lifts an earlier STOP: write it with proof only."""

    batch = _BATCH
    can_pull = False  # Twilio has no interface for it

    def __init__(self, net: Outgoing, username: str, password: str, service: str | None) -> None:
        """Take an API key or account SID and token, and the messaging service of entries without sender."""
        self._net = net
        self._basic = (username, password)
        self._service = service

    def push(self, entries: Sequence[ListEntry]) -> Sequence[PushResult]:
        """Write up to 25 entries; SMS only, and each needs a sender or the account's messaging service."""
        items = {
            index: item
            for index, entry in enumerate(entries)
            if (item := self._item(index, entry)) is not None
        }
        tried = self._attempt(list(items.values())) if items else Attempt(SendOutcome.SENT)
        return [
            _result(tried, items[index]["correlation_id"])
            if index in items
            else PushResult(PushOutcome.REFUSED, _missing(entry))
            for index, entry in enumerate(entries)
        ]

    def pull(self, cursor: str | None) -> ListPage:  # noqa: ARG002 - there is nothing to read
        """Raise `ListUnavailableError`: Twilio lets nobody read."""
        raise ListUnavailableError("Twilio has no interface to read consents")

    def _item(self, index: int, entry: ListEntry) -> dict[str, str] | None:
        sender = entry.sender or self._service
        if entry.address.channel is not Channel.SMS or not sender:
            return None
        item = {
            "contact_id": entry.address.value,
            "sender_id": sender,
            "status": "opt-out" if entry.opted_out else "opt-in",
            "source": "others",
            **({"date_of_consent": _iso(entry.at)} if entry.at is not None else {}),
        }
        # Unique in the request, and the same for the same entry.
        seed = json.dumps([index, item]).encode()
        return {**item, "correlation_id": blake2b(seed, digest_size=16).hexdigest()}

    def _attempt(self, items: Sequence[dict[str, str]]) -> Attempt:
        body = urlencode([("Items", json.dumps(item)) for item in items]).encode()
        return attempt(self._net, Call("POST", _URL, _FORM, body, basic=self._basic))


def _missing(entry: ListEntry) -> str:
    return "no_sender" if entry.address.channel is Channel.SMS else "unsupported_channel"


def _result(tried: Attempt, correlation_id: str) -> PushResult:
    """Judge one entry: within a request that was taken each stands by itself."""
    if tried.outcome is SendOutcome.REFUSED:
        return tried.pushed(found(tried.document, "code"))
    if tried.outcome is not SendOutcome.SENT:
        return tried.pushed()
    item = _items_by_id(tried).get(correlation_id)
    code = found(item, "error_code")
    if code == "0":
        return PushResult(PushOutcome.DONE)
    if not code or _TROUBLE_OF_THEIRS in json.dumps(item):
        return PushResult(PushOutcome.LATER, code or None)
    return PushResult(PushOutcome.REFUSED, code)


def _items_by_id(tried: Attempt) -> dict[str, object]:
    items = tried.document.get("items") if isinstance(tried.document, dict) else None
    return {found(item, "correlation_id"): item for item in items} if isinstance(items, list) else {}


def _iso(at: int) -> str:
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
