"""Infobip's REST API: sending, and the blocklist.

Sources: Infobip, "SMS: Send messages", "WhatsApp: Send text message", "Message status codes", "Blocklist".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from urllib.parse import urlencode

from gateway.consent.address import Channel
from gateway.net.outgoing import Outgoing
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.infobip_inbound import BLOCKLISTED, CHANNELS, FAILED_GROUPS
from gateway.providers.numbers import business_end, person
from gateway.providers.opt_outs import (
    ListEntry,
    ListPage,
    ListUnavailableError,
    OptOutList,
    PushResult,
)
from gateway.providers.payload import Fields, as_object, found, listed
from gateway.providers.rest import Attempt, attempt, json_call
from gateway.providers.times import from_iso

_BATCH = 1000  # Infobip takes 50 000
_PAGE_SIZE = 1000
_BY_STATUS: Mapping[str, SendOutcome] = {
    BLOCKLISTED: SendOutcome.OPTED_OUT,
    # Ours to try again: Infobip's own fault.
    "REJECTED_SYSTEM_ERROR": SendOutcome.BUSY,
    # An earlier attempt has got through after all: the id is the same at each.
    "REJECTED_DUPLICATE_MESSAGE_ID": SendOutcome.SENT,
}
_CHANNEL_NAMES = {Channel.SMS: "SMS", Channel.WHATSAPP: "WHATSAPP"}


@dataclass(frozen=True, slots=True)
class InfobipApi:
    """One account's API: its base URL and key."""

    net: Outgoing
    base_url: str
    api_key: str = field(repr=False)

    def attempt(self, path: str, document: object = None, *, method: str = "POST") -> Attempt:
        """Make one call. Never raises for what Infobip or the network does."""
        headers = {"authorization": f"App {self.api_key}"}
        return attempt(self.net, json_call(self.base_url + path, document, method=method, headers=headers))

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message, once."""
        is_whatsapp = message.address.channel is Channel.WHATSAPP
        if is_whatsapp:
            tried = self.attempt("/whatsapp/1/message/text", _whatsapp(message))
            status_at: tuple[str | int, ...] = ()
        else:
            tried = self.attempt("/sms/3/messages", _sms(message))
            status_at = ("messages", 0)
        return _result(tried, status_at)


class Blocklist(OptOutList):
    """Infobip's blocklist of the account."""

    batch = _BATCH
    can_pull = True

    def __init__(self, api: InfobipApi) -> None:
        self._api = api

    def push(self, entries: Sequence[ListEntry]) -> Sequence[PushResult]:
        """Add the opt-outs and remove the others. Infobip leaves out what it has, and works off the rest later."""
        outcome = {
            opted_out: self._written([entry for entry in entries if entry.opted_out is opted_out], opted_out)
            for opted_out in {entry.opted_out for entry in entries}
        }
        return [outcome[entry.opted_out] for entry in entries]

    def pull(self, cursor: str | None) -> ListPage:
        """Return a page by its number. Raises `ListUnavailableError`."""
        page = int(cursor or 0)
        query = urlencode({"page": page, "size": _PAGE_SIZE})
        tried = self._api.attempt(f"/platform/1/blocklists?{query}", method="GET")
        if tried.outcome is not SendOutcome.SENT or not isinstance(tried.document, dict):
            raise ListUnavailableError(f"Infobip gave no page of its blocklist: HTTP {tried.status}")
        entries = [_entry(as_object(record)) for record in listed(tried.document, "results")]
        total = found(tried.document, "paging", "totalPages")
        is_last = not total.isdecimal() or page + 1 >= int(total)
        return ListPage([entry for entry in entries if entry is not None], None if is_last else str(page + 1))

    def _written(self, entries: Sequence[ListEntry], opted_out: bool) -> PushResult:  # noqa: FBT001 - the list's own word
        tried = self._api.attempt(
            "/platform/1/blocklists",
            {"blocklist": _groups(entries)},
            method="POST" if opted_out else "DELETE",
        )
        return tried.pushed(_error_code(tried))


def _groups(entries: Sequence[ListEntry]) -> Sequence[Fields]:
    """Return entries by sender and channel: an entry is removed only by the properties it was made with."""

    def key(entry: ListEntry) -> tuple[str, str]:
        return (entry.sender, _CHANNEL_NAMES.get(entry.address.channel, ""))

    groups = []
    for (sender, channel), group in groupby(sorted(entries, key=key), key):
        record: dict[str, object] = {
            "destinations": [{"to": _number(entry.address.value)} for entry in group]
        }
        if sender:
            record["sender"] = _number(sender)
        if channel:
            record["channel"] = channel
        groups.append(record)
    return groups


def _entry(record: Fields) -> ListEntry | None:
    channel = CHANNELS.get(found(record, "channel"))
    address = None if channel is None else person(found(record, "destination"), channel)
    if address is None:
        return None
    sender = business_end(found(record, "sender"))
    return ListEntry(address, sender, opted_out=True, at=from_iso(record.get("createdDate")))


def _sms(message: OutboundMessage) -> Fields:
    destination = {"to": _number(message.address.value), **_reference(message)}
    content = {"text": message.text}
    sender = _number(message.sender)
    return {"messages": [{"sender": sender, "destinations": [destination], "content": content}]}


def _whatsapp(message: OutboundMessage) -> Fields:
    return {
        "from": _number(message.sender),
        "to": _number(message.address.value),
        "content": {"text": message.text},
        **_reference(message),
    }


def _reference(message: OutboundMessage) -> Mapping[str, str]:
    return {"messageId": message.reference} if message.reference else {}


def _result(tried: Attempt, status_at: Sequence[str | int]) -> SendResult:
    """Read the answer: accepted by HTTP, a message may still be rejected by its status."""
    if tried.outcome is not SendOutcome.SENT:
        return tried.result(error_code=_error_code(tried))
    message_id = found(tried.document, *status_at, "messageId")
    name = found(tried.document, *status_at, "status", "name")
    if name in _BY_STATUS:
        return replace(tried, outcome=_BY_STATUS[name]).result(message_id=message_id, error_code=name)
    if found(tried.document, *status_at, "status", "groupId") in FAILED_GROUPS:
        return SendResult(SendOutcome.REFUSED, error_code=name or None)
    if not message_id:
        return SendResult(SendOutcome.UNKNOWN)
    return tried.result(message_id=message_id)


def _error_code(tried: Attempt) -> str:
    """Return the code of an error in Infobip's present or former form, "" when there is none."""
    former = found(tried.document, "requestError", "serviceException", "messageId")
    return found(tried.document, "errorCode") or former


def _number(value: str) -> str:
    return value.removeprefix("+")
