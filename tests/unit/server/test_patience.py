import itertools
import time

import pytest

POST = b"POST / HTTP/1.1\r\nHost: test\r\n"
# A generous bound for "at once" on a busy machine, and far below the time-outs it is told from.
SOON = 3


def slow_call(_environ, start_response):
    time.sleep(0.05)
    start_response("200 OK", [])
    return [b"done"]


def slow_body(_environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    for letter in (b"d", b"o", b"n", b"e"):
        time.sleep(0.0125)
        yield letter


def get(path, *headers):
    lines = "".join(f"{line}\r\n" for line in headers)
    return f"GET {path} HTTP/1.1\r\nHost: test\r\n{lines}\r\n".encode()


@pytest.mark.usefixtures("quick")
def test_an_unfinished_head_is_a_408_however_it_trickles(serve):
    served = serve(head_timeout=0.5)
    client, other = served.client(), served.client()
    started = time.monotonic()
    client.socket.settimeout(0.1)
    for byte in get("/") * 4:
        client.send(bytes([byte]))
        try:
            client._more()
            break
        except TimeoutError:
            assert other.get().status == 200
    client.socket.settimeout(SOON)
    assert client.answer().status == 408
    assert client.is_closed()
    assert 0.4 < time.monotonic() - started < 5


@pytest.mark.usefixtures("quick")
def test_an_unfinished_body_is_a_408(serve):
    client = serve(head_timeout=0.2, body_timeout=0.3).client()
    client.send(POST + b"Content-Length: 100\r\n\r\nhello")
    assert client.answer().status == 408
    assert client.is_closed()


@pytest.mark.usefixtures("quick")
def test_a_body_that_comes_slowly_but_surely_is_taken(serve):
    client = serve(head_timeout=0.5, body_timeout=0.5).client()
    client.send(POST + b"Content-Length: 12000\r\n\r\n")
    for _ in range(6):
        client.send(b"x" * 2000)
        time.sleep(0.3)
    assert client.answer().status == 200


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("used", [False, True])
def test_an_idle_connection_is_closed_without_a_word(serve, used):
    served = serve(keepalive=1, head_timeout=1.0)
    client = served.client()
    if used:
        client.get()
    assert client.is_closed()


@pytest.mark.usefixtures("quick")
def test_a_new_head_has_its_full_time_on_an_old_connection(serve):
    client = serve(head_timeout=1.5, keepalive=9).client()
    client.get()
    time.sleep(1.2)
    client.send(b"GET /late HTTP/1.1\r\n")
    time.sleep(0.8)
    client.send(b"Host: test\r\n\r\n")
    assert client.answer().body == b"/late "


def test_what_lies_unread_when_the_application_was_slow_is_not_late(serve, diary, monkeypatch):
    monkeypatch.setattr("gateway.server.loop._TICK_SECONDS", 0)
    served = serve(diary, head_timeout=0.5, keepalive=1)
    first, second = served.client(), served.client()
    second.get("/warm")
    second.send(b"GET /late HTTP/1.1\r\n")
    diary.hold(first)
    second.send(b"Host: test\r\n\r\n")
    time.sleep(0.8)
    diary.release()
    assert second.answer().body == b"/late"


@pytest.mark.parametrize("application", [slow_call, slow_body])
def test_the_arbiter_hears_from_an_idle_and_from_a_busy_worker(serve, application, monkeypatch):
    beats = []
    served = serve(application, arbiter_timeout=1.0)
    monkeypatch.setattr(served.worker, "notify", lambda: beats.append(time.monotonic()))
    clients = [served.client() for _ in range(60)]
    time.sleep(2)
    idle = len(beats)
    for client in clients:
        client.ask("/")
    for client in clients:
        client.answer()
    pauses = [later - earlier for earlier, later in itertools.pairwise(beats)]
    assert idle >= 3
    assert len(beats) - idle >= 4
    assert max(pauses) < 2  # gunicorn tells its workers half of the time-out it kills them by


def test_a_stopping_worker_answers_what_it_has_and_closes(serve, diary):
    served = serve(diary, keepalive=60, graceful_timeout=20)
    busy, queued, idle, partial = (served.client() for _ in range(4))
    for client in (queued, idle):
        client.get("/warm")
    partial.send(b"GET /partial HTTP/1.1\r\n")
    diary.hold(busy)
    queued.ask("/queued")
    unaccepted = served.client().ask("/unaccepted")
    served.stop()
    diary.release()
    assert busy.answer().body == b"/gate"
    answer = queued.answer()
    assert (answer.body, answer["connection"]) == (b"/queued", "close")
    assert unaccepted.answer().body == b"/unaccepted"
    partial.send(b"Host: test\r\n\r\n")
    answer = partial.answer()
    assert (answer.body, answer["connection"]) == (b"/partial", "close")
    stopped = time.monotonic()
    assert idle.is_closed()
    served.join()
    assert time.monotonic() - stopped < 5
    with pytest.raises(ConnectionRefusedError):
        served.client()


def test_stopping_takes_no_longer_than_the_grace(serve, flood):
    served = serve(flood, graceful_timeout=1)
    served.client().ask("/flood")
    served.client().send(b"GET / HT")
    time.sleep(0.1)
    started = time.monotonic()
    served.stop()
    served.join()
    assert time.monotonic() - started < 4
    assert flood.closed.is_set()


def test_an_orphan_stops(serve):
    served = serve()
    served.client().get()
    served.worker.ppid = -1
    served.join()
    assert any("Parent changed" in line for line in served.log.lines)
