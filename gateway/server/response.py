"""One request and the answer of a WSGI application to it (PEP 3333). Bytes come out; no socket in here."""

import re
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from enum import IntEnum
from functools import lru_cache
from http import HTTPStatus
from types import TracebackType
from typing import Any, NamedTuple
from wsgiref.types import WSGIApplication

from gateway.server.refusal import Refusal
from gateway.server.request import Request

_Headers = list[tuple[str, str]]
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

_STATUS = re.compile(r"([2-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 9110 section 5.5. Anything else, CR and LF first of all, would let a value forge headers or answers.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_LENGTH = re.compile(r"[0-9]{1,18}")
_HOP_BY_HOP = frozenset(
    {
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    }
)
_RETRY_AFTER = "5"  # seconds
_WHOLE = (list, tuple)
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class _Kind(IntEnum):
    """How a header of the application concerns the server."""

    PLAIN = 0
    LENGTH = 1
    DROPPED = 2  # hop-by-hop: the server's business
    CLOSE = 3
    DATE = 4
    SERVER = 5


class Stamp(NamedTuple):
    """The header lines that every answer carries, made once a second."""

    server: bytes
    date: bytes

    @classmethod
    def at(cls, seconds: float, software: str) -> "Stamp":
        """Return the lines for a time in Unix seconds and the name of the software."""
        date = formatdate(seconds, usegmt=True)
        return cls(f"Server: {software}\r\n".encode("latin-1"), f"Date: {date}\r\n".encode("ascii"))


@lru_cache(maxsize=128)
def _status_line(status: str) -> tuple[bytes, int]:
    match = _STATUS.fullmatch(status)
    if match is None:
        raise ValueError("status is not a code from 200 to 599 with an optional reason")
    # RFC 9112 section 4: the blank stays where the reason is left out.
    text = status if " " in status else status + " "
    return f"HTTP/1.1 {text}\r\n".encode("latin-1"), int(match[1])


@lru_cache(maxsize=512)
def _header_line(name: str, value: str) -> tuple[bytes, _Kind]:
    """Return the checked line and its kind. Errors name the header, never its value: it may be a secret."""
    if not _TOKEN.fullmatch(name):
        raise ValueError("header name is no token")
    if not _VALUE.fullmatch(value):
        raise ValueError(f"header {name} has a forbidden character")
    text = value.strip(" \t")
    return f"{name}: {text}\r\n".encode("latin-1"), _kind(name.lower(), text)


def _kind(name: str, value: str) -> _Kind:
    if name == "content-length":
        if not _LENGTH.fullmatch(value):
            raise ValueError("Content-Length is no number")
        return _Kind.LENGTH
    if name == "connection":
        return _Kind.CLOSE if value.lower() == "close" else _Kind.DROPPED
    if name in _HOP_BY_HOP:
        return _Kind.DROPPED
    return {"date": _Kind.DATE, "server": _Kind.SERVER}.get(name, _Kind.PLAIN)


class Exchange:
    """A request and its answer: call the application, then `advance` until `done`, then `close`.

    The two steps are apart so that a server can call the application for many requests before it iterates
    the first body. The attributes `status`, `headers` and `sent` are those gunicorn's access log reads.
    """

    __slots__ = (
        "_chunked",
        "_iterator",
        "_lead",
        "_length",
        "_lines",
        "_no_body",
        "_result",
        "_stamp",
        "_status_line",
        "_written",
        "body",
        "broken",
        "done",
        "headers",
        "headers_sent",
        "keep_alive",
        "refusal",
        "request",
        "sent",
        "started",
        "status",
    )

    def __init__(self, request: Request, stamp: Stamp, *, keep_alive: bool, started: float) -> None:
        self.request = request
        self.refusal: Refusal | None = None
        self.keep_alive = keep_alive
        self.started = started  # of the monotonic clock, seconds
        self.status = ""
        self.headers: _Headers = []
        self.sent = 0  # body bytes
        self.headers_sent = False
        self.done = False
        self.broken = False  # the answer cannot be completed: only closing the connection tells the client
        self.body: Iterable[bytes] = ()
        self._stamp = stamp
        self._lead: tuple[bytes, ...] = stamp
        self._length: int | None = None
        self._status_line = b""
        self._result: object = None
        self._iterator: Iterator[bytes] | None = None
        self._written: list[bytes] = []
        self._chunked = False
        self._no_body = request.head

    @classmethod
    def refusing(cls, refusal: Refusal, template: dict[str, Any], stamp: Stamp, started: float) -> "Exchange":
        """Return the exchange for a request that the application never sees; it closes the connection."""
        unread = {"REQUEST_METHOD": "-", "RAW_URI": "-", "SERVER_PROTOCOL": "-"}
        request = Request({**template, **unread}, keep_alive=False, modern=True, head=False, spool=None)
        exchange = cls(request, stamp, keep_alive=False, started=started)
        exchange.refusal = refusal
        exchange._answer(refusal.status, refusal.reason)
        return exchange

    @property
    def is_delimited(self) -> bool:
        """Tell whether the client can see by itself that an answer was cut short."""
        return self._chunked or self._length is not None

    def call(self, application: WSGIApplication) -> None:
        """Call the application and keep what it returns; whatever it raises comes through."""
        self.body = self._result = application(self.request.environ, self.start_response)

    def start_response(
        self, status: str, headers: _Headers, exc_info: _ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        """Take status and headers, as PEP 3333 has it; refuse what would break the framing of the answer."""
        if exc_info is not None:
            self._reraise_if_sent(exc_info)
        elif self._status_line:
            raise AssertionError("start_response called twice without exc_info")
        line, code = _status_line(status)
        lines: list[bytes] = []
        self._length, self._lead = None, self._stamp
        for name, value in headers:
            text, kind = _header_line(name, value)
            if kind is _Kind.PLAIN:
                lines.append(text)
            else:
                self._take_special(kind, text, value, lines)
        self._no_body = self.request.head or code in _BODILESS
        if code == HTTPStatus.NO_CONTENT:
            self._length = None
        self._status_line, self._lines = line, lines
        self.status, self.headers = status, headers
        return self._write

    def advance(self) -> bytes:
        """Return the next bytes for the wire, possibly none; `done` is set with the last ones."""
        data = self._step()
        if self._written:
            data = b"".join((*self._written, data))
            self._written.clear()
        return data

    def fail(self) -> None:
        """Turn to a 500 after the application has failed, or to `broken` if its headers are out already."""
        if self.headers_sent:
            self.broken = True
            return
        self._status_line = b""
        self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error")

    def close(self) -> None:
        """Close what the application returned and the file of a large body. Idempotent."""
        if self.request.spool is not None:
            self.request.spool.close()
        result, self._result, self._iterator, self.body = self._result, None, None, ()
        close = getattr(result, "close", None)
        if close is not None:
            close()

    def _answer(self, status: HTTPStatus, text: str) -> None:
        headers = [("Content-Type", "text/plain; charset=utf-8")]
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append(("Retry-After", _RETRY_AFTER))
        self.start_response(f"{status.value} {status.phrase}", headers)
        self.body = [f"{text}\n".encode()]
        self._iterator = None

    def _reraise_if_sent(self, exc_info: _ExcInfo) -> None:
        error = exc_info[1]
        if self.headers_sent and error is not None:
            raise error.with_traceback(exc_info[2])

    def _take_special(self, kind: _Kind, line: bytes, value: str, lines: list[bytes]) -> None:
        if kind is _Kind.LENGTH:
            if self._length is not None:
                raise ValueError("Content-Length given twice")
            self._length = int(value)
        elif kind is _Kind.CLOSE:
            self.keep_alive = False
        elif kind is not _Kind.DROPPED:
            # The application's own Date or Server takes the place of ours.
            ours = self._stamp.date if kind is _Kind.DATE else self._stamp.server
            self._lead = tuple(own for own in self._lead if own != ours)
            lines.append(line)

    def _write(self, data: bytes) -> None:
        """PEP 3333's `write`: kept until the application gives control back, which it allows."""
        if data:
            self._written.append(self._emit(data))

    def _step(self) -> bytes:
        iterator = self._iterator
        if iterator is None:
            if isinstance(self.body, _WHOLE):
                return self._whole(b"".join(self.body))
            iterator = self._iterator = iter(self.body)
        try:
            chunk = next(iterator)
        except StopIteration:
            return self._end()
        return self._emit(chunk) if chunk else b""

    def _whole(self, body: bytes) -> bytes:
        if self.headers_sent:
            return self._emit(body) + self._end() if body else self._end()
        head = self._head(len(body))
        self.done = True
        return head + self._frame(body)

    def _emit(self, chunk: bytes) -> bytes:
        if not isinstance(chunk, bytes):
            raise TypeError("the application's body must be bytes")
        if self.headers_sent:
            return self._frame(chunk)
        return self._head(None) + self._frame(chunk)

    def _end(self) -> bytes:
        if not self.headers_sent:
            self.done = True
            return self._head(0)
        if not self._no_body and self._length is not None and self.sent < self._length:
            raise ValueError("the application's body is shorter than its Content-Length")
        self.done = True
        return b"0\r\n\r\n" if self._chunked else b""

    def _head(self, known: int | None) -> bytes:
        """Return the head; `known` is the size of the whole body where it is known."""
        if not self._status_line:
            raise AssertionError("the application did not call start_response")
        framing = b"" if self._no_body and self._length is None else self._framing(known)
        connection = b""
        if not self.keep_alive:
            connection = b"Connection: close\r\n"
        elif not self.request.modern:
            connection = b"Connection: keep-alive\r\n"
        self.headers_sent = True
        return b"".join((self._status_line, *self._lead, connection, *self._lines, framing, b"\r\n"))

    def _framing(self, known: int | None) -> bytes:
        if self._length is None:
            self._length = known
        elif known is not None and known < self._length and not self._no_body:
            raise ValueError("the application's body is shorter than its Content-Length")
        if self._length is not None:
            return b"Content-Length: %d\r\n" % self._length
        if self.request.modern:
            self._chunked = True
            return b"Transfer-Encoding: chunked\r\n"
        self.keep_alive = False
        return b""

    def _frame(self, chunk: bytes) -> bytes:
        if self._no_body:
            return b""
        if self._chunked:
            self.sent += len(chunk)
            return b"%x\r\n%b\r\n" % (len(chunk), chunk)
        if self._length is not None:
            chunk = chunk[: self._length - self.sent]
        self.sent += len(chunk)
        return chunk
