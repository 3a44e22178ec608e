"""The application in process."""

from support.gateways import app, make_app, sqlite_app

__all__ = ["app", "make_app", "sqlite_app"]
