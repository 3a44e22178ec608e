"""The application in process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from support.databases import sqlite_url
from support.server import AUTH_TOKEN, MASTER, SENDER

from gateway.app import create_app
from gateway.configuration.loading import load

BASE = "https://sms.example.com"

SETTINGS = f"""
[server]
public_url = "{BASE}"
[keys]
master = "{MASTER}"
[accounts.acme]
provider = "twilio"
account_sid = "ACtest"
auth_tokens = ["{AUTH_TOKEN}", "older-token"]
provider_replies = "none"
[accounts.quiet]
provider = "twilio"
account_sid = "ACtest"
auth_tokens = ["{AUTH_TOKEN}"]
[accounts.later]
provider = "twilio"
account_sid = "ACtest"
auth_tokens = ["{AUTH_TOKEN}"]
provider_replies = "none"
reply_by = "api"
[programs.offers]
name = "Acme Offers"
purpose = "marketing"
default_choice = "y"
senders = ["{SENDER}"]
contact = "help@example.com"
[programs.club]
name = "Acme Club"
purpose = "marketing"
default_choice = "n"
senders = ["+15555550177"]
contact = "help@example.com"
double_opt_in = true
[programs.news]
name = "Acme News"
purpose = "marketing"
default_choice = "y"
"""

MakeApp = Callable[..., Flask]


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[MakeApp]:
    """Make applications over a database URL; `extra` is appended to the settings."""
    houses = []

    def make(url: str, *, extra: str = "", lane: bool = True) -> Flask:
        path = tmp_path / f"gateway-{len(houses)}.toml"
        path.write_text(f'{SETTINGS}{extra}\n[database]\nurl = "{url}"\n')
        app = create_app(load(path, {}), lane=lane)
        app.testing = False
        houses.append(app.extensions["gateway"])
        return app

    yield make
    for house in houses:
        house.close()


@pytest.fixture
def app(make_app: MakeApp, database_url: str) -> Flask:
    """The application on each engine."""
    return make_app(database_url)


@pytest.fixture
def sqlite_app(make_app: MakeApp, tmp_path: Path) -> Flask:
    """The application on SQLite."""
    return make_app(sqlite_url(tmp_path))
