"""Answers that wait for the commit of their group.

PEP 3333 lets an application call `start_response` as late as just before its iterable yields the first
chunk. So the answer is decided when the body is first iterated: by then the server has called the
application for every request of the round, and the first body commits the group for all of them. Status and
headers are those of what really happened, 503 included.
"""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response

from gateway.errors import OurTroubleError
from gateway.providers.base import Answer
from gateway.web.surprises import log_surprise

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Conclude = Callable[[], Answer]

# Every provider and mail client takes a 5xx as "try again".
UNAVAILABLE = Answer(503, "text/plain; charset=utf-8", b"", (("Retry-After", "5"),))
_FAULT = Answer(500, "text/plain; charset=utf-8", b"")
_STATUS_LINES = {status.value: f"{status.value} {status.phrase.upper()}" for status in HTTPStatus}


def deliver(conclude: Conclude, start_response: "StartResponse") -> Iterator[bytes]:
    """Decide the answer on the first iteration and send it."""
    try:
        answer = conclude()
    except OurTroubleError:
        answer = UNAVAILABLE
    except Exception as error:  # noqa: BLE001 - the edge: a server would log it with its text and the path
        log_surprise(error)
        answer = _FAULT
    headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
    start_response(_STATUS_LINES[answer.status], [*headers, *answer.headers])
    yield answer.body


class DeferredResponse(Response):
    """What a view returns to have its answer decided after the commit."""

    def __init__(self, conclude: Conclude) -> None:
        super().__init__()
        self._conclude = conclude

    def __call__(
        self,
        environ: "WSGIEnvironment",  # noqa: ARG002 - WSGI's signature
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        """Return the body; nothing is decided or sent yet."""
        return deliver(self._conclude, start_response)


def respond(answer: Answer) -> Response:
    """Return the answer as a response of Flask, for what needs no commit."""
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    response.headers.extend(answer.headers)
    return response
