"""The API's description of itself, OpenAPI 3.1, generated from the views and their models."""

import json
from functools import cache
from http import HTTPStatus
from typing import Any, cast

from flask import Response, current_app
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.info import Info
from flask_openapi3.models.tag import Tag
from flask_openapi3.openapi import OpenAPI

from gateway import __version__
from gateway.house import House
from gateway.web.answers import respond
from gateway.web.api.documents import json_answer
from gateway.web.guard import Guard, guarded
from gateway.web.problem import PROBLEM_TYPE, Problem, invalid_input

SECURITY: list[dict[str, list[str]]] = [{"bearer": []}]
TAGS = [Tag(name="consent", description="Who may be contacted, and why (not).")]

_INFO = Info(
    title="Consent Gateway",
    version=__version__,
    description=(
        "Ask who may be contacted, for what, and why (not). Every call needs an operator token "
        "(`gateway token create`). Errors are `application/problem+json` (RFC 9457) and never repeat what was "
        "sent. Times are UTC with microseconds."
    ),
)
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "gw_<id>_<secret>",
    "description": "Scopes: `read`, `links`, `metrics`. A revoked token stops working within five seconds.",
}
_PROBLEM = {PROBLEM_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}


def api_options() -> dict[str, Any]:
    """Return the arguments with which `OpenAPI` is to be constructed."""
    return {
        "info": _INFO,
        "security_schemes": {"bearer": _BEARER},
        "doc_ui": False,  # it would load scripts, and its routes state no guard
        "validation_error_status": HTTPStatus.UNPROCESSABLE_ENTITY.value,
        "validation_error_model": Problem,
        "validation_error_callback": invalid_input,
    }


def errors(*statuses: int) -> dict[str | int | HTTPStatus, Any]:
    """Return the description of these errors, for the `responses` of a view."""
    return {status: {"description": HTTPStatus(status).phrase, "content": _PROBLEM} for status in statuses}


def operation_id(*, name: str, **_: str) -> str:
    """Return the name of the view: clients make method names of it."""
    return name


def add(api: APIBlueprint, _house: House) -> None:
    """Add the route of the description itself."""

    @cache
    def document() -> bytes:
        return json.dumps(cast("OpenAPI", current_app).api_doc, separators=(",", ":")).encode()

    @api.route("/openapi.json")
    @guarded(Guard.PUBLIC)
    def openapi() -> Response:
        return respond(json_answer(document()))
