"""Calls to a provider's REST API: what they came to, by the HTTP status, and what came back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import CallerError
from gateway.net.outgoing import Call, NothingSentError, OutcomeUnknownError, Outgoing
from gateway.providers.base import SendOutcome, SendResult
from gateway.providers.opt_outs import PushOutcome, PushResult
from gateway.providers.payload import read_json

_JSON = {"content-type": "application/json", "accept": "application/json"}
_OK = range(200, 300)
_SERVER_ERRORS = range(500, 600)
# RFC 9110 section 15.5.9, RFC 8470 section 5.2 and RFC 6585 section 4: the request was not taken.
_NOT_TAKEN = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one call came to."""

    outcome: SendOutcome
    status: int = 0  # 0: no answer came
    document: Any = None  # the JSON of the answer, None when it is none

    def result(self, *, message_id: str = "", error_code: str = "") -> SendResult:
        """Return the result of a send. An error without a code of the provider's own shows its status."""
        if self.outcome is SendOutcome.SENT:
            return SendResult(self.outcome, message_id=message_id or None)
        return SendResult(self.outcome, error_code=self._code(error_code))

    def pushed(self, error_code: str = "") -> PushResult:
        """Return the result of a push. Pushing twice does no harm, so whatever is not refused is repeated."""
        if self.outcome is SendOutcome.SENT:
            return PushResult(PushOutcome.DONE)
        is_final = self.outcome is SendOutcome.REFUSED
        return PushResult(PushOutcome.REFUSED if is_final else PushOutcome.LATER, self._code(error_code))

    def _code(self, error_code: str) -> str | None:
        return error_code or (str(self.status) if self.status else None)


def attempt(net: Outgoing, call: Call) -> Attempt:
    """Make the call once. Never raises for what the provider or the network does."""
    try:
        returned = net.call(call)
    except NothingSentError:
        return Attempt(SendOutcome.BUSY)
    except OutcomeUnknownError:
        return Attempt(SendOutcome.UNKNOWN)
    return Attempt(outcome_of(returned.status), returned.status, _document(returned.body))


def outcome_of(status: int) -> SendOutcome:
    """Read an HTTP status. After a 5xx the message may have gone out all the same."""
    if status in _OK:
        return SendOutcome.SENT
    if status in _NOT_TAKEN:
        return SendOutcome.BUSY
    return SendOutcome.UNKNOWN if status in _SERVER_ERRORS else SendOutcome.REFUSED


def json_call(
    url: str,
    document: object = None,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    basic: tuple[str, str] | None = None,
) -> Call:
    """Return a call that carries `document` as JSON (nothing for None) and wants JSON back."""
    body = b"" if document is None else json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return Call(method, url, {**_JSON, **(headers or {})}, body, basic)


def _document(body: bytes) -> Any:
    try:
        return read_json(body)
    except CallerError:
        return None
