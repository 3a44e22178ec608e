"""Telnyx's REST API: sending, and the list of opt-outs, which may be read and not written.

Sources: Telnyx, "Send a message", "Send a WhatsApp message", "List opt-outs".
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from gateway.consent.address import Channel
from gateway.errors import CallerError
from gateway.net.outgoing import Outgoing
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.numbers import business_end, person
from gateway.providers.opt_outs import (
    ListEntry,
    ListPage,
    ListUnavailableError,
    OptOutList,
    PushOutcome,
    PushResult,
)
from gateway.providers.payload import as_object, found, listed
from gateway.providers.rest import Attempt, attempt, json_call
from gateway.providers.times import from_iso

_API = "https://api.telnyx.com/v2"
_OPTED_OUT = "40300"
_PAGE_SIZE = 250


class RestClient:
    """Calls Telnyx for one account."""

    __slots__ = ("_headers", "_net")

    def __init__(self, api_key: str, net: Outgoing) -> None:
        self._headers = {"authorization": f"Bearer {api_key}"}
        self._net = net

    def send(self, message: OutboundMessage, profile: str | None) -> SendResult:
        """Send one message, once; an alphanumeric sender sends through the messaging profile."""
        path, document = _document(message, profile)
        key = {"idempotency-key": message.reference} if message.reference else {}
        made = attempt(self._net, json_call(_API + path, document, headers={**self._headers, **key}))
        code = found(made.document, "errors", 0, "code")
        if code == _OPTED_OUT:
            return SendResult(SendOutcome.OPTED_OUT, error_code=code)
        return made.result(message_id=found(made.document, "data", "id"), error_code=code)

    def opt_outs(self, page: int) -> Attempt:
        """Return a page of the list, counted from 1."""
        # Redacted numbers would be nobody's.
        query = {"page[number]": page, "page[size]": _PAGE_SIZE, "redaction_enabled": "false"}
        call = json_call(f"{_API}/messaging_optouts?{urlencode(query)}", method="GET", headers=self._headers)
        return attempt(self._net, call)


class OptOuts(OptOutList):
    """The blocks that STOP has made. They hold for a whole messaging profile; the number written to is told."""

    __slots__ = ("_rest",)
    batch = 0  # Telnyx lets nobody write
    can_pull = True

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    def push(self, entries: Sequence[ListEntry]) -> Sequence[PushResult]:
        """Refuse every entry: there is no interface for it."""
        return [PushResult(PushOutcome.REFUSED, "read_only") for _ in entries]

    def pull(self, cursor: str | None) -> ListPage:
        """Return a page; the cursor is the number of the page. Raises `ListUnavailableError`."""
        number = int(cursor or 1)
        made = self._rest.opt_outs(number)
        if made.outcome is not SendOutcome.SENT:
            raise ListUnavailableError(f"Telnyx's list could not be read: {made.status or 'no answer'}")
        try:
            page = as_object(made.document)
            entries = [_entry(item) for item in listed(page, "data")]
        except CallerError as error:
            raise ListUnavailableError(f"Telnyx's list is not understood: {error}") from None
        more = str(number + 1) if entries and number < _whole(found(page, "meta", "total_pages")) else None
        return ListPage([entry for entry in entries if entry is not None], more)


def _document(message: OutboundMessage, profile: str | None) -> tuple[str, dict[str, Any]]:
    """Return path and body of a send."""
    ends = {"from": message.sender, "to": message.address.value}
    if message.address.channel is Channel.WHATSAPP:
        words = {"type": "text", "text": {"body": message.text}}
        return "/messages/whatsapp", {**ends, "type": "WHATSAPP", "whatsapp_message": words}
    service = message.service or profile
    if service and not message.sender.removeprefix("+").isdecimal():
        ends["messaging_profile_id"] = service
    return "/messages", {**ends, "text": message.text}


def _whole(written: str) -> int:
    return int(written) if written.isascii() and written.isdecimal() else 0


def _entry(item: object) -> ListEntry | None:
    """Return a block; None when its person is no phone number."""
    fields = as_object(item)
    address = person(found(fields, "to"))
    if address is None:
        return None
    return ListEntry(address, business_end(found(fields, "from")), True, from_iso(fields.get("created_at")))
