"""Errors of `/v1` are problems (RFC 9457) that say what is wrong and repeat nothing of what was sent."""

import json
import logging

import pytest
from sqlalchemy import text

from gateway.store.ledger import now_microseconds
from gateway.store.tokens import create_token

# Something personal in every place where a caller can put it.
SECRET = "kim.secret+15550109876"
INVALID = "urn:problem-type:consent-gateway:invalid-input"


@pytest.fixture
def call(sqlite_app):
    """Call the API as one who may do everything."""
    engine = sqlite_app.extensions["gateway"].engine
    token = create_token(engine, name="t", scopes=["read", "links"], actor="t", now=now_microseconds())
    client = sqlite_app.test_client()

    def send(method: str, path: str, **options):
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return client.open(path, method=method, headers=headers, **options)

    return send


def _problem(answer, status: int) -> dict:
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["title"]
    assert "secret" not in answer.text
    assert "9876" not in answer.text
    assert "gateway." not in answer.text
    return answer.json


@pytest.mark.parametrize(
    ("path", "place", "pointer"),
    [
        (f"/v1/consents/{SECRET}/x", "path", "#/channel"),
        ("/v1/consents/sms/secret-9876", "path", "#/address"),
        ("/v1/consents/sms/secret", "path", "#/address"),
        (f"/v1/consents/email/{SECRET}", "path", "#/address"),
        (f"/v1/consents/email/{SECRET}/events", "path", "#/address"),
        (f"/v1/consents/sms/+15550100123?{SECRET}=1", "query", "#"),
        (f"/v1/consents/sms/+15550100123/events?limit={SECRET}", "query", "#/limit"),
        ("/v1/consents/sms/+15550100123/events?limit=201", "query", "#/limit"),
        ("/v1/consents/sms/+15550100123/events?before=0", "query", "#/before"),
        ("/v1/consents/sms/+15550100123/events?before=9223372036854775808", "query", "#/before"),
    ],
)
def test_a_wrong_path_or_query_is_told_by_its_place(call, path, place, pointer):
    problem = _problem(call("GET", path), 422)
    assert problem["type"] == INVALID
    assert [(error["in"], error["pointer"]) for error in problem["errors"]] == [(place, pointer)]
    assert problem["errors"][0]["message"]


@pytest.mark.parametrize(
    ("path", "body", "pointers"),
    [
        ("/v1/check", {}, ["#/channel", "#/addresses"]),
        ("/v1/check", {"channel": SECRET, "addresses": ["x"]}, ["#/channel"]),
        ("/v1/check", {"channel": "sms", "addresses": []}, ["#/addresses"]),
        ("/v1/check", {"channel": "sms", "addresses": SECRET}, ["#/addresses"]),
        (
            "/v1/check",
            {"channel": "sms", "addresses": ["x", {"a": SECRET}, 5]},
            ["#/addresses/1", "#/addresses/2"],
        ),
        ("/v1/check", {"channel": "sms", "addresses": ["x"], SECRET: 1}, ["#"]),
        ("/v1/check", {"channel": "sms", "addresses": ["x"], "program": "secret" * 20}, ["#/program"]),
        ("/v1/unsubscribe-links", {"recipients": ["x"], "message": "secret" * 20}, ["#/message"]),
        ("/v1/interpret", {"text": "secret" * 2_000}, ["#/text"]),
        ("/v1/interpret", {"text": None}, ["#/text"]),
        ("/v1/interpret", [SECRET], ["#"]),
        ("/v1/interpret", SECRET, ["#"]),
        ("/v1/interpret", json.dumps({"text": SECRET}), ["#"]),
        ("/v1/interpret", None, ["#"]),
    ],
)
def test_a_wrong_body_is_told_by_its_places(call, path, body, pointers):
    answer = call("POST", path, data=json.dumps(body), content_type="application/json")
    problem = _problem(answer, 422)
    assert problem["type"] == INVALID
    assert [(error["in"], error["pointer"]) for error in problem["errors"]] == [
        ("body", each) for each in pointers
    ]


def test_faults_are_listed_up_to_a_bound(call):
    problem = _problem(call("POST", "/v1/check", json={"channel": "sms", "addresses": [1] * 5_000}), 422)
    assert len(problem["errors"]) == 100


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "/v1/consents/sms/+15550100123?program=secret", {}),
        ("GET", "/v1/consents/sms/+15550100123?program=", {}),
        ("POST", "/v1/check", {"json": {"channel": "sms", "addresses": ["x"], "program": "secret"}}),
        ("POST", "/v1/unsubscribe-links", {"json": {"recipients": ["x"], "program": "secret"}}),
        ("POST", "/v1/interpret", {"json": {"text": "x", "program": "secret"}}),
    ],
)
def test_an_unknown_program_is_told_without_its_name(call, method, path, options):
    problem = _problem(call(method, path, **options), 422)
    assert problem["detail"] == "no such program: see GET /v1/programs"


@pytest.mark.parametrize(
    ("status", "options"),
    [
        (400, {"data": b'{"text": "secret', "content_type": "application/json"}),
        (400, {"data": b"\xff\xfesecret", "content_type": "application/json"}),
        (400, {"data": b"[" * 60_000, "content_type": "application/json"}),
        (400, {"data": b"", "content_type": "application/json"}),
        (415, {"data": b'{"text": "secret"}', "content_type": "text/plain"}),
        (415, {"data": {"text": "secret"}}),
        (413, {"data": b"x" * 70_000, "content_type": "application/json"}),
    ],
)
def test_a_body_that_is_no_json_is_refused(call, status, options):
    _problem(call("POST", "/v1/interpret", **options), status)


@pytest.mark.parametrize("body", [b'{"text":"\\ud83d secret"}', b'{"text":"x","sender":"\\udc00secret"}'])
def test_half_a_character_is_told_and_not_repeated(call, body):
    _problem(call("POST", "/v1/interpret", data=body, content_type="application/json"), 422)


def test_a_path_that_is_not_there_and_a_method_that_is_not_known_are_problems_too(call):
    for path in ("/v1/secret", "/v1/", "/v1/consents/sms", f"/v1/consents/{SECRET}"):
        _problem(call("GET", path), 404)
    answer = call("GET", "/v1/check")
    _problem(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    _problem(call("DELETE", f"/v1/consents/sms/{SECRET}"), 405)


@pytest.mark.parametrize(
    "path", ["/v1/consents/email/secret@example.org", "/v1/consents/email/secret@example.org/events"]
)
def test_when_the_database_fails_it_is_our_trouble_and_the_log_names_nobody(
    call, sqlite_app, capfd, caplog, path
):
    caplog.set_level(logging.DEBUG)
    with sqlite_app.extensions["gateway"].engine.begin() as connection:
        connection.execute(text("DROP TABLE events"))
    answer = call("GET", path)
    problem = _problem(answer, 503)
    assert answer.headers["Retry-After"] == "5"
    assert problem["instance"].startswith("urn:uuid:")
    logged = "".join(capfd.readouterr()) + caplog.text
    assert problem["instance"] in logged
    assert "OperationalError" in logged
    assert "secret" not in logged


def test_an_error_that_nobody_foresaw_is_a_problem_as_well(call, sqlite_app, monkeypatch):
    reader = sqlite_app.extensions["gateway"].reader
    monkeypatch.setattr(reader, "_rows", lambda *_: {}["secret"])
    problem = _problem(call("GET", "/v1/consents/sms/+15550100123"), 500)
    assert problem["instance"].startswith("urn:uuid:")
    assert "detail" not in problem
