import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

POST = b"POST / HTTP/1.1\r\nHost: test\r\n"
# A generous bound for "at once" on a busy machine, and far below the time-outs it is told from.
SOON = 3


def get(path, *headers):
    lines = "".join(f"{line}\r\n" for line in headers)
    return f"GET {path} HTTP/1.1\r\nHost: test\r\n{lines}\r\n".encode()


def test_a_connection_serves_many_requests(serve):
    client = serve().client()
    for number in range(5):
        answer = client.get(f"/{number}")
        assert (answer.status, answer.body) == (200, b"/%d " % number)
        assert answer["connection"] is None
        assert answer["date"].endswith("GMT")
        assert answer["server"] == "gunicorn"


@pytest.mark.parametrize(
    "request_bytes",
    [get("/", "Connection: close"), b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n"],
)
def test_a_connection_ends_when_the_client_says_so(serve, request_bytes):
    client = serve().client().send(request_bytes)
    assert client.answer()["connection"] == "close"
    assert client.is_closed()


def test_http_1_0_may_stay(serve):
    client = serve().client()
    for _ in range(2):
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert client.answer()["connection"] == "keep-alive"


def test_no_keep_alive_is_a_setting(serve):
    client = serve(keepalive=0).client()
    assert client.get()["connection"] == "close"
    assert client.is_closed()


def test_pipelined_requests_are_answered_in_order_and_one_at_a_time(serve, diary):
    client = serve(diary).client().send(b"".join(get(f"/{number}") for number in range(20)))
    assert [client.answer().body for _ in range(20)] == [b"/%d" % number for number in range(20)]
    assert diary.kinds == "cb" * 20


def test_a_pipelining_client_does_not_keep_others_waiting(serve, diary):
    served = serve(diary)
    greedy, modest = served.client(), served.client()
    modest.get("/warm")
    diary.hold(greedy)
    greedy.send(get("/greedy") * 50)
    modest.ask("/modest")
    diary.release()
    assert modest.answer().body == b"/modest"
    assert diary.paths("call").index("/modest") < 20
    for _ in range(51):
        greedy.answer()


def test_a_client_that_pipelines_without_bound_is_answered_in_part_and_closed(serve):
    client = serve().client().send(get("/a") * 500)
    answers = [client.answer() for _ in range(64)]
    assert {answer.body for answer in answers} == {b"/a "}
    assert [answer["connection"] for answer in answers] == [None] * 63 + ["close"]
    assert client.is_closed()


def test_a_refused_request_is_answered_after_the_good_ones_before_it(serve):
    client = serve().client().send(get("/a") + get("/b") + b"nonsense\r\n\r\n" + get("/c"))
    assert [client.answer().status for _ in range(3)] == [200, 200, 400]
    assert client.is_closed()


def test_a_client_that_has_finished_sending_gets_its_answer(serve):
    client = serve().client().ask("/a")
    client.socket.shutdown(socket.SHUT_WR)
    assert client.answer().body == b"/a "
    assert client.is_closed()


def test_connections_are_bounded_and_the_rest_is_told_to_come_again_before_its_body(serve):
    served = serve(worker_connections=2)
    first, second = served.client(), served.client()
    assert first.get().status == second.get().status == 200
    third = served.client()
    third.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n")
    answer = third.answer()
    assert (answer.status, answer["retry-after"]) == (503, "5")
    assert third.is_closed()
    first.close()
    deadline = time.monotonic() + SOON
    while served.client().get().status != 200:
        assert time.monotonic() < deadline


def test_silent_connections_give_way_when_others_wait(serve):
    served = serve(worker_connections=8, keepalive=60, head_timeout=60.0)
    for client in [served.client() for _ in range(8)][:5]:
        assert client.get().status == 200
    started = time.monotonic()
    assert served.client().get().status == 503
    while served.client().get().status != 200:
        assert time.monotonic() - started < SOON
        time.sleep(0.05)
    assert time.monotonic() - started > 0.5


def test_many_clients_at_once(serve):
    served = serve()
    clients = [served.client() for _ in range(150)]
    for _ in range(3):
        for client in clients:
            client.ask("/")
        assert {client.answer().status for client in clients} == {200}


_STREAM = (
    get("/a?b=c")
    + POST
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    + POST
    + b"Content-Length: 5\r\n\r\nworld"
    + get("/last", "Connection: close")
)


def test_cutting_the_stream_changes_no_answer(serve):
    served = serve()

    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.integers(1, len(_STREAM) - 1), max_size=6).map(sorted))
    def check(cuts):
        client = served.client()
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start, end in zip([0, *cuts], [*cuts, len(_STREAM)], strict=True):
            client.send(_STREAM[start:end])
            time.sleep(0.001)
        assert [client.answer().body for _ in range(4)] == [b"/a ", b"/ hello", b"/ world", b"/last "]
        assert client.is_closed()
        client.close()

    check()


def test_no_bytes_kill_the_worker(serve):
    served = serve()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.binary(max_size=200), st.integers(0, len(_STREAM)), st.booleans())
    def check(noise, at, reset):
        client = served.client()
        client.send(_STREAM[:at] + noise)
        if reset:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()

    check()
    assert served.client().get("/alive").body == b"/alive "
    assert served.log.errors == []
