import sys
from http import HTTPStatus

import pytest

from gateway.server.refusal import Refusal
from gateway.server.request import Request
from gateway.server.response import Exchange, Stamp

STAMP = Stamp.at(784111777, "gunicorn")  # the date of RFC 9110's own example
LEAD = b"Server: gunicorn\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"


def exchange_for(application, *, head=False, modern=True, keep_alive=True):
    request = Request({"REQUEST_METHOD": "HEAD" if head else "GET"}, keep_alive, modern, head, None)
    exchange = Exchange(request, STAMP, keep_alive=keep_alive, started=0.0)
    exchange.call(application)
    return exchange


def sent(exchange):
    """Run the answer to its end; return what each step puts on the wire."""
    pieces = []
    while not exchange.done:
        pieces.append(exchange.advance())
    return pieces


def answering(status="200 OK", headers=(), body=()):
    def application(_environ, start_response):
        start_response(status, list(headers))
        return body

    return application


def fail(text):
    raise OSError(text)


def lines(data):
    return data.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_a_known_body_goes_out_in_one_piece_with_its_length():
    (data,) = sent(exchange_for(answering(headers=[("Content-Type", "text/xml")], body=[b"<R", b"/>"])))
    assert data == b"HTTP/1.1 200 OK\r\n" + LEAD + b"Content-Type: text/xml\r\nContent-Length: 4\r\n\r\n<R/>"


