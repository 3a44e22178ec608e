"""The opt-outs that Sinch's consent management keeps for an app of the Conversation API.

Sources: Sinch, "Conversation: Consent management", "Conversation: Consents", "Batch API: Insert consent records".
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from gateway.providers.base import SendOutcome
from gateway.providers.numbers import person
from gateway.providers.opt_outs import (
    ListEntry,
    ListPage,
    ListUnavailableError,
    OptOutList,
    PushOutcome,
    PushResult,
)
from gateway.providers.payload import as_object, found, listed
from gateway.providers.rest import Attempt
from gateway.providers.sinch_rest import ProjectClient, identity_of

# OPT_OUT_NOTIFICATION is left out: it says nothing about marketing.
_LISTS = ("OPT_OUT_ALL", "OPT_OUT_MARKETING")
_PAGE_SIZE = 50  # the most that Sinch gives
_BATCH = 100
_NOT_FOUND = 404


class SinchConsents(OptOutList):
    """The lists of one app. Entries can be added, not removed: only the person's START does that."""

    batch = _BATCH
    can_pull = True

    def __init__(self, client: ProjectClient, region: str, project_id: str, app_id: str) -> None:
        self._client = client
        self._lists = f"https://{region}.conversation.api.sinch.com/v1/projects/{project_id}/apps/{app_id}"
        self._insert = f"https://{region}.conversationbatch.api.sinch.com/v1/projects/{project_id}/consents"
        self._app_id = app_id

    def push(self, entries: Sequence[ListEntry]) -> Sequence[PushResult]:
        """Add the opt-outs; consents are refused, since Sinch lets nobody remove an entry."""
        outs = [entry for entry in entries if entry.opted_out]
        result = self._inserted(outs) if outs else PushResult(PushOutcome.DONE)
        refused = PushResult(PushOutcome.REFUSED, "not_removable")
        return [result if entry.opted_out else refused for entry in entries]

    def pull(self, cursor: str | None) -> ListPage:
        """Return a page of the first list, then of the second. Raises `ListUnavailableError`."""
        name, _, token = (cursor or _LISTS[0]).partition(":")
        query = urlencode({"page_size": _PAGE_SIZE, **({"page_token": token} if token else {})})
        tried = self._client.attempt(f"{self._lists}/consents/{name}?{query}", method="GET")
        if _is_empty(tried):
            return ListPage((), _next_list(name))
        if tried.outcome is not SendOutcome.SENT or not isinstance(tried.document, dict):
            raise ListUnavailableError(f"Sinch gave no page of {name}: HTTP {tried.status}")
        following = found(tried.document, "next_page_token")
        return ListPage(_entries(tried.document), f"{name}:{following}" if following else _next_list(name))

    def _inserted(self, entries: Sequence[ListEntry]) -> PushResult:
        records = [
            {"identification": identity_of(entry.address), "consent_type": _LISTS[0]} for entry in entries
        ]
        tried = self._client.attempt(self._insert, {"app_id": self._app_id, "consent_records": records})
        # Sinch: after a failure none or some are in, and the batch may be tried again.
        return tried.pushed()


def _is_empty(tried: Attempt) -> bool:
    """Tell whether the list does not exist yet: Sinch makes it with its first entry."""
    return tried.status == _NOT_FOUND and "ListType" in found(tried.document, "error", "message")


def _next_list(name: str) -> str | None:
    return _LISTS[1] if name == _LISTS[0] else None


def _entries(page: dict[str, object]) -> list[ListEntry]:
    people = [person(found(as_object(item), "identity")) for item in listed(page, "identities")]
    return [ListEntry(address, "", opted_out=True) for address in people if address is not None]
