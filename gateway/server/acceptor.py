"""Taking connections off the listeners, up to a bound."""

import select
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from wsgiref.types import WSGIEnvironment

_MOST_PER_TURN = 16
# Of several workers that wait on one listener the kernel wakes one, not all.
_EVENTS = select.EPOLLIN | select.EPOLLEXCLUSIVE


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket and the part of the environ that is the same for all its requests."""

    socket: socket.socket
    environ: WSGIEnvironment


class Acceptor:
    """Listeners within an epoll. Paused, they wait in the kernel's backlog.

    Connections that come in a burst and stay are shared by the workers only if none takes what another has
    time for. So an idle one takes a single connection a turn, a busy one as many as keep its groups growing.
    """

    def __init__(self, epoll: select.epoll, listeners: Sequence[Listener]) -> None:
        self._epoll = epoll
        self._listeners = {listener.socket.fileno(): listener for listener in listeners}
        self._fds = frozenset(self._listeners)
        self._watching = False
        self._per_turn = 1
        self.trouble: OSError | None = None  # why the machine gave no further connection

    @property
    def fds(self) -> frozenset[int]:
        """Return the descriptors of the listeners."""
        return self._fds

    def watch(self) -> None:
        """Begin or resume to accept."""
        self.trouble = None
        if self._watching:
            return
        self._watching = True
        for fd in self._fds:
            self._epoll.register(fd, _EVENTS)

    def allow(self, connections: int) -> None:
        """Take up to so many connections in the next turn, within bounds."""
        self._per_turn = max(1, min(connections, _MOST_PER_TURN))

    def pause(self) -> None:
        """Leave new connections to the backlog and to other workers."""
        if not self._watching:
            return
        self._watching = False
        for fd in self._fds:
            self._epoll.unregister(fd)

    def waiting(self, fd: int) -> Iterator[tuple[socket.socket, object, WSGIEnvironment]]:
        """Yield the connections that wait on a listener with their peer and fixed environ, some per turn."""
        listener = self._listeners[fd]
        for _ in range(self._per_turn):
            try:
                client, peer = listener.socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                # Out of descriptors or memory, mostly: trying again at once would only burn time.
                self.trouble = error
                self.pause()
                return
            client.setblocking(False)
            yield client, peer, listener.environ

    def close(self) -> None:
        """Accept no more, for good."""
        self.pause()
        for listener in self._listeners.values():
            listener.socket.close()
        self._listeners.clear()
        self._fds = frozenset()
