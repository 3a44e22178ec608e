"""The one place where the rooms are joined."""

from flask import Flask
from flask_openapi3.openapi import OpenAPI

from gateway.configuration.loading import load
from gateway.house import House, build_house
from gateway.settings import Settings
from gateway.web import api, errors, health, one_click, sms
from gateway.web.accounts import Accounts
from gateway.web.guard import Guard, guarded, require_guards
from gateway.web.lane import Lane
from gateway.web.links import LinkDesk


def create_app(settings: Settings | None = None, *, lane: bool = True) -> Flask:
    """Return the application; the settings are loaded from file and environment unless given.

    `lane=False` leaves out the fast lane in front of the views: the same answers, slower. Raises
    `ConfigurationError` when the settings are wrong.
    """
    house = build_house(settings or load())
    app = OpenAPI(__name__, static_folder="web/static", **api.api_options())
    app.extensions["gateway"] = house
    app.config["MAX_CONTENT_LENGTH"] = house.settings.limits.body_bytes
    # A redirect would lose the body of a webhook, and its signature is over the URL as it was sent.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    _join(app, house, lane=lane)
    require_guards(app)
    return app


def _join(app: OpenAPI, house: House, *, lane: bool) -> None:
    accounts, links = Accounts(house), LinkDesk(house)
    app.register_blueprint(sms.blueprint(accounts))
    app.register_blueprint(one_click.blueprint(house, links))
    app.register_blueprint(health.blueprint(house))
    api.register(app, house)
    errors.register(app)
    guarded(Guard.PUBLIC)(app.view_functions["static"])
    if lane:
        app.wsgi_app = Lane(app.wsgi_app, house, accounts, links)  # type: ignore[method-assign]  # Flask's documented hook
