"""Every call that leaves the gateway: once, without redirects, in bounded time and size."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import requests
from urllib3.exceptions import ConnectTimeoutError, ProxyError

from gateway.errors import GatewayError

_TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 1 << 20
_BEFORE_SENDING = (ConnectTimeoutError, ProxyError)  # a refused connection and an unknown name are the former


class NothingSentError(GatewayError):
    """The call failed before the request left, or was not allowed: repeating it does no harm."""


class OutcomeUnknownError(GatewayError):
    """The request has left, and nobody knows what became of it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `basic` is (user, password); a redirect is never followed."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    timeout: float = _TIMEOUT_SECONDS  # seconds


@dataclass(frozen=True, slots=True)
class Returned:
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Outgoing(Protocol):
    """What makes calls."""

    def call(self, call: Call) -> Returned:
        """Make the call once. Raises `NothingSentError` and `OutcomeUnknownError`."""


class Web(Outgoing):
    """Calls over the network."""

    def call(self, call: Call) -> Returned:
        """Make the call once. Raises `NothingSentError` and `OutcomeUnknownError`."""
        try:
            with requests.Session() as session:
                answer = session.request(
                    call.method,
                    call.url,
                    headers=dict(call.headers),
                    data=call.body or None,
                    auth=call.basic,
                    timeout=call.timeout,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            raise _failure(error) from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Returned(answer.status_code, headers, answer.content[:_MOST_BYTES])


def _failure(error: requests.RequestException) -> GatewayError:
    """Tell whether the connection failed before the request left: name resolution, refusal, connect time-out."""
    cause = error.args[0] if error.args else None
    if isinstance(getattr(cause, "reason", None), _BEFORE_SENDING):
        return NothingSentError("the connection failed")
    return OutcomeUnknownError("the call failed on its way")
