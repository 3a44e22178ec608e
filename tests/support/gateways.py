"""The application in process, and the few things that one asks of it: for the tests of the promises and of the web.

A `conftest.py` that imports the fixtures `make_app`, `app` and `sqlite_app` has them.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, Table, select
from support.databases import sqlite_url
from support.server import AUTH_TOKEN, MASTER, SENDER
from support.twilio_requests import Inbound
from werkzeug.test import TestResponse

from gateway.app import create_app
from gateway.configuration.loading import load
from gateway.consent.address import Address, Channel, subject_of
from gateway.flows.check import Checks
from gateway.house import House
from gateway.mail.tokens import LinkGrant, LinkPurpose
from gateway.store.ledger import now_microseconds
from gateway.store.tables import events, outbox, states, suppressions
from gateway.store.tokens import create_token
from gateway.web.guard import TokenScope

BASE = "https://sms.example.com"
OTHER_AUTH_TOKEN = "another_auth_token_11111111111111"
CLUB_SENDER = "+15555550177"
PAIR = b"List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
CONSENT_TABLES = (events, states, suppressions, outbox)

MakeApp = Callable[..., Flask]

PROGRAMS = f"""
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
senders = ["{CLUB_SENDER}"]
contact = "help@example.com"
double_opt_in = true
[programs.news]
name = "Acme News"
purpose = "marketing"
default_choice = "y"
"""
LATER = f"""
[accounts.later]
provider = "twilio"
account_sid = "ACtest"
auth_tokens = ["{AUTH_TOKEN}"]
provider_replies = "none"
reply_by = "api"
"""
ACCOUNTS = f"""
[accounts.acme]
provider = "twilio"
account_sid = "ACtest"
auth_tokens = ["{AUTH_TOKEN}", "older-token"]
provider_replies = "none"
[accounts.other]
provider = "twilio"
account_sid = "ACother"
auth_tokens = ["{OTHER_AUTH_TOKEN}"]
[accounts.quiet]
provider = "twilio"
account_sid = "ACtest"
auth_tokens = ["{AUTH_TOKEN}"]
{LATER}"""


def settings_text(url: str, *, accounts: str = ACCOUNTS, programs: str = PROGRAMS, extra: str = "") -> str:
    """Return a settings file."""
    return (
        f'[server]\npublic_url = "{BASE}"\n[keys]\nmaster = "{MASTER}"\n{accounts}{programs}{extra}\n'
        f'[database]\nurl = "{url}"\n'
    )


def make(folder: Path, text: str, *, lane: bool = True) -> Flask:
    """Return the application of a settings file; close its house in the end."""
    path = folder / "gateway.toml"
    path.write_text(text)
    app = create_app(load(path, {}), lane=lane)
    app.testing = False
    return app


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[MakeApp]:
    """Make applications over a database URL; further arguments as `settings_text` has them."""
    made: list[Flask] = []

    def build(url: str, *, lane: bool = True, **parts: str) -> Flask:
        folder = tmp_path / f"gateway-{len(made)}"
        folder.mkdir()
        made.append(make(folder, settings_text(url, **parts), lane=lane))
        return made[-1]

    yield build
    for app in made:
        house_of(app).close()


@pytest.fixture
def app(make_app: MakeApp, database_url: str) -> Flask:
    """The application on each engine."""
    return make_app(database_url)


@pytest.fixture
def sqlite_app(make_app: MakeApp, tmp_path: Path) -> Flask:
    """The application on SQLite, for what does not reach the database."""
    return make_app(sqlite_url(tmp_path))


def house_of(app: Flask) -> House:
    house: House = app.extensions["gateway"]
    return house


def deliver(app: Flask, message: Inbound, **options: Any) -> TestResponse:
    """Post a message as its provider does."""
    path = message.url.removeprefix(BASE)
    client = app.test_client()
    return client.post(path, base_url=BASE, data=message.fields, headers=message.headers, **options)


def link(
    app: Flask,
    mailbox: str = "eve@example.org",
    scope: str = "offers",
    *,
    channel: Channel = Channel.EMAIL,
    purpose: LinkPurpose = LinkPurpose.UNSUBSCRIBE,
    issued_at: int | None = None,
    expires_at: int | None = None,
) -> str:
    """Return the path of an unsubscribe link."""
    at = int(time.time()) if issued_at is None else issued_at
    grant = LinkGrant(purpose, Address(channel, mailbox), scope, at, "mail-7", expires_at)
    return "/u/" + house_of(app).links.mint(grant)


def bearer(
    app: Flask,
    scopes: Iterable[str] = tuple(TokenScope),
    *,
    now: int | None = None,
    expires_at: int | None = None,
) -> str:
    """Return a fresh operator token."""
    at = now_microseconds() if now is None else now
    engine = house_of(app).engine
    return create_token(engine, name="test", scopes=scopes, actor="test", now=at, expires_at=expires_at)


def authorization(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def rows(engine: Engine, table: Table) -> list[tuple[Any, ...]]:
    """Return all rows of a table, in the order of its key."""
    with engine.connect() as connection:
        found = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
    return [tuple(row) for row in found]


def consent_rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything that is kept about persons."""
    return {table.name: rows(engine, table) for table in CONSENT_TABLES}


def choices(app: Flask, address: str, channel: Channel = Channel.SMS) -> dict[str, str]:
    """Return the words of a person that stand, by scope."""
    house = house_of(app)
    subject = subject_of(Address(channel, address), house.keys.subject)
    with house.engine.connect() as connection:
        query = select(states.c.scope, states.c.choice).where(states.c.subject == subject)
        return {row.scope: row.choice for row in connection.execute(query) if row.choice}


def is_allowed(app: Flask, address: str, program: str, channel: Channel = Channel.SMS) -> bool:
    """Ask the flow that decides before sending."""
    house = house_of(app)
    (result,) = Checks(house.reader, house.book, house.keys.subject).check([address], channel, program)
    return result.allowed
