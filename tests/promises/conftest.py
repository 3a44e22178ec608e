"""What the tests of the promises share: applications in process, and real servers."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from flask import Flask
from support.crash import ENGINES, Findings, crash, rounds_wanted, seed_wanted
from support.databases import sqlite_url
from support.gateways import house_of, make, settings_text
from support.live import Live
from support.server import AUTH_TOKEN, Server

from gateway.store.engine import open_engine
from gateway.store.migrate import upgrade

MakeApp = Callable[..., Flask]

_LATER = f"""
[accounts.later]
provider = "twilio"
account_sid = "ACtest"
auth_tokens = ["{AUTH_TOKEN}"]
provider_replies = "none"
reply_by = "api"
"""


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


def _server(folder: Path, url: str) -> Server:
    return Server(folder, url, extra=_LATER, variables={"GATEWAY_SERVER_ACCESS_LOG": "true"})


@pytest.fixture(scope="session", params=ENGINES)
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A real server with two processes, on each engine; one for all tests of this process."""
    folder = tmp_path_factory.mktemp(f"live-{request.param}")
    if request.param == "sqlite":
        with _server(folder, sqlite_url(folder)) as server, closing(Live(server)) as found:
            yield found
        return
    with request.getfixturevalue("postgres").database() as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        with _server(folder, url) as server, closing(Live(server)) as found:
            yield found


@pytest.fixture(scope="session", params=ENGINES)
def crash_findings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """What came of killing the server again and again: one run an engine, however many test processes."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    kept = shared / f"crash-{request.param}.json"
    with (shared / f"crash-{request.param}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            folder = tmp_path_factory.mktemp("crash")
            found = crash(request.param, folder, rounds=rounds_wanted(), seed=seed_wanted())
            kept.write_text(json.dumps(asdict(found)))
    return Findings(**json.loads(kept.read_text()))
