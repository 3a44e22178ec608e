"""Alive, ready, and what is counted."""

import time

from flask import Blueprint, Response, request

from gateway.errors import OurTroubleError
from gateway.house import House
from gateway.store.ledger import now_microseconds
from gateway.store.probe import probe
from gateway.store.queues import Queues
from gateway.web.bearer import authorize
from gateway.web.guard import Guard, TokenScope, guarded

_TEXT = "text/plain; charset=utf-8"
_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
_FRESH_SECONDS = 1.0


class Readiness:
    """Whether the database takes a write, asked at most once a second."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._asked = float("-inf")
        self._problem = ""

    def problem(self) -> str:
        """Return what is wrong, "" when ready."""
        if time.monotonic() - self._asked >= _FRESH_SECONDS:
            self._problem = self._ask()
            self._asked = time.monotonic()
        return self._problem

    def _ask(self) -> str:
        try:
            probe(self._house.engine, "ready", now_microseconds())
        except OurTroubleError as trouble:
            return str(trouble)
        return ""


def blueprint(house: House) -> Blueprint:
    """Return `/healthz`, `/readyz` and `/metrics`."""
    routes = Blueprint("health", __name__)
    readiness = Readiness(house)
    queues = Queues(house.engine)

    @routes.get("/healthz")
    @guarded(Guard.PUBLIC)
    def alive() -> Response:
        return Response("ok\n", content_type=_TEXT)

    @routes.get("/readyz")
    @guarded(Guard.PUBLIC)
    def ready() -> Response:
        problem = readiness.problem()
        return Response(f"{problem or 'ready'}\n", 503 if problem else 200, content_type=_TEXT)

    @routes.get("/metrics")
    @guarded(Guard.BEARER, TokenScope.METRICS)
    def metrics() -> Response:
        authorize(house, request.headers.get("Authorization"), TokenScope.METRICS)
        _show_waiting(house, queues)
        return Response(house.metrics.exposition(), content_type=_EXPOSITION)

    return routes


def _show_waiting(house: House, queues: Queues) -> None:
    """Set the gauges of what waits, the empty ones too: the worker may be away, which is when they matter."""
    now = now_microseconds()
    found = {(kind, each.account): each for kind, each in queues.waiting(now)}
    for kind in queues.all:
        for account in {*house.settings.accounts, *(name for _, name in found)}:
            each = found.get((kind, account))
            oldest = now if each is None or each.oldest_due_at is None else each.oldest_due_at
            house.metrics.waiting(
                kind,
                account,
                oldest_seconds=max(0, now - oldest) / 1_000_000,
                dead=0 if each is None else each.dead,
            )
