"""The configured programs."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint

from gateway.flows.status import Asking
from gateway.house import House
from gateway.web.answers import respond
from gateway.web.api.documents import json_answer, programs_document
from gateway.web.api.models import ProgramsAnswer
from gateway.web.guard import Guard, TokenScope, guarded


def add(api: APIBlueprint, house: House) -> None:
    """Add the route."""
    asking = Asking(house.book)
    programs = house.book.programs
    document = programs_document({slug: (programs[slug], asking.one(slug)) for slug in programs})

    @api.get("/programs", responses={200: ProgramsAnswer})
    @guarded(Guard.BEARER, TokenScope.READ)
    def list_programs() -> Response:
        """Return the configured programs."""
        return respond(json_answer(document))
