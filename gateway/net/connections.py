"""Connections that go only where the guard lets them, and end when their time is up.

urllib3 opens a connection by name; here the name has been resolved and judged before, and the socket connects to
exactly those addresses. TLS still checks the certificate for the name. `requests` and its test doubles sit on top.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from gateway.net.guard import Guard, NothingSentError

_SOON = 0.001


class Trip:
    """One call on its way: how far it has come, and when it must be over."""

    def __init__(self, guard: Guard, *, seconds: float, target: str | None) -> None:
        """`target` is sent as it is in the request line, None for what the library makes of the URL."""
        self._guard = guard
        self._ends_at = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._handle: socket.socket | None = None
        self.target = target
        self.is_connected = False
        self.has_begun = False  # the first byte of the request may have left
        self.is_cut = False

    @property
    def seconds_left(self) -> float:
        """What is left of the call's time; never nothing, which sockets take for "for ever"."""
        return max(_SOON, self._ends_at - time.monotonic())

    @contextmanager
    def limited(self) -> Iterator[None]:
        """End whatever connection is open when the time is up: a time-out of a socket begins anew with each byte."""
        self._timer.daemon = True
        self._timer.start()
        try:
            yield
        finally:
            self._timer.cancel()
            self._timer.join()
            if self._handle is not None:
                self._handle.close()

    def connect(self, host: str, port: int, *, is_plain: bool) -> socket.socket:
        """Return a socket connected to an address that was judged; raise `NothingSentError`."""
        targets = self._guard.targets(host, port, is_plain=is_plain, seconds=self.seconds_left)
        for family, kind, protocol, _, address in targets:
            found = socket.socket(family, kind, protocol)
            try:
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                found.settimeout(self.seconds_left)
                found.connect(address)
            except OSError:
                found.close()
                continue
            # TLS takes the socket over: a second handle lets the timer end it.
            self._handle = found.dup()
            self.is_connected = True
            return self._in_time(found)
        raise NothingSentError("the connection failed")

    def _in_time(self, connected: socket.socket) -> socket.socket:
        if self.is_cut:  # before there was anything to end
            connected.close()
            raise NothingSentError("the connection took too long")
        return connected

    def judge(self, url: str) -> None:
        """Judge the URL of a call that goes by a proxy; raise `NotAllowedError`."""
        parts = urlsplit(url)
        self._guard.judge_unresolved(parts.hostname or "", is_plain=parts.scheme != "https")

    def _cut(self) -> None:
        self.is_cut = True
        if self._handle is not None:
            with suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)


class _OnTrip:
    """What both kinds of connection have in common."""

    trip: Trip
    is_plain = True

    def _new_conn(self) -> socket.socket:
        host, port = self._dns_host, self.port  # type: ignore[attr-defined]  # of the connection beside this class
        return self.trip.connect(host, port, is_plain=self.is_plain)

    def putrequest(self, method: str, url: str, *options: Any, **more: Any) -> None:
        self.trip.has_begun = True
        target = url if self.trip.target is None else self.trip.target
        super().putrequest(method, target, *options, **more)  # type: ignore[misc]  # of the connection


class _PlainConnection(_OnTrip, HTTPConnection):
    def __init__(self, *options: Any, trip: Trip, **more: Any) -> None:
        super().__init__(*options, **more)
        self.trip = trip


class _SecureConnection(_OnTrip, HTTPSConnection):
    is_plain = False

    def __init__(self, *options: Any, trip: Trip, **more: Any) -> None:
        super().__init__(*options, **more)
        self.trip = trip


class _Pools(PoolManager):
    def __init__(self, trip: Trip, **options: Any) -> None:
        super().__init__(**options)
        self._trip = trip

    def _new_pool(self, scheme: str, host: str, port: int, request_context: Any = None) -> HTTPConnectionPool:
        """Return a pool of guarded connections: urllib3 intends this method to be overridden."""
        pool = super()._new_pool(scheme, host, port, request_context)
        kind = _SecureConnection if scheme == "https" else _PlainConnection
        pool.ConnectionCls = partial(kind, trip=self._trip)  # type: ignore[assignment]  # makes connections
        return pool


class GuardedAdapter(HTTPAdapter):
    """Carries one call. `proxied` calls are judged by their URL, as the proxy resolves the name."""

    def __init__(self, trip: Trip, *, is_proxied: bool) -> None:
        self._trip = trip
        self._is_proxied = is_proxied
        super().__init__()

    def init_poolmanager(self, *_counts: Any, **options: Any) -> None:
        """Open connections by way of the guard."""
        self.poolmanager = _Pools(self._trip, num_pools=1, maxsize=1, **options)

    def get_connection_with_tls_context(
        self, request: PreparedRequest, *options: Any, **more: Any
    ) -> HTTPConnectionPool:
        """Return the pool for a request, judged first where a proxy makes the connection."""
        if self._is_proxied:
            self._trip.judge(request.url or "")
        found = super().get_connection_with_tls_context(request, *options, **more)
        return cast(HTTPConnectionPool, found)
