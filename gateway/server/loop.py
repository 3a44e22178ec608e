"""The group loop: one thread, epoll, and rounds of requests that share what their first body commits."""

import math
import os
import select
import time
from collections.abc import Sequence
from http import HTTPStatus
from wsgiref.types import WSGIApplication

from gateway.server.acceptor import Acceptor, Listener
from gateway.server.connection import CONTINUE, Connection
from gateway.server.environ import TrustedProxies, peer_names
from gateway.server.host import Edge, Host, LoopSettings
from gateway.server.refusal import Refusal
from gateway.server.request import RequestParser, Rules
from gateway.server.response import Exchange, Stamp

_RECEIVE_BYTES = 1 << 16
_SLICE_BYTES = 1 << 18  # of one answer per turn, so that a long one leaves room for the others
_STEP_COST = 1 << 12  # what a step of a body counts at least towards its slice
_TICK_SECONDS = 1.0
_STOP_TICK_SECONDS = 0.05
_SHORT_PATIENCE = 1.0  # with the silent, when others wait for a connection or the worker stops
_TURNED_AWAY = 64  # connections above the bound that are told to come again; further ones wait in the kernel
_FULL = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections, come again")
_SLOWEST_BODY = 1000  # bytes a second


class GroupLoop:
    """Serves a WSGI application.

    Each turn reads every ready connection, calls the application for all complete requests, at most
    `group_limit` of them, and only then iterates the returned bodies, in the same order. What the first
    body commits for the whole group is thus committed once; what arrives meanwhile is the next group.
    """

    def __init__(
        self,
        application: WSGIApplication,
        listeners: Sequence[Listener],
        *,
        host: Host,
        settings: LoopSettings,
        rules: Rules,
        proxies: TrustedProxies,
        wake_fd: int,
    ) -> None:
        self._application = application
        self._host = host
        self._settings = settings
        self._rules = rules
        self._proxies = proxies
        self._wake_fd = wake_fd
        self._epoll = select.epoll()
        self._acceptor = Acceptor(self._epoll, listeners)
        self._edge = Edge(host)
        self._connections: dict[int, Connection] = {}
        self._turned_away: set[int] = set()  # connections that were one too many, until they are closed
        self._pending: list[Connection] = []  # their exchange waits for its call
        self._streams: list[Connection] = []  # their answer was interrupted in favour of others
        self._buffer = bytearray(_RECEIVE_BYTES)
        self._view = memoryview(self._buffer)
        self._stopping = False
        self._tick_seconds = _TICK_SECONDS
        self._now = self._polled = self._next_tick = self._next_beat = time.monotonic()
        self._second = 0
        self._stamp = Stamp.at(0, settings.software)

    def run(self) -> None:
        """Serve until the host is no longer alive, then finish what has been received."""
        self._epoll.register(self._wake_fd, select.EPOLLIN)
        self._acceptor.watch()
        try:
            while self._host.alive:
                self._turn(min(_TICK_SECONDS, self._settings.beat))
            self._finish_up()
        finally:
            self._shut()

    # -- a turn --------------------------------------------------------------------------------------

    def _turn(self, timeout: float) -> None:
        busy = self._pending or self._streams
        events = self._epoll.poll(0 if busy else timeout, self._settings.max_connections + 2 * _TURNED_AWAY)
        self._beat()
        self._polled = self._now
        self._set_stamp()
        for fd, _ in events:
            connection = self._connections.get(fd)
            if connection is not None:
                self._ready(connection)
            elif fd in self._acceptor.fds:
                self._accept(fd)
            elif fd == self._wake_fd:
                os.read(fd, 4096)
        if self._pending:
            self._round()
        else:
            self._acceptor.allow(1)
        if self._streams:
            self._go_on()
        if self._polled >= self._next_tick:
            self._tick()

    def _set_stamp(self) -> None:
        seconds = int(time.time())
        if seconds != self._second:
            self._second = seconds
            self._stamp = Stamp.at(seconds, self._settings.software)

    def _round(self) -> None:
        """Call the application for a group of requests, then iterate the bodies.

        All answers are begun before the first is sent: a client that is woken by each would take the
        processor from the next.
        """
        limit = self._settings.group_limit
        group, self._pending = self._pending[:limit], self._pending[limit:]
        self._acceptor.allow(2 * len(group))
        for connection in group:
            self._call(connection)
        answers = [(connection, self._first(connection)) for connection in group]
        for connection, data in answers:
            self._pump(connection, data)

    def _first(self, connection: Connection) -> bytes:
        return b"" if connection.exchange is None else self._advance(connection.exchange)

    def _go_on(self) -> None:
        streams, self._streams = self._streams, []
        for connection in streams:
            self._pump(connection)

    def _beat(self) -> None:
        self._now = time.monotonic()
        if self._now >= self._next_beat:
            self._next_beat = self._now + self._settings.beat
            self._host.beat()

    def _tick(self) -> None:
        """Give up on clients that let us wait, as of the last poll: what came since then is unread, not late."""
        self._next_tick = self._polled + self._tick_seconds
        for connection in list(self._connections.values()):
            if self._polled - connection.since > self._patience(connection):
                self._give_up(connection)
        self._admit()

    # -- coming in -----------------------------------------------------------------------------------

    def _accept(self, fd: int) -> None:
        for client, peer, environ in self._acceptor.waiting(fd):
            parser = RequestParser(
                {**environ, **peer_names(peer)}, self._rules, self._proxies.rules_for(peer)
            )
            connection = Connection(client, parser, self._now)
            self._connections[connection.fd] = connection
            self._epoll.register(connection.fd, select.EPOLLIN)
            if self._is_full():
                self._turned_away.add(connection.fd)
                self._refuse(connection, _FULL)
            else:
                self._receive(connection)
            if len(self._turned_away) >= _TURNED_AWAY:
                self._acceptor.pause()
                return
        os.sched_yield()  # another worker may take the next connection of a burst
        if self._acceptor.trouble is not None:
            self._host.failed("Cannot accept connections", self._acceptor.trouble)

    def _admit(self) -> None:
        """Accept again where a bound had stopped it."""
        if not self._stopping and len(self._turned_away) < _TURNED_AWAY:
            self._acceptor.watch()

    def _is_full(self) -> bool:
        return len(self._connections) - len(self._turned_away) > self._settings.max_connections

    def _ready(self, connection: Connection) -> None:
        if connection.unsent is not None:
            self._flush(connection)
        elif connection.lingering:
            self._drain(connection)
        elif connection.exchange is None:
            self._receive(connection)

    def _receive(self, connection: Connection) -> None:
        parser = connection.parser
        had_begun = parser.in_message
        try:
            size = connection.socket.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            self._drop(connection)
            return
        parser.feed(self._view[:size])
        if parser.ready:
            self._enqueue(connection)
            return
        if not had_begun:
            connection.since = self._now
        if parser.take_expectation():
            self._send(connection, CONTINUE)

    def _enqueue(self, connection: Connection) -> None:
        item = connection.parser.ready.popleft()
        if isinstance(item, Refusal):
            self._refuse(connection, item)
            return
        goes_on = connection.parser.ready or not connection.parser.ended
        keep_alive = (
            item.keep_alive and bool(goes_on) and not self._stopping and self._settings.keep_alive > 0
        )
        connection.exchange = Exchange(item, self._stamp, keep_alive=keep_alive, started=self._now)
        self._pending.append(connection)

    def _refuse(self, connection: Connection, refusal: Refusal) -> None:
        environ = connection.parser.template
        connection.exchange = Exchange.refusing(refusal, environ, self._stamp, self._now)
        self._pump(connection)

    # -- answering -----------------------------------------------------------------------------------

    def _call(self, connection: Connection) -> None:
        self._beat()
        exchange = connection.exchange
        if exchange is None:
            return
        with self._edge:
            if self._host.before_call is not None:
                self._host.before_call(exchange)
            exchange.call(self._application)
            return
        exchange.fail()

    def _pump(self, connection: Connection, data: bytes | None = None) -> None:
        """Send the answer as far as it is there, the kernel takes it and the slice lasts."""
        exchange = connection.exchange
        if exchange is None:
            return
        left = _SLICE_BYTES
        while left > 0:
            self._beat()
            if data is None:
                data = self._advance(exchange)
            if data and not self._send(connection, data):
                return
            if exchange.done or exchange.broken:
                self._finish(connection, exchange)
                return
            left -= len(data) + _STEP_COST
            data = None
        self._streams.append(connection)

    def _advance(self, exchange: Exchange) -> bytes:
        with self._edge:
            return exchange.advance()
        exchange.fail()
        return b"" if exchange.broken else exchange.advance()

    def _send(self, connection: Connection, data: bytes | memoryview) -> bool:
        """Send, and otherwise wait until the client takes more; tell whether all is sent."""
        try:
            if connection.send(data):
                return True
        except OSError:
            self._drop(connection)
            return False
        connection.since = self._now
        self._watch(connection, select.EPOLLOUT)
        return False

    def _flush(self, connection: Connection) -> None:
        if connection.unsent is None or not self._send(connection, connection.unsent):
            return
        self._watch(connection, select.EPOLLIN)
        exchange = connection.exchange
        if exchange is None:
            return
        if exchange.done or exchange.broken:
            self._finish(connection, exchange)
            return
        self._streams.append(connection)

    def _watch(self, connection: Connection, events: int) -> None:
        if connection.events != events:
            connection.events = events
            self._epoll.modify(connection.fd, events)

    def _finish(self, connection: Connection, exchange: Exchange) -> None:
        parser = connection.parser
        connection.exchange = None
        connection.served = True
        connection.since = self._now
        self._conclude(exchange)
        if exchange.broken:
            self._break_off(connection, exchange)
        elif not exchange.keep_alive:
            self._hang_up(connection, exchange)
        elif parser.ready:
            self._enqueue(connection)
        elif parser.take_expectation():
            self._send(connection, CONTINUE)

    def _conclude(self, exchange: Exchange) -> None:
        with self._edge:
            exchange.close()
        with self._edge:
            self._host.finished(exchange, self._now - exchange.started)

    # -- parting -------------------------------------------------------------------------------------

    def _hang_up(self, connection: Connection, exchange: Exchange) -> None:
        """Close at once where the client asked for it; otherwise it may be sending still."""
        if exchange.refusal is None and not exchange.request.keep_alive:
            self._drop(connection)
            return
        try:
            connection.say_goodbye()
        except OSError:
            self._drop(connection)

    def _break_off(self, connection: Connection, exchange: Exchange) -> None:
        if not exchange.is_delimited:
            connection.reset()
        self._drop(connection)

    def _drain(self, connection: Connection) -> None:
        try:
            goes_on = connection.drain(self._buffer)
        except OSError:
            goes_on = False
        if not goes_on:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        if self._connections.pop(connection.fd, None) is None:
            return
        self._turned_away.discard(connection.fd)
        exchange, connection.exchange = connection.exchange, None
        if exchange is not None:
            self._conclude(exchange)
        self._epoll.unregister(connection.fd)
        connection.close()
        if self._acceptor.trouble is None:
            self._admit()

    def _patience(self, connection: Connection) -> float:
        """Return how long the present wait of a connection may last."""
        settings = self._settings
        if connection.lingering:
            return settings.linger_timeout
        if connection.unsent is not None:
            return settings.send_timeout
        if connection.exchange is not None:
            return math.inf
        if connection.parser.in_message:
            return self._reading_patience(connection.parser)
        usual = settings.keep_alive if connection.served else settings.head_timeout
        is_crowded = len(self._connections) > settings.max_connections * 7 // 8
        return min(usual, _SHORT_PATIENCE) if is_crowded or self._stopping else usual

    def _reading_patience(self, parser: RequestParser) -> float:
        if not parser.in_body:
            return self._settings.head_timeout
        return self._settings.head_timeout + self._settings.body_timeout + parser.received / _SLOWEST_BODY

    def _give_up(self, connection: Connection) -> None:
        if connection.parser.in_message and not connection.lingering and connection.unsent is None:
            self._refuse(connection, Refusal(HTTPStatus.REQUEST_TIMEOUT, "request took too long"))
            return
        self._drop(connection)

    # -- stopping ------------------------------------------------------------------------------------

    def _finish_up(self) -> None:
        """Answer what has come, with "Connection: close", and leave idle clients a moment to notice."""
        self._stopping = True
        for fd in self._acceptor.fds:
            self._accept(fd)
        self._acceptor.close()
        self._tick_seconds = _STOP_TICK_SECONDS
        deadline = time.monotonic() + self._settings.graceful_timeout
        for connection in self._connections.values():
            if connection.exchange is None and not connection.parser.in_message:
                connection.since = self._now
        while self._connections and self._now < deadline:
            self._turn(_STOP_TICK_SECONDS)

    def _shut(self) -> None:
        for connection in list(self._connections.values()):
            self._drop(connection)
        self._acceptor.close()
        self._epoll.close()
