"""What the tests of the promises share: applications in process, and real servers."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from support.crash import ENGINES, Findings, crash, rounds_wanted, seed_wanted
from support.databases import sqlite_url
from support.gateways import LATER, app, make_app, sqlite_app
from support.live import Live
from support.server import Server

from gateway.store.engine import open_engine
from gateway.store.migrate import upgrade

__all__ = ["app", "make_app", "sqlite_app"]


def _server(folder: Path, url: str) -> Server:
    return Server(folder, url, extra=LATER, variables={"GATEWAY_SERVER_ACCESS_LOG": "true"})


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
