"""Bird's list of suppressions, which holds pairs of one sender and one person.

Source: Bird's API reference for SMS suppressions; the official library `messagebird-sdk` 0.106.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from gateway.consent.address import Address, AddressError, Channel
from gateway.net.outgoing import Outgoing
from gateway.providers.base import SendOutcome
from gateway.providers.bird_settings import BirdSettings
from gateway.providers.bird_sms import api_url, bearer, error_of
from gateway.providers.numbers import business_end
from gateway.providers.opt_outs import (
    ListEntry,
    ListPage,
    ListUnavailableError,
    OptOutList,
    PushOutcome,
    PushResult,
)
from gateway.providers.payload import found
from gateway.providers.rest import Attempt, attempt, json_call
from gateway.providers.times import from_iso

_PATH = "/v1/sms/suppressions"
_PAGE = 100
_BATCH = 10  # a call each, two to take off
_EXISTS, _GONE = 409, 404

_DONE = PushResult(PushOutcome.DONE)


class Suppressions(OptOutList):
    """The suppressions of one workspace."""

    __slots__ = ("_headers", "_net", "_url")
    batch = _BATCH
    can_pull = True

    def __init__(self, settings: BirdSettings, access_key: str, net: Outgoing) -> None:
        self._url = api_url(settings) + _PATH
        self._headers = bearer(access_key)
        self._net = net

    def push(self, entries: Sequence[ListEntry]) -> Sequence[PushResult]:
        """Add or remove suppressions, and return one result for each entry, in order.

        Bird refuses to remove what a person's STOP or a carrier has entered.
        """
        return [self._pushed(entry) for entry in entries]

    def pull(self, cursor: str | None) -> ListPage:
        """Return a page of the suppressions in force, the first for None. Raises `ListUnavailableError`."""
        made = self._get({"limit": str(_PAGE)} | ({} if cursor is None else {"starting_after": cursor}))
        rows = _rows(made)
        if rows is None:
            raise ListUnavailableError(f"Bird did not show the suppressions: {error_of(made) or made.status}")
        entries = [entry for entry in map(_entry, rows) if entry is not None]
        return ListPage(entries, found(made.document, "next_cursor") or None)

    def _pushed(self, entry: ListEntry) -> PushResult:
        if entry.address.channel is not Channel.SMS or not entry.sender:
            return PushResult(PushOutcome.REFUSED, "not_a_pair")
        return self._added(entry) if entry.opted_out else self._removed(entry)

    def _added(self, entry: ListEntry) -> PushResult:
        pair = {"destination": entry.address.value, "originator": entry.sender}
        made = attempt(self._net, json_call(self._url, pair, headers=self._headers))
        return _DONE if made.status == _EXISTS else made.pushed(error_of(made))

    def _removed(self, entry: ListEntry) -> PushResult:
        made = self._get({"destination": entry.address.value, "originator": entry.sender})
        if made.outcome is not SendOutcome.SENT:
            return made.pushed(error_of(made))
        rows = _rows(made)
        if rows is None:
            return PushResult(PushOutcome.LATER)
        for row in rows:
            result = self._deleted(found(row, "id"))
            if result.outcome is not PushOutcome.DONE:
                return result
        return _DONE

    def _deleted(self, suppression: str) -> PushResult:
        url = f"{self._url}/{quote(suppression, safe='')}"
        made = attempt(self._net, json_call(url, method="DELETE", headers=self._headers))
        return _DONE if made.status == _GONE else made.pushed(error_of(made))

    def _get(self, query: Mapping[str, str]) -> Attempt:
        url = f"{self._url}?{urlencode(query)}"
        return attempt(self._net, json_call(url, method="GET", headers=self._headers))


def _rows(made: Attempt) -> list[Any] | None:
    """Return the list that an answer holds, None when it is none."""
    rows = made.document.get("data") if isinstance(made.document, dict) else None
    return rows if made.outcome is SendOutcome.SENT and isinstance(rows, list) else None


def _entry(row: Any) -> ListEntry | None:
    try:
        address = Address.parse(Channel.SMS, found(row, "destination"))
    except AddressError:
        return None
    sender = business_end(found(row, "originator"))
    return ListEntry(address, sender, opted_out=True, at=from_iso(found(row, "effective_at")))
