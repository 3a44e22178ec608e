"""One client's connection: its socket, its parser, the answer in progress and what is still to be sent."""

import select
import socket
import struct
from contextlib import suppress

from gateway.server.request import RequestParser
from gateway.server.response import Exchange

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LINGER_DRAIN = 1 << 20
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close with a reset


class Connection:
    """State of a connection. At most one exchange at a time; requests that came too early wait in the parser."""

    __slots__ = (
        "drained",
        "events",
        "exchange",
        "fd",
        "lingering",
        "parser",
        "served",
        "since",
        "socket",
        "unsent",
    )

    def __init__(self, client: socket.socket, parser: RequestParser, now: float) -> None:
        self.socket = client
        self.fd = client.fileno()
        self.parser = parser
        self.exchange: Exchange | None = None
        self.unsent: memoryview | None = None  # what the kernel did not take yet
        self.events = select.EPOLLIN  # what epoll watches
        self.since = now  # when the present wait began, monotonic seconds
        self.served = False  # a request was answered
        self.lingering = False  # everything is said; reading on so that no reset overtakes the answer
        self.drained = 0

    def send(self, data: bytes | memoryview) -> bool:
        """Send and keep what the kernel does not take; tell whether all went out. Raises OSError."""
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent == len(data):
            self.unsent = None
            return True
        self.unsent = memoryview(data)[sent:]
        return False

    def drain(self, buffer: bytearray) -> bool:
        """Throw away what a lingering client still sends; tell whether it may go on. Raises OSError."""
        try:
            size = self.socket.recv_into(buffer)
        except BlockingIOError:
            return True
        self.drained += size
        return size > 0 and self.drained < _LINGER_DRAIN

    def say_goodbye(self) -> None:
        """Half-close: the client sees the end of the answer while we still read. Raises OSError."""
        self.socket.shutdown(socket.SHUT_WR)
        self.lingering = True

    def reset(self) -> None:
        """Make the coming close a reset: the client must not take a cut answer for a whole one."""
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def close(self) -> None:
        """Close the socket and let go of the parser."""
        self.parser.close()
        self.socket.close()
