"""Decisions for many addresses."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint

from gateway.flows.check import Checks
from gateway.house import House
from gateway.web.answers import respond
from gateway.web.api.description import errors
from gateway.web.api.documents import check_document, json_answer
from gateway.web.api.models import CheckAnswer, CheckBody
from gateway.web.guard import Guard, TokenScope, guarded
from gateway.web.problem import InvalidInputError


def add(api: APIBlueprint, house: House) -> None:
    """Add the route."""
    checks = Checks(house.reader, house.book, house.keys.subject)
    most = house.settings.limits.check_addresses

    @api.post("/check", responses={200: CheckAnswer, **errors(400, 413, 415)})
    @guarded(Guard.BEARER, TokenScope.READ)
    def check_addresses(body: CheckBody) -> Response:
        """Tell which addresses may be sent to. Ask right before sending."""
        if len(body.addresses) > most:
            raise InvalidInputError("body", ("addresses",), f"at most {most} addresses in one call")
        results = checks.check(body.addresses, body.channel, body.program)
        return respond(json_answer(check_document(body.channel, checks.program(body.program), results)))
