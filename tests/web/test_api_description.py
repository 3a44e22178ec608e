"""The API's description of itself holds: OpenAPI 3.1, complete, and true."""

import json
import re

import pytest

from gateway import __version__
from gateway.store.ledger import now_microseconds
from gateway.store.tokens import create_token

METHODS = {"get", "post", "put", "patch", "delete"}
# OpenAPI 3.1.0, section 4.8: what an object of each kind may hold.
ROOT = {"openapi", "info", "servers", "paths", "webhooks", "components", "security", "tags", "externalDocs"}
OPERATION = {
    "tags",
    "summary",
    "description",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "security",
}
PARAMETER = {"name", "in", "description", "required", "schema", "example", "deprecated"}
TYPES = {"string", "integer", "number", "boolean", "object", "array", "null"}


@pytest.fixture
def document(sqlite_app) -> dict:
    answer = sqlite_app.test_client().get("/v1/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return answer.json


def _operations(document: dict):
    for path, item in document["paths"].items():
        assert item.keys() <= METHODS
        for method, operation in item.items():
            yield path, method, operation


def _walk(node):
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _walk(child)


def test_the_document_is_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    assert document.keys() <= ROOT
    assert document["info"]["title"] == "Consent Gateway"
    assert document["info"]["version"] == __version__
    assert document["components"]["securitySchemes"]["bearer"]["type"] == "http"
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_the_document_has_every_route_and_no_other(document, sqlite_app):
    described = {(path, method.upper()) for path, method, _ in _operations(document)}
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in sqlite_app.url_map.iter_rules()
        if rule.rule.startswith("/v1/") and rule.rule != "/v1/openapi.json"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == routes


def test_every_operation_is_named_guarded_and_says_how_it_fails(document):
    names = []
    for _, method, operation in _operations(document):
        assert operation.keys() <= OPERATION
        names.append(operation["operationId"])
        assert operation["summary"].endswith(".")
        assert operation["security"] == [{"bearer": []}]
        expected = {"200", "401", "403", "422", "503"} | (
            {"400", "413", "415"} if method == "post" else set()
        )
        assert set(operation["responses"]) == expected
        for status, response in operation["responses"].items():
            kind = "application/json" if status == "200" else "application/problem+json"
            assert response["description"]
            assert list(response["content"]) == [kind]
            if status != "200":
                assert response["content"][kind]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert sorted(names) == [
        "check_addresses",
        "get_status",
        "interpret_text",
        "list_events",
        "list_programs",
        "make_links",
    ]


def test_path_parameters_are_those_of_the_path(document):
    for path, _, operation in _operations(document):
        parameters = operation.get("parameters", [])
        assert all(parameter.keys() <= PARAMETER for parameter in parameters)
        in_path = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        assert all(parameter["required"] for parameter in parameters if parameter["in"] == "path")
        assert all(parameter["description"] for parameter in parameters)


def test_every_reference_leads_somewhere_and_every_schema_is_used(document):
    schemas = document["components"]["schemas"]
    used = {
        node["$ref"]
        for node in _walk(document)
        if isinstance(node, dict) and isinstance(node.get("$ref"), str)
    }
    assert used == {f"#/components/schemas/{name}" for name in schemas}


def test_every_schema_has_known_types(document):
    for node in _walk(document["components"]["schemas"]):
        if isinstance(node, dict) and isinstance(node.get("type"), str):
            assert node["type"] in TYPES


def test_the_problem_is_described_as_it_is_sent(document, sqlite_app):
    schemas = document["components"]["schemas"]
    answer = sqlite_app.test_client().get("/v1/programs").json
    assert answer.keys() <= schemas["Problem"]["properties"].keys()
    assert set(schemas["Fault"]["properties"]) == {"in", "pointer", "message"}


def test_bodies_have_examples_that_work(document, sqlite_app):
    engine = sqlite_app.extensions["gateway"].engine
    token = create_token(engine, name="t", scopes=["read", "links"], actor="t", now=now_microseconds())
    tried = 0
    for path, method, operation in _operations(document):
        if method == "post":
            example = operation["requestBody"]["content"]["application/json"]["example"]
            headers = {"Authorization": f"Bearer {token}"}
            assert sqlite_app.test_client().post(path, json=example, headers=headers).status_code == 200
            tried += 1
    assert tried == 3


def test_the_description_needs_no_token_and_names_nothing_of_this_gateway(document):
    text = json.dumps(document)
    assert "Acme" not in text
    assert "sms.example.com" not in text