def test_nothing_is_sent_before_the_first_chunk_that_is_not_empty():
    def body():
        yield b""
        yield b"a"

    exchange = exchange_for(answering(body=body()))
    assert exchange.advance() == b""
    assert not exchange.headers_sent
    assert exchange.advance().endswith(b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    assert exchange.advance() == b"0\r\n\r\n"


def test_an_application_may_start_the_response_in_its_body():
    def application(_environ, start_response):
        def body():
            start_response("201 Created", [("Content-Length", "2")])
            yield b"ok"

        return body()

    first, last = sent(exchange_for(application))
    assert first == b"HTTP/1.1 201 Created\r\n" + LEAD + b"Content-Length: 2\r\n\r\nok"
    assert last == b""


def test_an_empty_iterator_is_an_empty_body():
    (data,) = sent(exchange_for(answering(body=iter([]))))
    assert data.endswith(b"Content-Length: 0\r\n\r\n")


def test_http_1_0_without_a_length_ends_by_closing():
    exchange = exchange_for(answering(body=iter([b"a", b"b"])), modern=False)
    first, second, _ = sent(exchange)
    assert not exchange.keep_alive
    assert not exchange.is_delimited
    assert b"Transfer-Encoding: chunked" not in lines(first)
    assert first.endswith(b"\r\n\r\na")
    assert second == b"b"


def test_http_1_0_is_told_that_the_connection_stays():
    (data,) = sent(exchange_for(answering(body=[b"a"]), modern=False))
    assert b"Connection: keep-alive" in lines(data)


@pytest.mark.parametrize("modern", [True, False])
def test_every_client_is_told_that_the_connection_closes(modern):
    (data,) = sent(exchange_for(answering(body=[b"a"]), keep_alive=False, modern=modern))
    assert b"Connection: close" in lines(data)


def test_the_close_of_a_body_without_length_is_announced():
    first, *_ = sent(exchange_for(answering(body=iter([b"a"])), modern=False))
    assert b"Connection: close" in lines(first)


def test_the_application_may_close_but_not_frame():
    headers = [
        ("Connection", "close"),
        ("Transfer-Encoding", "gzip"),
        ("Keep-Alive", "timeout=5"),
        ("Upgrade", "h2c"),
    ]
    exchange = exchange_for(answering(headers=headers, body=[b"a"]))
    (data,) = sent(exchange)
    assert lines(data)[3:] == [b"Connection: close", b"Content-Length: 1"]
    assert not exchange.keep_alive


def test_head_has_the_headers_and_no_body():
    (data,) = sent(exchange_for(answering(headers=[("Content-Length", "5")], body=[b"hello"]), head=True))
    assert data == b"HTTP/1.1 200 OK\r\n" + LEAD + b"Content-Length: 5\r\n\r\n"
    pieces = sent(exchange_for(answering(body=iter([b"hello"])), head=True))
    assert b"".join(pieces) == b"HTTP/1.1 200 OK\r\n" + LEAD + b"\r\n"


@pytest.mark.parametrize(("status", "length"), [("204 No Content", False), ("304 Not Modified", True)])
def test_bodiless_statuses(status, length):
    for body in ([b"hello"], iter([b"hello"]), []):
        exchange = exchange_for(answering(status, [("Content-Length", "5")], body))
        data = b"".join(sent(exchange))
        assert data.endswith(b"\r\n\r\n")
        assert (b"Content-Length: 5" in lines(data)) is length
        assert exchange.keep_alive


def test_more_than_the_promised_length_is_cut():
    pieces = sent(
        exchange_for(answering(headers=[("Content-Length", "3")], body=iter([b"ab", b"cd", b"ef"])))
    )
    assert b"".join(pieces).endswith(b"\r\n\r\nabc")
    (data,) = sent(exchange_for(answering(headers=[("Content-Length", "3")], body=[b"abcd"])))
    assert data.endswith(b"\r\n\r\nabc")


def test_less_than_the_promised_length_is_an_error():
    exchange = exchange_for(answering(headers=[("Content-Length", "3")], body=[b"ab"]))
    with pytest.raises(ValueError, match="shorter"):
        exchange.advance()
    assert not exchange.headers_sent
    exchange = exchange_for(answering(headers=[("Content-Length", "3")], body=iter([b"ab"])))
    exchange.advance()
    with pytest.raises(ValueError, match="shorter"):
        exchange.advance()
    exchange.fail()
    assert exchange.broken
    assert exchange.is_delimited


@pytest.mark.parametrize(
    ("status", "header"),
    [
        ("200 OK", ("X", "a\r\nSet-Cookie: evil=1")),
        ("200 OK", ("X", "a\nb")),
        ("200 OK", ("X", "a\rb")),
        ("200 OK", ("X", "a\0b")),
        ("200 OK", ("X", "€")),
        ("200 OK", ("X Y", "a")),
        ("200 OK", ("X:", "a")),
        ("200 OK", ("X\r\nY", "a")),
        ("200 OK", ("", "a")),
        ("200 OK", ("Content-Length", "five")),
        ("200 OK", ("Content-Length", "-1")),
        ("200 OK", ("Content-Length", "\u0665")),
        ("200 OK\r\nX: y", ("X", "a")),
        ("OK", ("X", "a")),
        ("100 Continue", ("X", "a")),
        ("101 Switching Protocols", ("X", "a")),
        ("2000 OK", ("X", "a")),
        ("200OK", ("X", "a")),
    ],
)
def test_headers_that_would_break_the_framing_are_refused(status, header):
    with pytest.raises(ValueError, match=r"status|header|Content-Length") as caught:
        exchange_for(answering(status, [header]))
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "header"), [(b"200 OK", ("X", "a")), ("200 OK", (b"X", "a")), ("200 OK", ("X", 5))]
)
def test_headers_must_be_text(status, header):
    with pytest.raises(TypeError):
        exchange_for(answering(status, [header]))


def test_a_length_is_given_once():
    with pytest.raises(ValueError, match="twice"):
        exchange_for(answering(headers=[("Content-Length", "1"), ("content-length", "2")]))


def test_a_status_keeps_its_blank_without_a_reason():
    (data,) = sent(exchange_for(answering("299", body=[b""])))
    assert data.startswith(b"HTTP/1.1 299 \r\n")


def test_the_applications_date_and_server_go_before_ours():
    (data,) = sent(exchange_for(answering(headers=[("date", "today"), ("Server", "mine")])))
    assert lines(data) == [b"HTTP/1.1 200 OK", b"date: today", b"Server: mine", b"Content-Length: 0"]


