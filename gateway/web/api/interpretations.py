"""The dry run of the interpreter."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint

from gateway.flows.interpret import Question, interpret
from gateway.house import House
from gateway.web.answers import respond
from gateway.web.api.description import errors
from gateway.web.api.documents import interpretation_document, json_answer
from gateway.web.api.models import InterpretationAnswer, InterpretBody
from gateway.web.guard import Guard, TokenScope, guarded
from gateway.web.problem import InvalidInputError


def add(api: APIBlueprint, house: House) -> None:
    """Add the route."""

    @api.post("/interpret", responses={200: InterpretationAnswer, **errors(400, 413, 415)})
    @guarded(Guard.BEARER, TokenScope.READ)
    def interpret_text(body: InterpretBody) -> Response:
        """Tell what a text would mean. Nothing is recorded."""
        if body.sender is not None and body.program is not None:
            raise InvalidInputError("body", ("program",), "give sender or program, not both")
        question = Question(
            body.text,
            sender=body.sender or "",
            program=body.program,
            pending_opt_in=body.pending_opt_in,
            marketing=body.marketing,
            last_sent=body.last_sent,
        )
        found = interpret(house.book, question)
        return respond(json_answer(interpretation_document(found)))
