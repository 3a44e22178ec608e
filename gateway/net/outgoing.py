"""Every call that leaves the gateway: once, without redirects, in bounded time and size, and not into private networks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, ProxyError

from gateway.errors import GatewayError
from gateway.net.connections import GuardedAdapter, Trip
from gateway.net.guard import Guard, NotAllowedError, NothingSentError

__all__ = (
    "Call",
    "NotAllowedError",
    "NothingSentError",
    "OutcomeUnknownError",
    "Outgoing",
    "Returned",
    "Route",
    "Web",
)

_TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 14
# With a proxy the library makes the connection: refused, unknown and late ones are the former.
_BEFORE_SENDING = (ConnectTimeoutError, ProxyError)
# What a request line can hold. Such a URL is sent letter by letter, as signatures may cover it.
_WRITTEN_URL = re.compile(r"(?:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=|{}^`\"<>\\-]|%[0-9A-Fa-f]{2})+", re.ASCII)
# No gzip: a small answer must not become a large one. No cookies, no credentials of the environment.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "consent-gateway"}


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
    timeout: float = _TIMEOUT_SECONDS  # seconds for all of it, from resolving the name to the last byte


@dataclass(frozen=True, slots=True)
class Returned:
    """What came back. Header names are lower case; a body longer than a mebibyte is cut."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Outgoing(Protocol):
    """What makes calls."""

    def call(self, call: Call) -> Returned:
        """Make the call once. Raises `NothingSentError` and `OutcomeUnknownError`."""


@dataclass(frozen=True, slots=True)
class Route:
    """How calls leave: what guards them, the proxy that they go by, the authorities that certificates need."""

    guard: Guard = field(default_factory=Guard)
    proxy: str | None = field(default=None, repr=False)  # a URL, which may hold a password
    authorities: str | None = None  # path of a PEM file; None: those that the library trusts


class Web(Outgoing):
    """Calls over the network, each on a connection of its own: one that was kept may fail after it was sent."""

    def __init__(self, route: Route | None = None) -> None:
        self._route = route or Route()

    def call(self, call: Call) -> Returned:
        """Make the call once. Raises `NothingSentError` and `OutcomeUnknownError`."""
        is_written = _WRITTEN_URL.fullmatch(call.url) is not None
        trip = Trip(self._route.guard, seconds=call.timeout, target=_target(call.url) if is_written else None)
        try:
            with trip.limited(), self._session(trip) as session:
                request = _prepared(session, call, is_written=is_written)
                returned = _returned(self._sent(session, request, call.timeout))
        except (requests.RequestException, UnicodeError) as error:
            raise _failure(error, trip) from error
        if trip.is_cut:
            raise OutcomeUnknownError("the answer took too long")
        return returned

    def _session(self, trip: Trip) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # neither its proxies nor the passwords in ~/.netrc
        session.headers.clear()
        session.headers.update(_HEADERS)
        adapter = GuardedAdapter(trip, is_proxied=self._route.proxy is not None)
        session.adapters.clear()
        for scheme in ("https://", "http://"):
            session.mount(scheme, adapter)
        return session

    def _sent(
        self, session: requests.Session, request: requests.PreparedRequest, seconds: float
    ) -> requests.Response:
        proxy = self._route.proxy
        return session.send(
            request,
            stream=True,
            timeout=seconds,
            allow_redirects=False,
            verify=self._route.authorities or True,
            proxies={} if proxy is None else {"http": proxy, "https": proxy},
        )


def _prepared(session: requests.Session, call: Call, *, is_written: bool) -> requests.PreparedRequest:
    basic = None if call.basic is None else tuple(part.encode() for part in call.basic)
    request = session.prepare_request(
        requests.Request(
            call.method, call.url, headers=dict(call.headers), data=call.body or None, auth=basic
        )
    )
    if is_written:
        request.url = call.url  # the library would write `%7E` as `~`
    return request


def _target(url: str) -> str:
    """Return what stands in the request line."""
    parts = urlsplit(url)
    path = parts.path or "/"
    query = url.partition("#")[0].partition("?")
    return path + query[1] + query[2]


def _returned(answer: requests.Response) -> Returned:
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) >= _MOST_BYTES:
            break
    answer.close()
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Returned(answer.status_code, headers, bytes(body[:_MOST_BYTES]))


def _failure(error: Exception, trip: Trip) -> GatewayError:
    """Tell whether the call failed before the request left: a URL that is none, a connection, a certificate."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    is_early = trip.is_connected or isinstance(error, ValueError) or isinstance(cause, _BEFORE_SENDING)
    if is_early and not trip.has_begun:
        return NothingSentError("the connection failed")
    return OutcomeUnknownError("the call failed on its way")
