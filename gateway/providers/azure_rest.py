"""Azure Communication Services' REST API, signed with the access key: sending, and the list of opt-outs.

Sources: Microsoft, "Sms - Send", "Sign an HTTP request" (HMAC), "Send OptOut API requests" (preview).
"""

import base64
import hmac
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import groupby
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from gateway.net.clock import http_date
from gateway.net.outgoing import Call, Outgoing
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.opt_outs import (
    ListEntry,
    ListPage,
    ListUnavailableError,
    OptOutList,
    PushOutcome,
    PushResult,
)
from gateway.providers.payload import count, found
from gateway.providers.rest import Attempt, attempt, json_call, outcome_of

_SEND = "/sms?api-version=2021-03-07"
_OPT_OUT = "/sms/optouts:add?api-version=2024-12-10-preview"
_OPT_IN = "/sms/optouts:remove?api-version=2024-12-10-preview"
_MOST_RECIPIENTS = 100  # the documented bound of a send; the preview names none
_SIGNED = "x-ms-date;host;x-ms-content-sha256"


class RestClient:
    """Calls one Communication Services resource."""

    __slots__ = ("_date", "_endpoint", "_key", "_net")

    def __init__(
        self, endpoint: str, access_key: str, net: Outgoing, date: Callable[[], str] = http_date
    ) -> None:
        """Take the resource's https URL and its base64 access key; raise `ValueError` unless that is base64."""
        self._endpoint = endpoint.rstrip("/")
        self._key = base64.b64decode(access_key, validate=True)
        self._net = net
        self._date = date

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message, at most once for one reference."""
        made = self._call(_SEND, self._document(message))
        if made.outcome is not SendOutcome.SENT:
            return made.result(error_code=found(made.document, "error", "code"))
        status = count(found(made.document, "value", 0, "httpStatusCode"))
        if not status:
            return SendResult(SendOutcome.UNKNOWN)
        told = Attempt(outcome_of(status), status)
        return told.result(message_id=found(made.document, "value", 0, "messageId"))

    def opt(self, sender: str, people: Sequence[str], *, out: bool) -> Attempt:
        """Opt people out of, or back in to, messages of one sender."""
        document = {"from": sender, "recipients": [{"to": number} for number in people]}
        return self._call(_OPT_OUT if out else _OPT_IN, document)

    def _document(self, message: OutboundMessage) -> dict[str, object]:
        recipient = {"to": message.address.value}
        options: dict[str, object] = {"enableDeliveryReport": True}
        if message.reference:
            # The reference must be a GUID, the same at every attempt.
            recipient["repeatabilityRequestId"] = str(uuid5(NAMESPACE_URL, message.reference))
            recipient["repeatabilityFirstSent"] = self._date()
            options["tag"] = message.reference
        return {
            "from": message.sender,
            "smsRecipients": [recipient],
            "message": message.text,
            "smsSendOptions": options,
        }

    def _call(self, target: str, document: object) -> Attempt:
        return attempt(self._net, self._signed(target, json_call(self._endpoint + target, document)))

    def _signed(self, target: str, call: Call) -> Call:
        date, digest = self._date(), _base64(sha256(call.body).digest())
        content = f"{call.method}\n{target}\n{date};{urlsplit(self._endpoint).netloc};{digest}"
        signature = _base64(hmac.digest(self._key, content.encode(), "sha256"))
        headers = {
            "x-ms-date": date,
            "x-ms-content-sha256": digest,
            "authorization": f"HMAC-SHA256 SignedHeaders={_SIGNED}&Signature={signature}",
        }
        return replace(call, headers={**call.headers, **headers})


class OptOuts(OptOutList):
    """The blocks of single senders; a preview, which Microsoft opens for a resource on request."""

    __slots__ = ("_rest",)
    batch = _MOST_RECIPIENTS
    can_pull = False  # only single people could be asked for

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    def push(self, entries: Sequence[ListEntry]) -> Sequence[PushResult]:
        """Write the entries, those of one sender and standing in one call; one result for each, in order."""
        results: dict[int, PushResult] = {}
        order = sorted(range(len(entries)), key=lambda at: _call_of(entries[at]))
        for (sender, out), places in groupby(order, key=lambda at: _call_of(entries[at])):
            at = list(places)
            people = [entries[place].address.value for place in at]
            results.update(zip(at, self._pushed(sender, people, out=out), strict=True))
        return [results[place] for place in range(len(entries))]

    def pull(self, cursor: str | None) -> ListPage:  # noqa: ARG002 - there is no page to choose
        """Raise `ListUnavailableError`: Azure lists nothing."""
        raise ListUnavailableError("Azure's list of opt-outs cannot be read")

    def _pushed(self, sender: str, people: Sequence[str], *, out: bool) -> list[PushResult]:
        if not sender:
            return [PushResult(PushOutcome.REFUSED, "no_sender")] * len(people)
        made = self._rest.opt(sender, people, out=out)
        if made.outcome is not SendOutcome.SENT:
            return [made.pushed()] * len(people)
        told = {
            found(made.document, "value", place, "to"): found(made.document, "value", place, "httpStatusCode")
            for place in range(len(people))
        }
        return [_told(count(told.get(number))) for number in people]


def _call_of(entry: ListEntry) -> tuple[str, bool]:
    return entry.sender, entry.opted_out


def _told(status: int) -> PushResult:
    """Return the result of one person; whoever is not named in the answer is pushed again."""
    return Attempt(outcome_of(status) if status else SendOutcome.UNKNOWN, status).pushed()


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
