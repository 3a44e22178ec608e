"""The status and the timeline of one address."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint

from gateway.consent.address import subject_of
from gateway.flows.status import Statuses
from gateway.house import House
from gateway.web.answers import respond
from gateway.web.api.documents import events_document, json_answer, status_document
from gateway.web.api.models import ConsentPath, EventsAnswer, EventsQuery, StatusAnswer, StatusQuery
from gateway.web.guard import Guard, TokenScope, guarded

_ADDRESS = "/consents/<channel>/<path:address>"


def add(api: APIBlueprint, house: House) -> None:
    """Add the routes."""
    statuses = Statuses(house.reader, house.book, house.keys.subject)

    @api.get(_ADDRESS, responses={200: StatusAnswer})
    @guarded(Guard.BEARER, TokenScope.READ)
    def get_status(path: ConsentPath, query: StatusQuery) -> Response:
        """Tell whether the address may be sent to, program by program, and why (not)."""
        found = statuses.status(path.target(), query.program)
        return respond(json_answer(status_document(found)))

    @api.get(f"{_ADDRESS}/events", responses={200: EventsAnswer})
    @guarded(Guard.BEARER, TokenScope.READ)
    def list_events(path: ConsentPath, query: EventsQuery) -> Response:
        """Return what was said or done about the address, newest first."""
        address = path.target()
        subject = subject_of(address, house.keys.subject)
        found = house.reader.events(subject, before_seq=query.before, limit=query.limit + 1)
        page = found[: query.limit]
        after = page[-1].seq if len(found) > len(page) else None
        return respond(json_answer(events_document(address, subject, page, after)))
