import errno
import select
import socket

import pytest

from gateway.server.acceptor import Acceptor, Listener


class Poor(socket.socket):
    """A listener on a machine that has run out of descriptors."""

    trouble = errno.EMFILE

    def accept(self):
        raise OSError(self.trouble, "no more")


@pytest.fixture
def epoll():
    with select.epoll() as poller:
        yield poller


def listening(kind=socket.socket):
    listener = kind(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.setblocking(False)
    return listener


def test_waiting_connections_come_with_peer_and_environ(epoll):
    with listening() as listener, socket.create_connection(listener.getsockname()) as client:
        acceptor = Acceptor(epoll, [Listener(listener, {"a": "b"})])
        acceptor.watch()
        ((fd, _),) = epoll.poll(5)
        ((accepted, peer, environ),) = acceptor.waiting(fd)
        with accepted:
            assert peer == client.getsockname()
            assert environ == {"a": "b"}
            assert not accepted.getblocking()


@pytest.mark.parametrize(("allowed", "taken"), [(None, 1), (0, 1), (1, 1), (5, 5), (16, 16), (1000, 16)])
def test_a_turn_takes_one_connection_or_as_many_as_are_allowed(epoll, allowed, taken):
    with listening() as listener:
        clients = [socket.create_connection(listener.getsockname()) for _ in range(40)]
        acceptor = Acceptor(epoll, [Listener(listener, {})])
        if allowed is not None:
            acceptor.allow(allowed)
        first, second = ([found[0] for found in acceptor.waiting(listener.fileno())] for _ in range(2))
        assert (len(first), len(second)) == (taken, taken)
        for end in [*clients, *first, *second]:
            end.close()


def test_a_paused_listener_is_not_watched(epoll):
    with listening() as listener, socket.create_connection(listener.getsockname()):
        acceptor = Acceptor(epoll, [Listener(listener, {})])
        acceptor.watch()
        acceptor.watch()
        assert epoll.poll(5)
        acceptor.pause()
        acceptor.pause()
        assert not epoll.poll(0.05)


def test_without_resources_it_pauses_instead_of_spinning(epoll):
    with listening(Poor) as listener, socket.create_connection(listener.getsockname()):
        acceptor = Acceptor(epoll, [Listener(listener, {})])
        acceptor.watch()
        assert list(acceptor.waiting(listener.fileno())) == []
        assert acceptor.trouble.errno == errno.EMFILE
        assert not epoll.poll(0.05)
        acceptor.watch()
        assert acceptor.trouble is None
        assert epoll.poll(5)


def test_a_closed_acceptor_lets_go_of_its_listeners(epoll):
    listener = listening()
    acceptor = Acceptor(epoll, [Listener(listener, {})])
    acceptor.watch()
    acceptor.close()
    assert listener.fileno() == -1
    assert acceptor.fds == frozenset()
