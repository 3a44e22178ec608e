"""Webhooks of SMS providers: verify, parse, stage, and answer after the commit."""

from flask import Blueprint, Response, request

from gateway.web.accounts import Accounts
from gateway.web.answers import DeferredResponse
from gateway.web.guard import Guard, guarded
from gateway.web.wire import webhook_request


def blueprint(accounts: Accounts) -> Blueprint:
    """Return the routes `/sms/<account>` and `/sms/<account>/status`."""
    routes = Blueprint("sms", __name__, url_prefix="/sms")

    @routes.route("/<account>", methods=["GET", "POST"])
    @guarded(Guard.PROVIDER)
    def inbound(account: str) -> Response:
        desk = accounts.desk(account)
        return DeferredResponse(desk.receive(webhook_request(request.environ, desk.base, request.get_data())))

    @routes.route("/<account>/status", methods=["GET", "POST"])
    @guarded(Guard.PROVIDER)
    def status(account: str) -> Response:
        desk = accounts.desk(account)
        return DeferredResponse(desk.report(webhook_request(request.environ, desk.base, request.get_data())))

    return routes
