from http import HTTPStatus

import pytest

from gateway.server.environ import HeaderNames, SchemeRule, Targets
from gateway.server.refusal import Refusal
from gateway.server.request import Limits, Request, RequestParser, Rules

HEAD = b"POST /sms HTTP/1.1\r\nHost: test\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def read(*pieces, limits=None, scheme_rules=()):
    rules = Rules(limits or Limits(), HeaderNames(), Targets())
    parser = RequestParser({}, rules, scheme_rules)
    for piece in pieces:
        parser.feed(piece)
    results = list(parser.ready)
    parser.close()
    return results


def facts(result):
    """What a request says, in a form that compares by value."""
    if isinstance(result, Refusal):
        return result
    environ = {**result.environ, "wsgi.input": result.environ["wsgi.input"].getvalue()}
    return environ, result.keep_alive, result.modern, result.head


def status(*pieces, **options):
    (result,) = read(*pieces, **options)
    return result.status if isinstance(result, Refusal) else HTTPStatus.OK


def environ(*pieces, **options):
    (result,) = read(*pieces, **options)
    assert isinstance(result, Request), result
    return result.environ


def test_limits_hold_to_the_byte():
    limits = Limits(line=30, fields=2, field_size=20, body=4)
    line = b"GET /%s HTTP/1.1\r\nHost: test\r\n\r\n"
    assert status(line % (b"a" * 16), limits=limits) == 200
    assert status(line % (b"a" * 17), limits=limits) == 414
    assert status(HEAD + b"X: y\r\n\r\n", limits=limits) == 200
    assert status(HEAD + b"X: y\r\nZ: y\r\n\r\n", limits=limits) == 431
    assert status(HEAD + b"X: " + b"y" * 15 + b"\r\n\r\n", limits=limits) == 200
    assert status(HEAD + b"X: " + b"y" * 16 + b"\r\n\r\n", limits=limits) == 431
    assert status(HEAD + b"Content-Length: 4\r\n\r\nabcd", limits=limits) == 200
    assert status(HEAD + b"Content-Length: 5\r\n\r\n", limits=limits) == 413
    assert status(CHUNKED + b"4\r\nabcd\r\n0\r\n\r\n", limits=Limits(body=4)) == 200
    assert status(CHUNKED + b"2\r\nab\r\n3\r\ncde\r\n", limits=Limits(body=4)) == 413


@pytest.mark.parametrize(
    ("start", "expected"),
    [(b"GET /", 414), (HEAD + b"X: ", 431), (HEAD, 431), (CHUNKED + b"1;", 431), (CHUNKED, 200)],
)
def test_an_endless_stream_of_small_pieces_is_bounded(start, expected):
    piece = {HEAD: b"X: y\r\n", CHUNKED: b"1\r\na\r\n"}.get(start, b"a" * 100)
    parser = RequestParser({}, Rules(Limits(), HeaderNames(), Targets()))
    parser.feed(start)
    sent = 0
    while not parser.ready and sent < 1_000_000:
        parser.feed(piece)
        sent += len(piece)
    found = [refusal.status for refusal in parser.ready] or [200]
    parser.close()
    assert found == [expected]
    assert expected == 200 or sent < 200_000


def test_a_large_body_waits_on_disk():
    body = b"0123456789" * 100_000
    pieces = [body[start : start + 65536] for start in range(0, len(body), 65536)]
    (request,) = read(HEAD + b"Content-Length: 1000000\r\n\r\n", *pieces)
    assert request.spool is request.environ["wsgi.input"]
    assert request.spool.read() == body
    request.spool.close()


def test_the_file_of_an_unfinished_body_is_closed():
    parser = RequestParser({}, Rules(Limits(), HeaderNames(), Targets()))
    parser.feed(HEAD + b"Content-Length: 1000000\r\n\r\n")
    parser.feed(b"a" * 500_000)
    file = parser._file
    parser.close()
    assert file.closed


def test_a_full_disk_is_a_507(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    assert status(HEAD + b"Content-Length: 1000000\r\n\r\n" + b"a" * 1_000_000) == 507


def test_an_expectation_waits_for_the_body_only():
    parser = RequestParser({}, Rules(Limits(), HeaderNames(), Targets()))
    parser.feed(HEAD + b"Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n")
    assert parser.take_expectation()
    assert not parser.take_expectation()
    parser.feed(b"hello" + HEAD + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\nh")
    assert not parser.take_expectation()
    parser.close()


def test_http_1_0_expects_nothing():
    parser = RequestParser({}, Rules(Limits(), HeaderNames(), Targets()))
    parser.feed(b"POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert not parser.take_expectation()
    parser.close()


def test_an_unknown_expectation_is_a_417():
    assert status(HEAD + b"Content-Length: 5\r\nExpect: miracles\r\n\r\n") == 417


def test_a_body_too_large_is_refused_rather_than_asked_for():
    assert status(HEAD + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", limits=Limits(body=4)) == 413


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"


def test_an_upgrade_is_ignored_and_the_connection_goes_on():
    requests = read(
        (b"GET /a HTTP/1.1\r\nHost: test\r\n" + UPGRADE + b"\r\n") * 60
        + b"GET /b HTTP/1.1\r\nHost: test\r\n\r\n"
    )
    assert [request.environ["PATH_INFO"] for request in requests] == ["/a"] * 60 + ["/b"]


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n",
    ],
)
def test_the_body_of_an_ignored_upgrade_is_read(rest):
    whole = HEAD + UPGRADE + rest + b"GET /next HTTP/1.1\r\nHost: test\r\n\r\n"
    (request,) = read(whole)
    assert request.environ["wsgi.input"].read() == b"hello"
    assert request.environ["HTTP_HOST"] == "test"
    assert not request.keep_alive
    assert facts(read(*[whole[at : at + 1] for at in range(len(whole))])[0])[0]["wsgi.input"] == b"hello"


def test_the_body_of_an_ignored_upgrade_has_limits():
    assert (
        status(HEAD + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", limits=Limits(body=4))
        == 413
    )


def test_a_trusted_proxy_sets_the_scheme():
    rules = (SchemeRule("HTTP_X_FORWARDED_PROTO", "https"),)
    assert (
        environ(HEAD + b"X-Forwarded-Proto: https\r\n\r\n", scheme_rules=rules)["wsgi.url_scheme"] == "https"
    )
    assert "wsgi.url_scheme" not in environ(HEAD + b"X-Forwarded-Proto: https\r\n\r\n")


def test_a_fault_of_our_own_is_a_500_and_stays_in_its_connection(monkeypatch):
    monkeypatch.setattr(RequestParser, "_check_host", lambda *_: 1 / 0)
    assert read(HEAD + b"\r\n") == [
        Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "reading failed: ZeroDivisionError")
    ]
