"""Recorded requests of all providers through the whole gateway: a real server over HTTP, and in process."""

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from support import vector_app
from support.databases import sqlite_url
from support.server import MASTER, ROOT, Server
from support.vectors import FOLDER, Recorded, all_recorded

from gateway.providers.registry import KINDS
from gateway.settings import Settings

# Recorded for reference: Plivo sends it no longer, and these tokens do not cover a body.
OUTDATED = ("plivo-013", "plivo-014", "vonage-043")
# RFC 9112 section 3.2: a request line holds a path, in ASCII without blanks, and no fragment.
SENDABLE = re.compile(r"/[\x21\x22\x24-\x7e]*")


def cases(targets: re.Pattern[str]) -> list[Any]:
    found = all_recorded()
    if not found:
        reason = pytest.mark.skip(reason=f"no recorded requests: {FOLDER} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    assert len(found) > 200
    return [pytest.param(each, id=each.id) for each in found if targets.fullmatch(each.target)]


def wanted(recorded: Recorded) -> tuple[int, ...]:
    """Return the kinds of status that are right."""
    if recorded.request.method not in {"GET", "POST"}:
        return (405,)
    return (2,) if recorded.is_valid and recorded.id not in OUTDATED else (4, 5)


def is_right(recorded: Recorded, status: int) -> bool:
    right = wanted(recorded)
    return status in right or status // 100 in right


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("over-http")
    variables = {"PYTHONPATH": str(ROOT / "tests")}
    application = "support.vector_app:create_app()"
    with Server(folder, sqlite_url(folder), variables=variables, application=application) as found:
        yield found


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    kept = vector_app.house.build, vector_app.wire.now_microseconds
    settings = {
        "keys": {"master": MASTER},
        "database": {"url": sqlite_url(tmp_path_factory.mktemp("in-process"))},
    }
    made = vector_app.create_app(Settings.model_validate(settings))
    yield made
    made.extensions["gateway"].close()
    vector_app.house.build, vector_app.wire.now_microseconds = kept


@pytest.mark.parametrize("recorded", cases(SENDABLE))
def test_a_real_server_judges_a_recorded_request_as_its_author_says(server: Server, recorded: Recorded):
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    headers = {**recorded.request.headers, "X-Recording": recorded.id}
    connection.request(recorded.request.method, recorded.target, recorded.request.body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert is_right(recorded, answer.status), answer.status


@pytest.mark.parametrize("recorded", cases(re.compile(r"/.*")))
def test_the_application_judges_a_recorded_request_as_its_author_says(app: Flask, recorded: Recorded):
    # The client would encode the target anew: it is given as a server gives it.
    answer = app.test_client().open(
        "/",
        method=recorded.request.method,
        data=recorded.request.body,
        headers={**recorded.request.headers, "X-Recording": recorded.id},
        environ_overrides={"RAW_URI": recorded.target, "QUERY_STRING": ""},
    )
    assert is_right(recorded, answer.status_code), answer.status_code


@pytest.mark.skipif(not Path(FOLDER).exists(), reason=f"no recorded requests: {FOLDER} is absent")
def test_every_provider_has_recorded_requests():
    assert {each.account["provider"] for each in all_recorded()} == set(KINDS)
