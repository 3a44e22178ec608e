"""Unsubscribe links and their header fields, in bulk."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint

from gateway.flows.links import mint_links
from gateway.house import House
from gateway.store.ledger import now_microseconds
from gateway.web.answers import respond
from gateway.web.api.description import errors
from gateway.web.api.documents import json_answer, links_document
from gateway.web.api.models import LinksAnswer, LinksBody
from gateway.web.guard import Guard, TokenScope, guarded
from gateway.web.problem import InvalidInputError


def add(api: APIBlueprint, house: House) -> None:
    """Add the route."""
    most = house.settings.limits.link_recipients

    @api.post("/unsubscribe-links", responses={200: LinksAnswer, **errors(400, 413, 415)})
    @guarded(Guard.BEARER, TokenScope.LINKS)
    def make_links(body: LinksBody) -> Response:
        """Make List-Unsubscribe and List-Unsubscribe-Post for these recipients. Nothing is stored."""
        if len(body.recipients) > most:
            raise InvalidInputError("body", ("recipients",), f"at most {most} recipients in one call")
        links = mint_links(
            house,
            channel=body.channel,
            recipients=body.recipients,
            program=body.program,
            message=body.message,
            now=now_microseconds(),
        )
        return respond(json_answer(links_document(body.channel, body.program, links)))
