"""A lane in front of Flask's dispatch for the hot requests: a form webhook, a one-click POST, a status.

It only saves the way: the same verification, flows and answers as the views. Whatever is unusual, from a bad
signature to a chunked body, goes on to the view, which is the reference; a test sends the same bytes both
ways and compares.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from gateway.consent.address import Address, Channel
from gateway.errors import OurTroubleError
from gateway.flows.status import Statuses
from gateway.house import House
from gateway.mail.one_click import PostKind, read_post
from gateway.web.accounts import Accounts
from gateway.web.answers import Conclude, deliver
from gateway.web.api.documents import json_answer, status_document
from gateway.web.bearer import authorize
from gateway.web.guard import TokenScope
from gateway.web.links import LinkDesk
from gateway.web.wire import webhook_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SMS = "/sms/"
_LINK = "/u/"
_STATUS = "/v1/consents/"
_CHANNELS = frozenset(map(str, Channel))
_FORM = "application/x-www-form-urlencoded"


class Lane:
    """WSGI middleware; falls through to the application behind it."""

    def __init__(self, app: "WSGIApplication", house: House, accounts: Accounts, links: LinkDesk) -> None:
        self._app = app
        self._accounts = accounts
        self._links = links
        self._most = house.settings.limits.body_bytes
        self._house = house
        self._statuses = Statuses(house.reader, house.book, house.keys.subject)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer the request, or hand it on untouched."""
        try:
            conclude = self._conclude(environ)
        except Exception:  # noqa: BLE001 - refused, malformed or a fault of ours: the view tells it as it must be told
            conclude = None
        if conclude is None:
            return self._app(environ, start_response)
        if environ["REQUEST_METHOD"] == "GET":
            return self._read(conclude, environ, start_response)
        return deliver(conclude, start_response)

    def _read(
        self, conclude: Conclude, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a read after all who asked in this round; what cannot be read goes on to the view."""
        try:
            answer = conclude()
        except OurTroubleError:
            body = self._app(environ, start_response)
            try:
                yield from body
            finally:
                getattr(body, "close", int)()
        else:
            yield from deliver(lambda: answer, start_response)

    def _conclude(self, environ: "WSGIEnvironment") -> Conclude | None:
        """Do the request up to the commit; None when it is not for the lane."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method == "POST" and path.startswith(_SMS):
            return self._sms(environ, path[len(_SMS) :])
        if method == "POST" and path.startswith(_LINK):
            return self._link(environ, path[len(_LINK) :])
        if method == "GET" and path.startswith(_STATUS) and not environ.get("QUERY_STRING"):
            return self._status(environ, path[len(_STATUS) :])
        return None

    def _sms(self, environ: "WSGIEnvironment", name: str) -> Conclude | None:
        desk = self._accounts.find(name)
        if desk is None or not environ.get("CONTENT_TYPE", "").startswith(_FORM):
            return None
        body = self._body(environ)
        return None if body is None else desk.receive(webhook_request(environ, desk.base, body))

    def _link(self, environ: "WSGIEnvironment", token: str) -> Conclude | None:
        body = self._body(environ)
        if body is None or read_post(environ.get("CONTENT_TYPE"), body) is not PostKind.PAIR:
            return None
        grant = self._links.open(token)
        return self._links.conclude(self._links.stage(grant, PostKind.PAIR, token, environ))

    def _status(self, environ: "WSGIEnvironment", target: str) -> Conclude | None:
        channel, _, address = target.partition("/")
        if channel not in _CHANNELS or "/" in address:
            return None
        authorize(self._house, environ.get("HTTP_AUTHORIZATION"), TokenScope.READ)
        ask = self._statuses.ask(Address.parse(Channel(channel), address))
        return lambda: json_answer(status_document(ask()))

    def _body(self, environ: "WSGIEnvironment") -> bytes | None:
        """Read a body of declared, bounded length and leave it readable again; None for any other."""
        try:
            length = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            return None
        if not 0 <= length <= self._most or "HTTP_TRANSFER_ENCODING" in environ:
            return None
        body: bytes = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = BytesIO(body)
        return body if len(body) == length else None
