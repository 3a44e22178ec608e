"""The application for recorded requests: under the address and at the time at which each was recorded.

A test names the recording in `X-Recording`; path and query stay as they were sent.
"""

import threading
from collections.abc import Iterable
from typing import Any

from flask import Flask
from support.vectors import Recorded, all_recorded

from gateway import house
from gateway.app import create_app as create_real_app
from gateway.configuration.loading import load
from gateway.net.outgoing import Call, Outgoing, Returned
from gateway.providers import registry
from gateway.settings import Settings
from gateway.store.ledger import now_microseconds
from gateway.web import wire

_moment = threading.local()


class Elsewhere(Outgoing):
    """Stands in for the network: everything is there, and empty."""

    def call(self, _call: Call) -> Returned:
        return Returned(200, {}, b"")


class ByRecording:
    """Gives a request to the account of its recording, and sets the clock."""

    def __init__(self, app: Any, recorded: Iterable[Recorded]) -> None:
        self._app = app
        self._times = {each.id: each.now for each in recorded}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        name = environ.pop("HTTP_X_RECORDING", "")
        if name:
            _moment.at = self._times[name] or now_microseconds()
            environ["PATH_INFO"] = f"/sms/{name}"
        return self._app(environ, start_response)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application with an account for every recording."""
    recorded = all_recorded()
    house.build = lambda account, _net: registry.build(account, Elsewhere())  # type: ignore[assignment]  # no network
    wire.now_microseconds = lambda: _moment.at  # the clock that signed times are held against
    app = create_real_app(with_accounts(settings or load(), recorded))
    app.wsgi_app = ByRecording(app.wsgi_app, recorded)  # type: ignore[method-assign]  # Flask's documented hook
    return app


def with_accounts(settings: Settings, recorded: Iterable[Recorded]) -> Settings:
    """Return the settings with an account for each; some were recorded under addresses that we do not take."""
    accounts = {
        each.id: registry.settings_of(each.account["provider"])
        .model_validate(each.account)
        .model_copy(update={"public_url": each.base})
        for each in recorded
    }
    return settings.model_copy(update={"accounts": accounts})
