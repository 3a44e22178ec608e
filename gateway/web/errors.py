"""Where each kind of error becomes an HTTP answer. Outside `/v1` the body is empty: a provider may text it."""

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, InternalServerError

from gateway.errors import CallerError, NotAuthenticError, OurTroubleError
from gateway.web.accounts import UnknownAccountError
from gateway.web.answers import UNAVAILABLE, respond
from gateway.web.problem import problem_for
from gateway.web.surprises import log_surprise

_API = "/v1/"
_PLAIN = "text/plain; charset=utf-8"
_log = structlog.get_logger(__name__)


def register(app: Flask) -> None:
    """Map the three kinds of error, those of the framework, and what nobody foresaw."""

    @app.errorhandler(NotAuthenticError)
    def forged(_error: NotAuthenticError) -> Response:
        return _empty(403)

    @app.errorhandler(UnknownAccountError)
    def unknown_account(_error: UnknownAccountError) -> Response:
        return _empty(404)

    @app.errorhandler(CallerError)
    def malformed(_error: CallerError) -> Response:
        return _empty(400)

    @app.errorhandler(OurTroubleError)
    def trouble(error: OurTroubleError) -> Response:
        _log.error("our trouble", problem=str(error), cause=type(error.__cause__).__name__)
        return respond(UNAVAILABLE)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        if request.path.startswith(_API):
            return problem_for(error)
        response = _empty(error.code or 500)
        if allow := error.get_response().headers.get("Allow"):
            response.headers["Allow"] = allow
        return response

    @app.errorhandler(Exception)
    def surprise(error: Exception) -> Response:
        log_surprise(error)
        return http(InternalServerError())


def _empty(status: int) -> Response:
    return Response(b"", status, content_type=_PLAIN)
