from http import HTTPStatus

import pytest

from gateway.server.environ import HeaderNames, Targets
from gateway.server.refusal import Refusal
from gateway.server.request import Limits, Request, RequestParser, Rules

HEAD = b"POST /sms HTTP/1.1\r\nHost: test\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
# As the provider documents it: long names, a signature, form encoding.
TWILIO = (
    b"POST /sms/acme-twilio?a=b%20c HTTP/1.1\r\nHost: gateway.example\r\nContent-Length: 47\r\n"
    b"Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nX-Twilio-Signature: vQd0YUhbLbKSXmRYvVGjKKGDGr4=\r\n"
    b"I-Twilio-Idempotency-Token: 6a5e2d3c-0b39\r\nUser-Agent: TwilioProxy/1.1\r\n\r\n"
    b"From=%2B15550100123&Body=STOP&MessageSid=SM1234"
)


def read(*pieces, limits=None, refuse=False):
    rules = Rules(limits or Limits(), HeaderNames(refuse=refuse), Targets())
    parser = RequestParser({"fixed": True}, rules)
    for piece in pieces:
        parser.feed(piece)
    results = list(parser.ready)
    parser.close()
    return results


def status(*pieces, **options):
    (result,) = read(*pieces, **options)
    return result.status if isinstance(result, Refusal) else HTTPStatus.OK


def environ(*pieces, **options):
    (result,) = read(*pieces, **options)
    assert isinstance(result, Request), result
    return result.environ


def test_a_webhook_becomes_its_environ():
    found = environ(TWILIO)
    assert found.pop("wsgi.input").read() == b"From=%2B15550100123&Body=STOP&MessageSid=SM1234"
    assert found == {
        "fixed": True,
        "REQUEST_METHOD": "POST",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "RAW_URI": "/sms/acme-twilio?a=b%20c",
        "PATH_INFO": "/sms/acme-twilio",
        "QUERY_STRING": "a=b%20c",
        "CONTENT_LENGTH": "47",
        "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8",
        "HTTP_HOST": "gateway.example",
        "HTTP_X_TWILIO_SIGNATURE": "vQd0YUhbLbKSXmRYvVGjKKGDGr4=",
        "HTTP_I_TWILIO_IDEMPOTENCY_TOKEN": "6a5e2d3c-0b39",
        "HTTP_USER_AGENT": "TwilioProxy/1.1",
    }


@pytest.mark.parametrize(
    ("first_line", "header", "keep_alive"),
    [
        (b"GET / HTTP/1.1", b"X: y", True),
        (b"GET / HTTP/1.1", b"Connection: close", False),
        (b"GET / HTTP/1.1", b"Connection: keep-alive, Close", False),
        (b"GET / HTTP/1.0", b"X: y", False),
        (b"GET / HTTP/1.0", b"Connection: keep-alive", True),
    ],
)
def test_the_client_decides_whether_the_connection_stays(first_line, header, keep_alive):
    (request,) = read(first_line + b"\r\nHost: test\r\n" + header + b"\r\n\r\n")
    assert request.keep_alive is keep_alive
    assert request.modern is first_line.endswith(b"1.1")


def test_pipelined_requests_queue_up_in_order():
    requests = read(b"".join(b"GET /%d HTTP/1.1\r\nHost: test\r\n\r\n" % number for number in range(5)))
    assert [request.environ["PATH_INFO"] for request in requests] == ["/0", "/1", "/2", "/3", "/4"]


def test_pipelining_is_bounded_and_the_rest_left_unread():
    one = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
    requests = read(one * 1000, one, b"\x00")
    assert len(requests) == 64
    assert all(isinstance(request, Request) and request.keep_alive for request in requests)


def test_a_request_before_a_malformed_one_is_still_read():
    good, bad = read(b"GET / HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\nHost : test\r\n\r\n")
    assert good.environ["PATH_INFO"] == "/"
    assert bad == Refusal(HTTPStatus.BAD_REQUEST, "malformed request")


def test_what_follows_a_closing_request_is_ignored():
    closing = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    assert len(read(closing + closing, b"\r\n", b"\x00garbage")) == 1


