"""Bytes -> requests. Pure: no socket, no clock. llhttp (by httptools) reads; the limits around it are ours."""

import tempfile
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from types import SimpleNamespace
from typing import IO, NamedTuple
from wsgiref.types import WSGIEnvironment

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from gateway.server.environ import HeaderNames, SchemeRule, Targets, scheme_of
from gateway.server.refusal import Refusal, RefusedError

# A second one leaves the message open to two readings (RFC 9110 section 5.3, RFC 9112 section 3.2).
_SINGLE = frozenset({"HTTP_HOST", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT"})
# llhttp knows them, but they ask for a tunnel, a radio stream or HTTP/2.
_FOREIGN_METHODS = frozenset({"CONNECT", "SOURCE", "PRI"})
_BODY_IN_MEMORY = 1 << 18
_MAX_PIPELINED = 64
_FREE_OVERHEAD = 1 << 16
_OVERHEAD_PER_BYTE = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a request is taken; beyond it the answer is 414, 431 or 413. Sizes in bytes."""

    line: int = 4094
    fields: int = 100
    field_size: int = 8190
    body: int = 16 << 20
    larger: tuple[tuple[str, int], ...] = ()  # beginnings of paths whose bodies may be larger, and how large

    def body_of(self, path: str) -> int:
        """Return the most bytes of a body to this path."""
        return next((most for start, most in self.larger if path.startswith(start)), self.body)

    @property
    def overhead(self) -> int:
        """Return about how many bytes besides its body an unfinished request may have sent."""
        return self.line + 4 * self.field_size + _FREE_OVERHEAD


@dataclass(frozen=True, slots=True)
class Rules:
    """What all connections of a server share in reading requests."""

    limits: Limits
    names: HeaderNames
    targets: Targets


class Request(NamedTuple):
    """A complete request: its environ holds all of it, the body (`wsgi.input`) included."""

    environ: WSGIEnvironment
    keep_alive: bool  # the client's wish
    modern: bool  # HTTP/1.1: the answer may be chunked
    head: bool  # HEAD: the answer has no body
    spool: IO[bytes] | None  # a large body's file, to be closed after the answer


class RequestParser:
    """Reads the byte stream of one connection. Whole requests and refusals queue up in `ready`, in order.

    However the stream is cut into pieces, the result is the same. Whatever follows a refusal, a request
    that closes the connection, or too many unanswered requests is ignored (`ended`).
    """

    __slots__ = (
        "_body_after_upgrade",
        "_environ",
        "_expects",
        "_field_size",
        "_fields_left",
        "_file",
        "_keep_alive",
        "_limits",
        "_memory",
        "_method",
        "_modern",
        "_names",
        "_overhead",
        "_parser",
        "_parts",
        "_scheme_rules",
        "_targets",
        "_url",
        "ended",
        "in_body",
        "in_message",
        "ready",
        "received",
        "template",
    )

    def __init__(
        self, template: WSGIEnvironment, rules: Rules, scheme_rules: tuple[SchemeRule, ...] = ()
    ) -> None:
        self.template = template
        self._limits = rules.limits
        self._names = rules.names
        self._targets = rules.targets
        self._scheme_rules = scheme_rules
        self._field_size = rules.limits.field_size
        self._memory = min(_BODY_IN_MEMORY, rules.limits.body)
        self._file: IO[bytes] | None = None
        self._expects = False
        self._parser = HttpRequestParser(self)
        self.ready: deque[Request | Refusal] = deque()
        self.ended = False
        self.in_message = False  # a request has begun and is not complete
        self.in_body = False  # its head is complete
        self.received = 0  # bytes of its body so far

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the stream."""
        rest = data
        while rest and not self.ended:
            rest = self._step(rest)
        if self.in_message:
            self._weigh(len(data))

    def take_expectation(self) -> bool:
        """Tell, once for a request, that its client waits for "100 Continue" before it sends the body."""
        wanted = self.in_body and self._expects and not self.received
        if wanted:
            self._expects = False
        return wanted

    def close(self) -> None:
        """Let go of the parser (it refers back to us) and of what came of an unfinished body."""
        self.ended = True
        self.in_message = False
        del self._parser
        if self._file is not None:
            self._file.close()

    # -- called by httptools -------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Start afresh for the next request."""
        if self.ended:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, "too many pipelined requests"
            )  # ends the parsing; never sent
        self._environ = self.template.copy()
        self._url = b""
        self._fields_left = self._limits.fields
        self._parts: list[bytes] = []
        self._overhead = 0
        self._expects = False
        self._body_after_upgrade = False
        self.received = 0
        self.in_message = True
        self.in_body = False

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target; raise `RefusedError` (414) when it grows too long."""
        self._url += url
        self._method = self._parser.get_method()
        if len(self._method) + len(self._url) + len("  HTTP/1.1") > self._limits.line:
            raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, "request line too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer once the head is complete."""
        key = self._names[name]
        environ = self._environ
        self._fields_left -= 1
        if (
            self._fields_left < 0
            or not key
            or key in environ
            or len(name) + len(value) + len(": \r\n") > self._field_size
        ):
            self._unusual_header(key, name, value)
            return
        environ[key] = value.rstrip().decode("latin-1")

    def on_headers_complete(self) -> None:
        """Judge the head; raise `RefusedError` for whatever must not reach the application."""
        environ = self._environ
        environ["SERVER_PROTOCOL"] = self._protocol()
        environ["REQUEST_METHOD"] = method = self._method.decode("ascii")
        if method in _FOREIGN_METHODS:
            raise RefusedError(HTTPStatus.NOT_IMPLEMENTED, "method not implemented")
        environ["RAW_URI"], environ["PATH_INFO"], environ["QUERY_STRING"], host = self._targets[self._url]
        self._check_host(host)
        if self._scheme_rules:
            environ["wsgi.url_scheme"] = scheme_of(environ, self._scheme_rules)
        self._keep_alive = self._parser.should_keep_alive()
        if "CONTENT_LENGTH" in environ and int(environ["CONTENT_LENGTH"]) > self._limits.body:
            self._check_size(int(environ["CONTENT_LENGTH"]))
        if "HTTP_EXPECT" in environ or "HTTP_TRANSFER_ENCODING" in environ or "HTTP_UPGRADE" in environ:
            self._unusual_head()
        self.in_body = True
        self._fields_left = 0

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body, decoded if it came in chunks."""
        self.received += len(body)
        if self.received > self._memory:
            self._keep_on_disk(body)
            return
        self._parts.append(body)

    def on_message_complete(self) -> None:
        """Queue the request, unless llhttp has only skipped the body of an ignored upgrade."""
        if not self._body_after_upgrade:
            self._complete()

    # -- the usual way -------------------------------------------------------------------------------

    def _step(self, data: bytes | memoryview) -> bytes | memoryview:
        """Feed the parser; return what it left over."""
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._stay_with_http()
            return data[upgrade.args[0] :]
        except HttpParserError as error:
            self._fail(error)
        return b""

    def _protocol(self) -> str:
        version = self._parser.get_http_version()
        self._modern = version == "1.1"
        if self._modern:
            return "HTTP/1.1"
        if version != "1.0":
            raise RefusedError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP version not supported")
        return "HTTP/1.0"

    def _check_host(self, host: str) -> None:
        """Hold RFC 9112 section 3.2: HTTP/1.1 must name the host; an absolute target overrides the header."""
        environ = self._environ
        if self._modern and "HTTP_HOST" not in environ:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "no Host header")
        if host:
            environ["HTTP_HOST"] = host
        if environ["PATH_INFO"] == "*" and environ["REQUEST_METHOD"] != "OPTIONS":
            raise RefusedError(HTTPStatus.BAD_REQUEST, "asterisk target is for OPTIONS only")

    def _complete(self) -> None:
        environ = self._environ
        spool = self._file
        if spool is None:
            environ["wsgi.input"] = BytesIO(b"".join(self._parts))
        else:
            spool.seek(0)
            environ["wsgi.input"] = spool
            self._file = None
        head = environ["REQUEST_METHOD"] == "HEAD"
        self.ready.append(Request(environ, self._keep_alive, self._modern, head, spool))
        self.in_message = self.in_body = False
        self.ended = not self._keep_alive or len(self.ready) >= _MAX_PIPELINED

    # -- the unusual ones ----------------------------------------------------------------------------

    def _unusual_header(self, key: str, name: bytes, value: bytes) -> None:
        if self.in_body:
            self._count_trailer()
            return
        if self._fields_left < 0 or len(name) + len(value) + len(": \r\n") > self._field_size:
            raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers too large")
        if not key:
            return
        if key in _SINGLE:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "repeated header that may come once")
        self._environ[key] += "," + value.rstrip().decode("latin-1")

    def _count_trailer(self) -> None:
        """Drop a trailer: merged into the head it could override what was checked there."""
        if -self._fields_left > self._limits.fields:
            raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too many trailers")

    def _unusual_head(self) -> None:
        environ = self._environ
        coding = environ.get("HTTP_TRANSFER_ENCODING", "")
        if coding and not self._modern:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "Transfer-Encoding in HTTP/1.0")
        if coding and coding.lower() != "chunked":
            raise RefusedError(HTTPStatus.NOT_IMPLEMENTED, "transfer coding not implemented")
        expectation = environ.get("HTTP_EXPECT", "").lower()
        if expectation not in ("", "100-continue"):
            raise RefusedError(HTTPStatus.EXPECTATION_FAILED, "unknown expectation")
        self._expects = bool(expectation) and self._modern
        if self._parser.should_upgrade() and (coding or int(environ.get("CONTENT_LENGTH", "0"))):
            self._body_after_upgrade = True
            self._keep_alive = False

    def _stay_with_http(self) -> None:
        """Ignore a wish to upgrade, as RFC 9110 section 7.8 allows: Java's HTTP client sends one by default.

        llhttp ends such a message with its head, even if a body follows. A fresh parser reads the rest;
        where that is a body it gets a head of its own that repeats only the checked framing.
        """
        if not self._body_after_upgrade:
            self._parser = HttpRequestParser(self)
            return
        callbacks = SimpleNamespace(
            on_header=self.on_header, on_body=self.on_body, on_message_complete=self._complete
        )
        length = self._environ.get("CONTENT_LENGTH")
        framing = f"Content-Length: {length}" if length else "Transfer-Encoding: chunked"
        self._parser = HttpRequestParser(callbacks)
        self._parser.feed_data(f"POST / HTTP/1.1\r\nConnection: close\r\n{framing}\r\n\r\n".encode("ascii"))

    def _keep_on_disk(self, body: bytes) -> None:
        self._check_size(self.received)
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - the answered request closes it
                self._file.writelines(self._parts)
                self._parts.clear()
            self._file.write(body)
        except OSError:
            raise RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, "no room for the body") from None

    def _check_size(self, size: int) -> None:
        if size > self._limits.body_of(self._environ["PATH_INFO"]):
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body too large")

    def _weigh(self, size: int) -> None:
        """Bound what an unfinished request sends besides its body: an endless head, chunk extensions."""
        self._overhead += size
        if self._overhead - self.received > self._limits.overhead + _OVERHEAD_PER_BYTE * self.received:
            self._refuse(
                Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "endless head or chunk extensions")
            )

    def _fail(self, error: HttpParserError) -> None:
        if self.ended:
            return
        # httptools leaves in the context what a callback of ours has raised.
        cause = error.__context__ if isinstance(error, HttpParserCallbackError) else None
        if isinstance(cause, RefusedError):
            self._refuse(cause.refusal)
        elif cause is not None:
            self._refuse(Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, f"reading failed: {type(cause).__name__}"))
        else:
            self._refuse(Refusal(HTTPStatus.BAD_REQUEST, "malformed request"))

    def _refuse(self, refusal: Refusal) -> None:
        self.ready.append(refusal)
        self.ended = True
        self.in_message = self.in_body = False
