"""Errors as `application/problem+json` (RFC 9457). Nothing that was submitted is ever repeated in one."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Literal
from uuid import uuid4

import structlog
from flask import Response
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import HTTPException

from gateway.errors import CallerError, GatewayError, NotAuthenticError, OurTroubleError
from gateway.programs import UnknownProgramError
from gateway.web.bearer import ScopeError

PROBLEM_TYPE = "application/problem+json"

_PLAIN = "about:blank"  # RFC 9457 section 4.2.1: means no more than its status
_INVALID = "urn:problem-type:consent-gateway:invalid-input"
_REALM = 'Bearer realm="gateway"'
_RETRY_AFTER = "5"  # seconds
_MOST_FAULTS = 100  # one for each of ten thousand addresses would help nobody
_log = structlog.get_logger(__name__)

Place = Literal["path", "query", "body"]
Location = tuple[int | str, ...]
Headers = Sequence[tuple[str, str]]
# The models of a view's arguments are called after the place they come from: ConsentPath, CheckBody.
_PLACES: tuple[Place, ...] = ("path", "query", "body")


class Fault(BaseModel):
    """One thing that is wrong with the input."""

    place: Place = Field(alias="in", description="Where it stands: in the path, the query or the body.")
    pointer: str = Field(description="JSON pointer to it, as a URI fragment (RFC 6901 section 6).")
    message: str = Field(description="What is wrong. Never holds the value.")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(
        default=_PLAIN, description="What kind of problem it is; about:blank: its status says all."
    )
    title: str
    status: int
    detail: str | None = None
    instance: str | None = Field(default=None, description="Name of this occurrence in our log.")
    errors: list[Fault] | None = Field(default=None, description="Each fault of the input.")


class InvalidInputError(CallerError):
    """A value of the request is well-formed and still wrong. The message must not hold the value."""

    def __init__(self, place: Place, location: Location, message: str) -> None:
        super().__init__(message)
        self.fault = _fault(place, location, message)


def problem(fault: Problem, headers: Headers = ()) -> Response:
    """Return the response of a problem."""
    body = fault.model_dump_json(by_alias=True, exclude_none=True)
    response = Response(body, fault.status, content_type=PROBLEM_TYPE)
    response.headers["Cache-Control"] = "no-store"
    response.headers.extend(list(headers))
    return response


def problem_for(error: HTTPException) -> Response:
    """Return the response for an error of the framework: unknown path, wrong method, body too large."""
    original = error.get_response()
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return Response(original.get_data(), original.status, original.headers)
    kept = [(name, value) for name, value in original.headers if not name.startswith("Content-")]
    return problem(_plain(HTTPStatus(error.code)), kept)


def problem_of(error: GatewayError) -> Response:
    """Return the response for an error that we raised on purpose."""
    if isinstance(error, NotAuthenticError):
        headers = [("WWW-Authenticate", _REALM)]
        return problem(_plain(HTTPStatus.UNAUTHORIZED, "a valid bearer token is needed"), headers)
    if isinstance(error, ScopeError):
        challenge = f'{_REALM}, error="insufficient_scope", scope="{error.scope}"'
        return problem(_plain(HTTPStatus.FORBIDDEN, str(error)), [("WWW-Authenticate", challenge)])
    if isinstance(error, InvalidInputError):
        return _invalid([error.fault])
    if isinstance(error, UnknownProgramError):
        return problem(_plain(HTTPStatus.UNPROCESSABLE_ENTITY, "no such program: see GET /v1/programs"))
    if isinstance(error, CallerError):
        return problem(_plain(HTTPStatus.BAD_REQUEST, str(error)))
    return _trouble(error)


def invalid_input(error: ValidationError) -> Response:
    """Return the response for arguments that do not fit their model."""
    name = error.title.lower()
    place: Place = next((place for place in _PLACES if name.endswith(place)), "body")
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return _invalid([_fault(place, _known(one), one["msg"]) for one in found[:_MOST_FAULTS]])


def _known(error: ErrorDetails) -> Location:
    # The name of a field that we do not know is the caller's text, and may be anything.
    location = error["loc"]
    return location[:-1] if error["type"] == "extra_forbidden" else location


def _fault(place: Place, location: Location, message: str) -> Fault:
    pointer = "#" + "".join(f"/{part}" for part in location)
    return Fault.model_validate({"in": place, "pointer": pointer, "message": message})


def _invalid(faults: list[Fault]) -> Response:
    return problem(
        Problem(
            type=_INVALID,
            title="Invalid input",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            detail="see errors",
            errors=faults,
        )
    )


def _plain(status: HTTPStatus, detail: str | None = None) -> Problem:
    instance = f"urn:uuid:{uuid4()}" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None
    return Problem(title=status.phrase, status=status, detail=detail, instance=instance)


def _trouble(error: GatewayError) -> Response:
    fault = _plain(HTTPStatus.SERVICE_UNAVAILABLE, "try again later")
    kind = OurTroubleError.__name__ if isinstance(error, OurTroubleError) else type(error).__name__
    # The cause is named, not printed: a driver's message may hold a row.
    _log.error("our trouble", kind=kind, cause=type(error.__cause__).__name__, instance=fault.instance)
    return problem(fault, [("Retry-After", _RETRY_AFTER)])
