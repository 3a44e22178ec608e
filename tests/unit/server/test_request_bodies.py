import os
import time

import pytest

POST = b"POST / HTTP/1.1\r\nHost: test\r\n"


def get(path, *headers):
    lines = "".join(f"{line}\r\n" for line in headers)
    return f"GET {path} HTTP/1.1\r\nHost: test\r\n{lines}\r\n".encode()


def test_a_body_arrives_however_it_is_framed(serve):
    client = serve().client()
    client.send(POST + b"Content-Length: 5\r\n\r\nhello")
    assert client.answer().body == b"/ hello"
    client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n")
    client.send(b"3\r\nllo\r\n0\r\n\r\n")
    assert client.answer().body == b"/ hello"


def test_a_large_body_arrives_whole(serve):
    body = os.urandom(3_000_000)
    client = serve().client()
    client.send(POST + b"Content-Length: 3000000\r\n\r\n" + body)
    assert client.answer().body == b"/ " + body
    assert client.get().status == 200


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Transfer-Encoding: gzip, chunked",
    ],
)
def test_a_smuggled_request_is_never_served(serve, diary, framing):
    client = serve(diary).client().send(POST + framing + b"\r\n\r\n0\r\n\r\n" + get("/smuggled"))
    assert client.answer().status in {400, 501}
    assert client.is_closed()
    assert diary.lines == []


def test_a_body_is_asked_for_when_the_client_waits(serve):
    client = serve().client().send(POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert client.answer().status == 100
    client.send(b"hello")
    assert client.answer().body == b"/ hello"


def test_a_waiting_client_behind_another_request_is_asked_after_it(serve):
    client = serve().client().send(get("/") + POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert [client.answer().status for _ in range(2)] == [200, 100]
    client.send(b"hello")
    assert client.answer().body == b"/ hello"


@pytest.mark.parametrize(
    ("size", "expectation", "status"), [(5, b"100-continue", 413), (4, b"miracles", 417)]
)
def test_a_body_that_is_not_wanted_is_not_asked_for(serve, size, expectation, status):
    client = serve(body_limit=4).client()
    client.send(POST + b"Content-Length: %d\r\nExpect: %b\r\n\r\n" % (size, expectation))
    assert client.answer().status == status
    assert client.is_closed()


def test_a_body_too_large_is_refused_before_it_comes(serve):
    client = serve(body_limit=1000).client().send(POST + b"Content-Length: 1001\r\n\r\n")
    assert client.answer().status == 413
    assert client.is_closed()


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [(b"/v1/check", 900, 200), (b"/v1/check", 1001, 413), (b"/sms/main", 101, 413)],
)
@pytest.mark.parametrize(
    "framing", [b"Content-Length: %d\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n%x\r\n"]
)
def test_only_a_path_of_bulk_calls_takes_large_bodies(serve, path, size, status, framing):
    client = serve(body_limit=100, larger_bodies={"/v1/": 1000}).client()
    client.send(POST.replace(b" / ", b" %b " % path) + framing % size + b"x" * size)
    if b"chunked" in framing and status == 200:
        client.send(b"\r\n0\r\n\r\n")
    assert client.answer().status == status


def test_the_body_limit_comes_from_the_environment(serve, monkeypatch):
    monkeypatch.setenv("GATEWAY_BODY_LIMIT", "4")
    client = serve().client().send(POST + b"Content-Length: 5\r\n\r\n")
    assert client.answer().status == 413


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 600000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n927c0\r\n"]
)
def test_a_client_that_sends_on_still_sees_the_413(serve, framing):
    client = serve(body_limit=1000).client().send(POST + framing)
    for _ in range(6):
        client.send(b"x" * 100_000)
        time.sleep(0.01)
    assert client.answer().status == 413
    assert client.is_closed()


def test_a_client_that_never_stops_sending_is_cut_off(serve):
    client = serve(body_limit=1000).client().send(POST + b"Content-Length: 100000000\r\n\r\n")
    with pytest.raises(OSError, match=r"reset|[Bb]roken"):
        client.send(b"x" * 100_000_000)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: test\r\n\r\n", 414),
        (get("/", *[f"X-{number}: y" for number in range(101)]), 431),
        (get("/", "X: " + "y" * 9000), 431),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: test\r\n\r\n", 505),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400),
    ],
)
def test_what_breaks_the_rules_is_told_so_and_closed(serve, request_bytes, status):
    served = serve()
    client = served.client().send(request_bytes)
    assert client.answer().status == status
    assert client.is_closed()
    served.catch_up()
    assert any(line.startswith(f"Refused a request: {status}") for line in served.log.lines)
    assert served.log.errors == []


def test_a_full_disk_is_told_to_the_client_and_to_the_operator(serve, monkeypatch):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    served = serve()
    client = served.client().send(POST + b"Content-Length: 1000000\r\n\r\n" + b"x" * 300_000)
    assert client.answer().status == 507
    served.catch_up()
    assert len(served.log.errors) == 1


def test_gunicorns_own_limits_hold(serve):
    served = serve(limit_request_line=50, limit_request_fields=3, limit_request_field_size=100)
    assert served.client().get("/" + "a" * 50).status == 414
    assert served.client().get("/", "A: b", "C: d", "E: f").status == 431
    assert served.client().get("/", "A: " + "b" * 100).status == 431
    assert served.client().get("/", "A: b", "C: d").status == 200
