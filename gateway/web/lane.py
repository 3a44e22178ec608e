"""A lane in front of Flask's dispatch for the two hot requests: a form webhook and a one-click POST.

It only saves the way: the same verification, flows and answers as the views. Whatever is unusual, from a bad
signature to a chunked body, goes on to the view, which is the reference; a test sends the same bytes both
ways and compares.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from gateway.errors import GatewayError
from gateway.house import House
from gateway.mail.one_click import PostKind, read_post
from gateway.web.accounts import AccountDesk, Accounts
from gateway.web.answers import Conclude, deliver
from gateway.web.links import LinkDesk
from gateway.web.wire import webhook_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SMS = "/sms/"
_LINK = "/u/"
_FORM = "application/x-www-form-urlencoded"


class Lane:
    """WSGI middleware; falls through to the application behind it."""

    def __init__(self, app: "WSGIApplication", house: House, accounts: Accounts, links: LinkDesk) -> None:
        self._app = app
        self._accounts = accounts
        self._links = links
        self._most = house.settings.limits.body_bytes

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer the request, or hand it on untouched."""
        if environ["REQUEST_METHOD"] == "POST":
            path = environ["PATH_INFO"]
            if path.startswith(_SMS):
                conclude = self._sms(environ, path[len(_SMS) :])
            elif path.startswith(_LINK):
                conclude = self._link(environ, path[len(_LINK) :])
            else:
                conclude = None
            if conclude is not None:
                return deliver(conclude, start_response)
        return self._app(environ, start_response)

    def _sms(self, environ: "WSGIEnvironment", name: str) -> Conclude | None:
        desk = self._accounts.find(name)
        if desk is None or not environ.get("CONTENT_TYPE", "").startswith(_FORM):
            return None
        body = self._body(environ)
        return None if body is None else _received(desk, environ, body)

    def _link(self, environ: "WSGIEnvironment", token: str) -> Conclude | None:
        body = self._body(environ)
        if body is None or read_post(environ.get("CONTENT_TYPE"), body) is not PostKind.PAIR:
            return None
        try:
            grant = self._links.open(token)
        except GatewayError:
            return None
        return self._links.conclude(self._links.stage(grant, PostKind.PAIR, token, environ))

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


def _received(desk: AccountDesk, environ: "WSGIEnvironment", body: bytes) -> Conclude | None:
    try:
        return desk.receive(webhook_request(environ, desk.base, body))
    except GatewayError:
        return None