def test_what_follows_a_refusal_is_ignored():
    assert len(read(b"\x00", b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")) == 1


def test_blanks_around_a_value_are_no_part_of_it():
    assert environ(HEAD + b"X: \t a b \t \r\n\r\n")["HTTP_X"] == "a b"


def test_values_are_latin_1():
    assert environ(HEAD + b"X: caf\xe9\xa0\r\n\r\n")["HTTP_X"] == "caf\xe9\xa0"


def test_repeated_headers_are_joined_by_commas():
    assert environ(HEAD + b"X: a\r\nY: -\r\nx: b\r\nX: c\r\n\r\n")["HTTP_X"] == "a,b,c"


@pytest.mark.parametrize("line", [b"Host: other", b"Content-Type: a/b\r\nContent-Type: a/b"])
def test_a_header_that_may_come_once_is_not_repeated(line):
    assert status(HEAD + line + b"\r\n\r\n") == 400


def test_an_underscore_cannot_forge_a_header():
    found = environ(HEAD + b"X-Real: 1\r\nX_Real: 2\r\nContent_Length: 7\r\n\r\n")
    assert found["HTTP_X_REAL"] == "1"
    assert "CONTENT_LENGTH" not in found
    assert status(HEAD + b"X_Real: 2\r\n\r\n", refuse=True) == 400


def test_http_1_1_names_its_host():
    assert status(b"GET / HTTP/1.1\r\n\r\n") == 400
    assert status(b"GET / HTTP/1.0\r\n\r\n") == 200


def test_an_absolute_target_overrides_the_host_header():
    assert environ(b"GET http://a.example/x HTTP/1.1\r\nHost: b.example\r\n\r\n")["HTTP_HOST"] == "a.example"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"OPTIONS * HTTP/1.1", 200),
        (b"GET * HTTP/1.1", 400),
        (b"CONNECT host:443 HTTP/1.1", 501),
        (b"SOURCE / HTTP/1.1", 501),
        (b"QUERY / HTTP/1.1", 200),
        (b"FOO / HTTP/1.1", 400),
        (b"get / HTTP/1.1", 400),
        (b"GET host:80 HTTP/1.1", 400),
        (b"GET / HTTP/2.0", 505),
        (b"GET / HTTP/0.9", 505),
        (b"GET / HTTP/1.2", 400),
        (b"GET / http/1.1", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b"GET /a b HTTP/1.1", 400),
        (b"GET /\xc3\xa9 HTTP/1.1", 400),
        (b" GET / HTTP/1.1", 400),
        (b"GET /", 505),
        (b"PRI * HTTP/2.0", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
    ],
)
def test_request_lines(line, expected):
    assert status(line + b"\r\nHost: test\r\n\r\n") == expected


@pytest.mark.parametrize(
    "head",
    [
        b"X : a",
        b" X: a",
        b"X: a\r\n folded",
        b"X",
        b": a",
        b"X(y): a",
        b"X\xe9: a",
        b"X: a\nY: b",
        b"X: a\rY: b",
        b"X: a\x00",
        b"X: a\x0b",
        b"X: a\x7f",
        b"X: a\r\n\nY: b",
    ],
)
def test_malformed_headers_are_refused(head):
    assert status(HEAD + head + b"\r\n\r\n") == 400


def test_lines_must_end_with_cr_lf():
    assert status(b"GET / HTTP/1.1\nHost: test\n\n") == 400


@pytest.mark.parametrize(
    ("framing", "expected"),
    [
        (b"Content-Length: 5\r\nContent-Length: 6", 400),
        (b"Content-Length: 5\r\nContent-Length: 5", 400),
        (b"Content-Length: 5, 5", 400),
        (b"Content-Length: +5", 400),
        (b"Content-Length: -5", 400),
        (b"Content-Length: 0x5", 400),
        (b"Content-Length: 5_0", 400),
        (b"Content-Length:", 400),
        (b"Content-Length: \xb2", 400),
        (b"Content-Length: 99999999999999999999", 400),
        (b"Content-Length: 9999999999999", 413),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: chunked, chunked", 400),
        (b"Transfer-Encoding: chunked, identity", 400),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
        (b"Transfer-Encoding: gzip, chunked", 501),
        (b"Transfer-Encoding: gzip", 501),
        (b"Transfer-Encoding: xchunked", 501),
        (b"Transfer-Encoding:", 400),
        (b"Transfer-Encoding: \x0bchunked", 400),
        (b"Transfer-Encoding : chunked", 400),
        (b"Content-Length: 5\r\nTransfer_Encoding: chunked", 200),
        (b"Content-Length: 005 ", 200),
        (b"Transfer-Encoding: Chunked", 200),
    ],
)
def test_framing_that_could_be_read_in_two_ways_is_refused(framing, expected):
    body = b"5\r\nhello\r\n0\r\n\r\n" if b"Chunked" in framing else b"hello"
    assert status(HEAD + framing + b"\r\n\r\n" + body) == expected


def test_http_1_0_has_no_chunks():
    assert status(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400


def test_a_chunked_body_is_decoded():
    found = environ(CHUNKED + b"5\r\nhello\r\n6;name=value\r\n world\r\n0\r\n\r\n")
    assert found["wsgi.input"].read() == b"hello world"
    assert "CONTENT_LENGTH" not in found


def test_trailers_change_nothing():
    first, second = read(
        CHUNKED
        + b"0\r\nHost: evil\r\nX: y\r\nX-Forwarded-Proto: https\r\n\r\nGET /next HTTP/1.1\r\nHost: test\r\n\r\n"
    )
    assert first.environ["HTTP_HOST"] == "test"
    assert "HTTP_X" not in first.environ
    assert second.environ["PATH_INFO"] == "/next"


def test_trailers_are_counted():
    trailers = b"".join(b"X-%d: y\r\n" % number for number in range(11))
    assert status(CHUNKED + b"0\r\n" + trailers + b"\r\n", limits=Limits(fields=10)) == 431


@pytest.mark.parametrize(
    "body",
    [
        b"5\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhelloXX0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\n",
        b"5;a\nb\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\n",
        b"0\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_malformed_chunks_are_refused(body):
    assert status(CHUNKED + body) == 400
