"""7. No unverified webhook is parsed, stored or answered; secrets and raw personal data never reach logs, traces,
errors or metrics.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from support.gateways import ACCOUNTS, BASE, bearer, consent_rows, deliver, house_of, link
from support.leaks import (
    AGENT,
    IP,
    KEYS,
    LINK_SECRET,
    MAILBOX,
    NUMBER,
    PASSWORD,
    Credentials,
    found_in,
    requests_with_everything,
)
from support.live import Live
from support.logs import everything_logged
from support.server import AUTH_TOKEN, ROOT, Server
from support.surprising_app import fail
from support.twilio_requests import inbound

from gateway.flows.inbound_message import InboundMessages
from gateway.keywords.interpreter import Reader as KeywordReader
from gateway.mail.tokens import LinkKey
from gateway.providers import twilio

TABLES = ("events", "states", "suppressions", "outbox", "tokens", "probes")


# -- unverified webhooks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lane", [True, False], ids=["lane", "views"])
def test_no_unverified_webhook_is_parsed_stored_or_answered(make_app, database_url: str, lane, monkeypatch):
    app = make_app(database_url, lane=lane)
    steps: list[str] = []

    def spy(owner: object, name: str) -> None:
        kept = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *v, **n: (steps.append(name), kept(*v, **n))[1])

    for owner, name in (
        (twilio, "_message"),
        (twilio, "_delivery"),
        (twilio.Twilio, "answer"),
        (KeywordReader, "read"),
        (InboundMessages, "stage"),
    ):
        spy(owner, name)
    for place in ("acme", "acme/status"):
        for token, signature in (("wrong", None), (AUTH_TOKEN, ""), (AUTH_TOKEN, "A" * 27 + "=")):
            message = inbound(BASE, "STOP", number=NUMBER, account=place, token=token)
            headers = message.headers if signature is None else {"X-Twilio-Signature": signature}
            answer = app.test_client().post(
                f"/sms/{place}", base_url=BASE, data=message.fields, headers=headers
            )
            assert (answer.status_code, answer.data) == (403, b"")
    assert steps == []
    assert consent_rows(house_of(app).engine) == {
        "events": [],
        "states": [],
        "suppressions": [],
        "outbox": [],
    }
    deliver(app, inbound(BASE, "STOP", number=NUMBER))
    assert set(steps) >= {"_message", "read", "stage", "answer"}  # the spies see


# -- leaks -----------------------------------------------------------------------------------------------


@contextmanager
def broken(engine: Engine) -> Iterator[None]:
    """Take the tables away for the block."""
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"ALTER TABLE {table} RENAME TO gone_{table}"))
    try:
        yield
    finally:
        with engine.begin() as connection:
            for table in TABLES:
                connection.execute(text(f"ALTER TABLE gone_{table} RENAME TO {table}"))


def with_password(url: str) -> str:
    """Put a password into the URL of a database that asks for none."""
    if url.startswith("sqlite"):
        return url
    return make_url(url).set(username="postgres", password=PASSWORD).render_as_string(hide_password=False)


class Probe:
    """Sends everything to an application, and keeps what errors say."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.own = Credentials(bearer(app), link(app, MAILBOX))
        self.statuses: set[int] = set()

    def send_all(self) -> None:
        for request in requests_with_everything(BASE, self.own):
            answer = self._app.test_client().open(
                request.path,
                method=request.method,
                base_url=BASE,
                data=request.body,
                headers={"User-Agent": AGENT, **request.headers},
                environ_base={"REMOTE_ADDR": IP},
            )
            self.statuses.add(answer.status_code)
            if answer.status_code >= 400:
                shown = f"{answer.headers}{answer.get_data(as_text=True)}"
                assert found_in(shown, self.own) == [], request.name
            if request.path == "/metrics":
                assert found_in(answer.get_data(as_text=True), self.own) == []


@pytest.fixture(params=[True, False], ids=["lane", "views"])
def probe(request: pytest.FixtureRequest, make_app, database_url: str, capfd) -> Iterator[tuple]:
    """A probe of an application that logs everything, what was logged, and its engine."""
    with everything_logged(capfd) as logged:
        app = make_app(with_password(database_url), accounts=ACCOUNTS + KEYS, lane=request.param)
        yield Probe(app), logged, house_of(app).engine


def test_nothing_leaks_on_success_refusal_and_malformed_input(probe):
    sender, logged, _ = probe
    sender.send_all()
    assert sender.statuses >= {200, 400, 401, 403, 404, 405, 413, 415, 422}
    assert found_in(logged(), sender.own) == []


def test_nothing_leaks_when_the_database_fails(probe):
    sender, logged, engine = probe
    sender.send_all()
    with broken(engine):
        sender.send_all()
    assert 503 in sender.statuses
    said = logged()
    assert "our trouble" in said
    assert found_in(said, sender.own) == []


@pytest.mark.parametrize("place", ["views", "flows", "answers"])
def test_nothing_leaks_when_something_unexpected_happens(probe, monkeypatch, place: str):
    sender, logged, _ = probe

    targets = {
        "views": ["gateway.flows.status.Statuses.status", "gateway.flows.check.Checks.check"],
        "flows": [
            "gateway.flows.inbound_message.InboundMessages.stage",
            "gateway.flows.unsubscribe.Unsubscribes.stage",
        ],
        "answers": ["gateway.store.group.Ticket.outcome"],
    }
    for target in targets[place]:
        monkeypatch.setattr(target, fail)
    sender.send_all()
    said = logged()
    assert 500 in sender.statuses
    assert "SurpriseError" in said  # an operator must be able to see what happened
    assert "in fail" in said  # and where
    assert found_in(said, sender.own) == []


def test_nothing_leaks_into_the_log_of_a_real_server(database_url: str, tmp_path: Path):
    """All levels, access log on; requests that succeed, are refused, are malformed, meet a fault of ours, and
    then a database without its tables.
    """
    server = Server(
        tmp_path,
        with_password(database_url),
        extra=KEYS,
        application="support.surprising_app:create_app()",
        variables={
            "GATEWAY_SERVER_ACCESS_LOG": "true",
            "GATEWAY_SERVER_LOG_LEVEL": "debug",
            "GATEWAY_SERVER_TRUSTED_PROXIES": "1",
            "PYTHONPATH": str(ROOT / "tests"),
        },
    )
    with server, closing(Live(server, [LinkKey("k1", LINK_SECRET.encode())])) as live:
        own = Credentials(live.bearer, live.link(MAILBOX))
        statuses = send_to(live, own)
        with broken(live.engine):
            statuses |= send_to(live, own)
    assert statuses >= {200, 400, 401, 403, 404, 405, 413, 415, 422, 500, 503}
    log = server.log()
    assert log.count(" POST 200 ") > 10  # the access log is on
    assert "SurpriseError" in log
    assert "our trouble" in log
    assert found_in(log, own) == []


def send_to(live: Live, own: Credentials) -> set[int]:
    """Send everything to the real server; check what errors say."""
    statuses = set()
    for request in requests_with_everything(live.server.url, own):
        headers = {"User-Agent": AGENT, "X-Forwarded-For": IP, **request.headers}
        with closing(live.line()) as line:
            status, body = line.ask(request.method, request.path, request.body, headers)
        statuses.add(status)
        if status >= 400 or request.path == "/metrics":
            assert found_in(body.decode(), own) == [], request.name
    return statuses