def test_bodies_must_be_bytes():
    for body in (["text"], iter(["text"]), iter([None, 5])):
        exchange = exchange_for(answering(body=body))
        with pytest.raises(TypeError):
            sent(exchange)


def test_a_response_must_be_started():
    exchange = exchange_for(lambda _environ, _start: [b"a"])
    with pytest.raises(AssertionError):
        exchange.advance()
    exchange = exchange_for(lambda _environ, _start: iter([b"a"]))
    with pytest.raises(AssertionError):
        exchange.advance()


def test_a_response_is_started_once():
    def application(_environ, start_response):
        start_response("200 OK", [])
        start_response("200 OK", [])

    with pytest.raises(AssertionError):
        exchange_for(application)


def test_an_error_replaces_headers_that_are_not_sent():
    def application(_environ, start_response):
        def body():
            start_response("200 OK", [("Content-Length", "7"), ("Date", "today")])
            try:
                fail("commit failed")
            except OSError:
                start_response("503 Service Unavailable", [("Retry-After", "1")], sys.exc_info())
            yield b"later"

        return body()

    data = b"".join(sent(exchange_for(application)))
    assert data.startswith(b"HTTP/1.1 503 Service Unavailable\r\n" + LEAD + b"Retry-After: 1\r\n")
    assert data.endswith(b"5\r\nlater\r\n0\r\n\r\n")


def test_an_error_after_the_headers_is_raised_again():
    def application(_environ, start_response):
        def body():
            start_response("200 OK", [])
            yield b"a"
            try:
                fail("too late")
            except OSError:
                start_response("503 Service Unavailable", [], sys.exc_info())

        return body()

    exchange = exchange_for(application)
    exchange.advance()
    with pytest.raises(OSError, match="too late"):
        exchange.advance()


def test_write_goes_before_the_body():
    def application(_environ, start_response):
        write = start_response("200 OK", [])
        write(b"a")
        write(b"")
        write(b"b")
        return [b"c"]

    data = b"".join(sent(exchange_for(application)))
    assert data.endswith(b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n")


def test_write_alone_is_a_body():
    def application(_environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])(b"ok")
        return []

    assert b"".join(sent(exchange_for(application))).endswith(b"Content-Length: 2\r\n\r\nok")


def test_a_failure_before_the_headers_becomes_a_500():
    def body():
        yield 1 / 0

    exchange = exchange_for(answering(headers=[("Content-Length", "900"), ("X", "y")], body=body()))
    with pytest.raises(ZeroDivisionError):
        exchange.advance()
    exchange.fail()
    (data,) = sent(exchange)
    assert lines(data)[0] == b"HTTP/1.1 500 Internal Server Error"
    assert data.endswith(b"Content-Length: 22\r\n\r\ninternal server error\n")
    assert exchange.keep_alive


def test_what_the_application_returned_is_closed_once_whatever_was_sent():
    class Body:
        closed = 0

        def __iter__(self):
            yield 1 / 0

        def close(self):
            self.closed += 1

    body = Body()
    exchange = exchange_for(answering(body=body))
    with pytest.raises(ZeroDivisionError):
        exchange.advance()
    exchange.fail()
    sent(exchange)
    exchange.close()
    exchange.close()
    assert body.closed == 1


def test_a_refusal_closes_and_says_why():
    refusal = Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body too large")
    exchange = Exchange.refusing(refusal, {"REMOTE_ADDR": "192.0.2.1"}, STAMP, 0.0)
    (data,) = sent(exchange)
    assert lines(data)[0].startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in lines(data)
    assert data.endswith(b"\r\n\r\nbody too large\n")
    assert exchange.request.environ["REMOTE_ADDR"] == "192.0.2.1"


def test_the_access_log_finds_status_headers_and_size():
    exchange = exchange_for(answering("201 Created", [("X", "y")], iter([b"ab", b"c"])))
    sent(exchange)
    assert (exchange.status, exchange.headers, exchange.sent) == ("201 Created", [("X", "y")], 3)
