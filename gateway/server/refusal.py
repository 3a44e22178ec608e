"""Requests that the server itself answers: the status and the reason, which never quotes the request."""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Refusal:
    """A final answer given without the application. The connection closes after it."""

    status: HTTPStatus
    reason: str


class RefusedError(Exception):
    """Raised while reading a request that must be refused; carries the `Refusal`."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(status, reason)
