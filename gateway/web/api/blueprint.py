"""`/v1`: who may call, how much may be sent, and how errors look. The routes stand in their own files."""

from collections.abc import Mapping

from flask import g, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.openapi import OpenAPI
from werkzeug.exceptions import BadRequest

from gateway.configuration.limits import LimitSettings
from gateway.errors import GatewayError
from gateway.house import House
from gateway.web.api import checks, consents, description, interpretations, programs, unsubscribe_links
from gateway.web.bearer import BearerError, ScopeError, authorize
from gateway.web.guard import Guard, Guarding, guard_of
from gateway.web.problem import InvalidInputError, problem_of

_NAME = "v1"


def register(app: OpenAPI, house: House) -> None:
    """Register `/v1` with the application, and the answers to a bad token wherever one is asked for."""
    api = APIBlueprint(
        _NAME,
        __name__,
        url_prefix=f"/{_NAME}",
        abp_tags=description.TAGS,
        abp_security=description.SECURITY,
        abp_responses=description.errors(401, 403, 422, 503),
        operation_id_callback=description.operation_id,
    )
    api.register_error_handler(GatewayError, problem_of)
    app.register_error_handler(BearerError, problem_of)
    app.register_error_handler(ScopeError, problem_of)
    _guard(app, api, house)
    for room in (consents, checks, unsubscribe_links, interpretations, programs, description):
        room.add(api, house)
    app.register_api(api)


def _guard(app: OpenAPI, api: APIBlueprint, house: House) -> None:
    """Let nobody in, and read nothing of what they send, before they have proved who they are."""
    larger = _body_limits(house.settings.limits)

    @api.before_request
    def enter() -> None:
        endpoint = request.endpoint or ""
        _admit(house, guard_of(app, endpoint))
        if endpoint in larger:
            request.max_content_length = larger[endpoint]
        if request.method == "POST":
            _read_json()


def _body_limits(limits: LimitSettings) -> Mapping[str, int]:
    """Return the most bytes of the bodies that hold many addresses; others keep the application's limit."""
    wanted = {
        f"{_NAME}.check_addresses": limits.check_addresses,
        f"{_NAME}.make_links": limits.link_recipients,
    }
    return {endpoint: limits.bulk_body(number) for endpoint, number in wanted.items()}


def _admit(house: House, guarding: Guarding) -> None:
    if guarding.guard is Guard.PUBLIC:
        return
    if guarding.scope is None:
        raise BearerError("no token opens this route")
    g.caller = authorize(house, request.headers.get("Authorization"), guarding.scope)


def _read_json() -> None:
    """Read the body as a JSON object: 415, 413 or 400 when it is none. It is kept for the validation."""
    try:
        body = request.get_json()
    except RecursionError:
        raise BadRequest from None
    if not isinstance(body, dict):
        raise InvalidInputError("body", (), "must be an object")
