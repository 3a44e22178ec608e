"""A body over the limit is refused before it is read, under every kind of worker."""

import socket
from collections.abc import Iterator

import pytest
from support.databases import sqlite_url
from support.server import Server

WORKERS = [None, "sync", "gthread"]  # None: our own
HEAD = b"POST /sms/acme%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module", params=WORKERS, ids=["group", "sync", "gthread"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("limits")
    options = ("--threads", "2") if request.param == "gthread" else ()
    with Server(
        folder,
        sqlite_url(folder),
        worker_class=request.param,
        workers=1,
        options=options,
        # Our own worker reads what some route may take: a bulk call of the API has 320 bytes for each address.
        extra="[limits]\nbody_bytes = 4096\ncheck_addresses = 1\nlink_recipients = 1\n",
    ) as running:
        yield running


def status(server: Server, *parts: bytes, past: bytes = b"") -> bytes:
    """Send the parts and nothing more, and return the status of what comes back while we still could send."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
        answer = connection.recv(65536)
        if past and answer == past:
            answer = connection.recv(65536)
        return answer.removeprefix(past).split(b" ", 2)[1]


@pytest.mark.parametrize("path", [b"", b"/status"])
def test_a_declared_length_that_no_request_may_have_is_refused_before_a_byte_of_it(
    server: Server, path: bytes
):
    assert status(server, HEAD % path + b"Content-Length: 5000\r\n\r\n") == b"413"


def test_a_client_that_waits_to_be_asked_need_not_send_its_body(server: Server):
    """gunicorn's own workers ask for it by themselves, and then refuse it all the same."""
    head = HEAD % b"" + b"Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n"
    assert status(server, head, past=b"HTTP/1.1 100 Continue\r\n\r\n") == b"413"


@pytest.mark.parametrize("path", [b"", b"/status"])
def test_a_body_over_the_limit_of_webhooks_is_refused(server: Server, path: bytes):
    assert status(server, HEAD % path + b"Content-Length: 4097\r\n\r\n", b"x" * 4097) == b"413"


def test_a_body_in_chunks_is_refused_where_it_passes_the_limit(server: Server):
    chunks = [b"400\r\n" + b"x" * 1024 + b"\r\n"] * 5
    assert status(server, HEAD % b"" + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n") == b"413"


def test_a_body_at_the_limit_is_read(server: Server):
    """It proves nothing, so it is refused as a forged one: but it was read."""
    assert status(server, HEAD % b"" + b"Content-Length: 4096\r\n\r\n", b"x" * 4096) == b"403"
