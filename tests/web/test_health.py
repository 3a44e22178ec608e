"""Alive, ready, counted."""

import pytest
from flask import Flask
from sqlalchemy import select, text
from support.twilio_requests import inbound

from gateway.errors import ConfigurationError
from gateway.store.ledger import now_microseconds
from gateway.store.tables import probes
from gateway.store.tokens import create_token
from gateway.web.guard import guard_of, require_guards


def bearer(app: Flask, *scopes: str) -> dict[str, str]:
    engine = app.extensions["gateway"].engine
    token = create_token(engine, name="t", scopes=scopes, actor="test", now=now_microseconds())
    return {"Authorization": f"Bearer {token}"}


def test_alive_asks_nothing(sqlite_app: Flask):
    answer = sqlite_app.test_client().get("/healthz")
    assert (answer.status_code, answer.data) == (200, b"ok\n")


def test_ready_means_that_the_database_takes_a_write(app: Flask):
    assert app.test_client().get("/readyz").status_code == 200
    with app.extensions["gateway"].engine.connect() as connection:
        assert connection.execute(select(probes.c.name)).scalar_one() == "ready"


def test_not_ready_says_so_and_no_more(sqlite_app: Flask):
    with sqlite_app.extensions["gateway"].engine.begin() as connection:
        connection.execute(text("DROP TABLE probes"))
    answer = sqlite_app.test_client().get("/readyz")
    assert (answer.status_code, answer.data) == (503, b"the database does not take a write\n")


def test_metrics_count_and_are_guarded(sqlite_app: Flask):
    client = sqlite_app.test_client()
    message = inbound("https://sms.example.com")
    for headers in (message.headers, message.headers, {}):
        client.post("/sms/acme", base_url="https://sms.example.com", data=message.fields, headers=headers)
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers=bearer(sqlite_app, "read")).status_code == 403
    text = client.get("/metrics", headers=bearer(sqlite_app, "metrics")).get_data(as_text=True)
    assert 'gateway_events_total{klass="opt_out",rule="keyword@1",source="keyword"} 1.0' in text
    assert 'gateway_repeats_total{result="duplicate"} 1.0' in text
    assert 'gateway_replies_total{key="opt_out"} 1.0' in text
    assert 'gateway_refused_webhooks_total{account="acme",reason="not_authentic"} 1.0' in text
    assert message.fields["From"] not in text


def test_every_route_states_its_guard(sqlite_app: Flask):
    found = {
        rule.rule: (
            guard_of(sqlite_app, rule.endpoint).guard.value,
            guard_of(sqlite_app, rule.endpoint).scope,
        )
        for rule in sqlite_app.url_map.iter_rules()
        if "OPTIONS" not in rule.methods or len(rule.methods) > 1
    }
    assert {path: guard for path, (guard, _) in found.items()} == {
        "/static/<path:filename>": "public",
        "/sms/<account>": "provider",
        "/sms/<account>/status": "provider",
        "/u/<token>": "link",
        "/healthz": "public",
        "/readyz": "public",
        "/metrics": "bearer",
        "/v1/openapi.json": "public",
        "/v1/consents/<channel>/<path:address>": "bearer",
        "/v1/consents/<channel>/<path:address>/events": "bearer",
        "/v1/check": "bearer",
        "/v1/unsubscribe-links": "bearer",
        "/v1/interpret": "bearer",
        "/v1/programs": "bearer",
    }
    assert all(scope is not None for guard, scope in found.values() if guard == "bearer")


def test_an_unguarded_route_does_not_start():
    app = Flask("open", static_folder=None)
    app.add_url_rule("/open", "open", lambda: "")
    with pytest.raises(ConfigurationError, match="open"):
        require_guards(app)
