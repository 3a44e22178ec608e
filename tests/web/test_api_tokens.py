"""Who is let into `/v1`: nobody without a good token, and nothing is read before."""

import pytest
from sqlalchemy import text

from gateway.store.ledger import now_microseconds
from gateway.store.tokens import create_token, revoke_token
from gateway.web.guard import Guard, TokenScope, guard_of

ROUTES = [
    ("GET", "/v1/consents/sms/+15550100123", TokenScope.READ),
    ("GET", "/v1/consents/sms/+15550100123/events", TokenScope.READ),
    ("POST", "/v1/check", TokenScope.READ),
    ("POST", "/v1/unsubscribe-links", TokenScope.LINKS),
    ("POST", "/v1/interpret", TokenScope.READ),
    ("GET", "/v1/programs", TokenScope.READ),
]
UNAUTHORIZED = (
    b'{"type":"about:blank","title":"Unauthorized","status":401,"detail":"a valid bearer token is needed"}'
)


def _create(app, *scopes: str, **changes) -> str:
    values = {
        "name": "test",
        "scopes": scopes or tuple(TokenScope),
        "actor": "test",
        "now": now_microseconds(),
    }
    return create_token(app.extensions["gateway"].engine, **{**values, **changes})


def _refused_headers(app) -> dict[str, list[tuple[str, str]]]:
    engine, now = app.extensions["gateway"].engine, now_microseconds()
    good, revoked = _create(app), _create(app)
    expired = _create(app, now=now - 10, expires_at=now - 5)
    revoke_token(engine, revoked.split("_")[1], actor="test", now=now)
    values = {
        "another scheme": f"Basic {good}",
        "no scheme": good,
        "empty": "",
        "no token": "Bearer",
        "malformed": "Bearer gw_short",
        "two tokens": f"Bearer {good}, Bearer {good}",
        "unknown": "Bearer gw_aaaaaaaa_" + good[12:],
        "wrong secret": f"Bearer {good[:12]}{'A' * 43}",
        "revoked": f"Bearer {revoked}",
        "expired": f"Bearer {expired}",
    }
    return {"missing": [], **{name: [("Authorization", value)] for name, value in values.items()}}


def _answer(client, method: str, path: str, headers) -> tuple:
    answer = client.open(path, method=method, headers=headers)
    return answer.status_code, sorted(answer.headers), answer.data


def test_whoever_proves_nothing_gets_the_same_bytes_everywhere(app):
    client = app.test_client()
    expected = [
        ("Cache-Control", "no-store"),
        ("Content-Length", str(len(UNAUTHORIZED))),
        ("Content-Type", "application/problem+json"),
        ("WWW-Authenticate", 'Bearer realm="gateway"'),
    ]
    for name, headers in _refused_headers(app).items():
        for method, path, _ in ROUTES:
            answer = _answer(client, method, path, headers)
            assert answer == (401, expected, UNAUTHORIZED), (name, path)


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_good_token_without_the_scope_is_forbidden(sqlite_app, method, path, scope):
    token = _create(sqlite_app, *(other for other in TokenScope if other is not scope))
    answer = sqlite_app.test_client().open(path, method=method, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"] == f"this token lacks the scope {scope}"
    assert (
        answer.headers["WWW-Authenticate"]
        == f'Bearer realm="gateway", error="insufficient_scope", scope="{scope}"'
    )


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_the_scope_alone_is_enough(sqlite_app, method, path, scope):
    headers = {"Authorization": f"bearer  {_create(sqlite_app, scope)}"}
    answer = sqlite_app.test_client().open(
        path, method=method, headers=headers, json={} if method == "POST" else None
    )
    assert answer.status_code in {200, 422}


@pytest.mark.parametrize("token", [None, "gw_aaaaaaaa_" + "a" * 43])
def test_nothing_is_read_and_nothing_validated_before_the_token(sqlite_app, token):
    """Wrong channel, wrong address, wrong body, too large a body: still only the token is spoken of."""
    client = sqlite_app.test_client()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    requests = [
        ("GET", "/v1/consents/smoke/x", {}),
        ("GET", "/v1/consents/sms/x?program=nope&what=ever", {}),
        ("GET", "/v1/consents/sms/x/events?limit=-1", {}),
        ("POST", "/v1/check", {"data": b"{", "content_type": "application/json"}),
        ("POST", "/v1/check", {"data": b"x", "content_type": "text/plain"}),
        ("POST", "/v1/interpret", {"data": b"x" * 20_000_000, "content_type": "application/json"}),
        ("POST", "/v1/unsubscribe-links", {"json": {"recipients": 5}}),
    ]
    for method, path, body in requests:
        assert client.open(path, method=method, headers=headers, **body).data == UNAUTHORIZED


def test_head_and_options_need_the_token_as_well_and_change_nothing(sqlite_app):
    client, path = sqlite_app.test_client(), ROUTES[0][1]
    good = {"Authorization": f"Bearer {_create(sqlite_app)}"}
    for method in ("HEAD", "OPTIONS"):
        assert client.open(path, method=method).status_code == 401
        assert client.open(path, method=method, headers=good).status_code == 200
    assert client.head(path, headers=good).data == b""
    assert client.options(path, headers=good).headers["Allow"].split(", ").sort() is None
    with sqlite_app.extensions["gateway"].engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM events")).scalar() == 0


def test_every_route_below_v1_is_in_the_table_above_and_states_its_guard(sqlite_app):
    found = {}
    for rule in sqlite_app.url_map.iter_rules():
        if rule.rule.startswith("/v1/") and rule.rule != "/v1/openapi.json":
            guarding = guard_of(sqlite_app, rule.endpoint)
            found[rule.rule] = (guarding.guard, guarding.scope)
    assert len(found) == len(ROUTES)
    adapter = sqlite_app.url_map.bind("localhost")
    for method, path, scope in ROUTES:
        rule, _ = adapter.match(path, method, return_rule=True)
        assert found[rule.rule] == (Guard.BEARER, scope)


def test_a_token_opens_other_routes_by_the_same_rules(sqlite_app):
    client = sqlite_app.test_client()
    assert client.get("/metrics").data == UNAUTHORIZED
    reader = {"Authorization": f"Bearer {_create(sqlite_app, 'read')}"}
    assert client.get("/metrics", headers=reader).status_code == 403


def test_when_the_database_is_gone_the_answer_is_503_and_not_401(sqlite_app):
    token = _create(sqlite_app)
    with sqlite_app.extensions["gateway"].engine.begin() as connection:
        connection.execute(text("DROP TABLE tokens"))
    answer = sqlite_app.test_client().get("/v1/programs", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Retry-After"] == "5"
