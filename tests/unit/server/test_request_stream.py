import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.server.environ import HeaderNames, Targets
from gateway.server.refusal import Refusal
from gateway.server.request import Limits, RequestParser, Rules

HEAD = b"POST /sms HTTP/1.1\r\nHost: test\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
# As the provider documents it: long names, a signature, form encoding.
TWILIO = (
    b"POST /sms/acme-twilio?a=b%20c HTTP/1.1\r\nHost: gateway.example\r\nContent-Length: 47\r\n"
    b"Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nX-Twilio-Signature: vQd0YUhbLbKSXmRYvVGjKKGDGr4=\r\n"
    b"I-Twilio-Idempotency-Token: 6a5e2d3c-0b39\r\nUser-Agent: TwilioProxy/1.1\r\n\r\n"
    b"From=%2B15550100123&Body=STOP&MessageSid=SM1234"
)


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"


def read(*pieces):
    parser = RequestParser({}, Rules(Limits(), HeaderNames(), Targets()))
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


STREAM = (
    TWILIO
    + b"GET /one?two HTTP/1.1\r\nHost: test\r\nX: a\r\nX: b \r\n\r\n"
    + CHUNKED
    + b"5;x=y\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: z\r\n\r\n"
    + b"HEAD http://other/ HTTP/1.1\r\nHost: test\r\n\r\n\r\n"
    + b"GET /up HTTP/1.1\r\nHost: test\r\n"
    + UPGRADE
    + b"\r\n"
    + HEAD
    + UPGRADE
    + b"Content-Length: 3\r\n\r\nabc"
)


@given(st.lists(st.integers(0, len(STREAM)), max_size=40).map(sorted))
def test_cutting_the_stream_changes_nothing(cuts):
    edges = [0, *cuts, len(STREAM)]
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(edges)]
    assert [facts(result) for result in read(*pieces)] == [facts(result) for result in read(STREAM)]


def test_byte_by_byte_is_the_same_stream():
    pieces = [STREAM[at : at + 1] for at in range(len(STREAM))]
    found = [facts(result) for result in read(*pieces)]
    assert len(found) == 6
    assert found == [facts(result) for result in read(memoryview(STREAM))]


_ODD_PIECES = (
    b"GET / HTTP/1.1\r\n",
    b"POST ",
    b"/ HTTP/1.0\r\n",
    b"Host: a\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: close\r\n",
    UPGRADE,
    b"\r\n",
    b"\n",
    b"abc",
    b"3\r\nabc\r\n",
    b"0\r\n\r\n",
)


@given(st.lists(st.one_of(st.binary(max_size=30), st.sampled_from(_ODD_PIECES)), max_size=25), st.data())
def test_no_bytes_whatever_raise_and_cuts_never_matter(parts, data):
    stream = b"".join(parts)
    at = data.draw(st.integers(0, len(stream)))
    whole = [facts(result) for result in read(stream)]
    assert [facts(result) for result in read(stream[:at], stream[at:])] == whole
