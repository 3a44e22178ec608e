"""Webhooks of SMS providers: verify, parse, stage, and answer after the commit."""

from collections.abc import Callable

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from gateway.errors import NotAuthenticError
from gateway.providers.base import Answer, WebhookRequest
from gateway.web.accounts import AccountDesk, Accounts
from gateway.web.answers import Conclude, DeferredResponse, respond
from gateway.web.guard import Guard, guarded
from gateway.web.wire import webhook_request

_METHODS = ["GET", "POST", "OPTIONS"]  # and HEAD, which comes with GET
_ALIVE = Answer(200, "text/plain; charset=utf-8", b"")

Take = Callable[[AccountDesk, WebhookRequest], Conclude]


def blueprint(accounts: Accounts) -> Blueprint:
    """Return the routes `/sms/<account>` and `/sms/<account>/status`."""
    routes = Blueprint("sms", __name__, url_prefix="/sms")

    @routes.route("/<account>", methods=_METHODS, provide_automatic_options=False)
    @guarded(Guard.PROVIDER)
    def inbound(account: str) -> Response:
        return _answered(accounts.desk(account), AccountDesk.receive)

    @routes.route("/<account>/status", methods=_METHODS, provide_automatic_options=False)
    @guarded(Guard.PROVIDER)
    def status(account: str) -> Response:
        return _answered(accounts.desk(account), AccountDesk.report)

    @routes.errorhandler(NotAuthenticError)
    def forged(_error: NotAuthenticError) -> Response:
        desk = accounts.desk(str((request.view_args or {})["account"]))
        return respond(desk.refuse(_webhook(desk)))

    return routes


def _answered(desk: AccountDesk, take: Take) -> Response:
    """Answer by method: only GET and POST may bring something."""
    if request.method == "HEAD":
        return respond(_ALIVE)
    if request.method == "OPTIONS":
        return respond(desk.handshake(_webhook(desk)))
    return DeferredResponse(take(desk, _webhook(desk)))


def _webhook(desk: AccountDesk) -> WebhookRequest:
    return webhook_request(request.environ, desk.base, _body())


def _body() -> bytes:
    """Return the whole body; raise `RequestEntityTooLarge` before a byte is read where its length is declared."""
    body = request.get_data()
    # A body in chunks is cut at the limit without a word (Werkzeug's LimitedStream): a part must not pass for it.
    if request.content_length is None and request.environ["wsgi.input"].read(1):
        raise RequestEntityTooLarge
    return body
