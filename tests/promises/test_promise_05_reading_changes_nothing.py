"""5. GET, HEAD and OPTIONS never change consent. One-click works without cookie, script, redirect, known User-Agent
or even a body.
"""

import itertools
import socket
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from support.gateways import (
    BASE,
    FORM,
    PAIR,
    authorization,
    bearer,
    choices,
    consent_rows,
    deliver,
    house_of,
    link,
)
from support.live import Live
from support.server import AUTH_TOKEN
from support.twilio_requests import inbound
from twilio.request_validator import RequestValidator
from werkzeug.routing import Rule

from gateway.consent.address import Channel
from gateway.store.tables import states
from gateway.web.guard import Guard, guard_of

READING = ("GET", "HEAD", "OPTIONS")
IN, OUT, MAILBOX = "+15550100001", "+15550100002", "eve@example.org"
_QUERIES = ("", PAIR.decode(), "confirm=1", "undo=1", "choice=n&program=offers", "_method=POST")
_BODIES = (b"", PAIR, b"confirm=1", b"undo=1", b'{"choice": "n"}')
_OVERRIDES = ({}, {"X-HTTP-Method-Override": "POST"}, {"X-Method-Override": "DELETE"})


def path_of(app: Flask, rule: Rule, address: str) -> str:
    """Return a path of the route with everything in place that it asks for."""
    filled = {
        "token": link(app, MAILBOX).removeprefix("/u/"),
        "account": "acme",
        "channel": "sms",
        "address": address,
        "filename": "unsubscribe.css",
    }
    path = rule.rule.replace("<path:", "<")
    for name in rule.arguments:
        path = path.replace(f"<{name}>", filled[name])  # a new argument needs its value here
    return path


@pytest.fixture
def used(app: Flask) -> Flask:
    """An application that knows people: one in, one out, one unsubscribed by a link."""
    deliver(app, inbound(BASE, "START", number=IN))
    deliver(app, inbound(BASE, "STOP", number=OUT))
    app.test_client().post(link(app, "out@example.org"), base_url=BASE, data=PAIR, content_type=FORM)
    assert len(consent_rows(house_of(app).engine)["events"]) == 3
    return app


@pytest.mark.parametrize("method", READING)
def test_no_route_changes_consent_when_it_is_read(used: Flask, method: str):
    headers = authorization(bearer(used))
    engine, client = house_of(used).engine, used.test_client()
    before = consent_rows(engine)
    requests = 0
    for rule, address in itertools.product(used.url_map.iter_rules(), (IN, OUT)):
        for query, body, override in itertools.product(_QUERIES, _BODIES, _OVERRIDES):
            answer = client.open(
                path_of(used, rule, address),
                method=method,
                base_url=BASE,
                query_string=query,
                data=body,
                content_type="application/json" if body.startswith(b"{") else FORM,
                headers={**headers, **override},
            )
            assert answer.status_code < 500
            requests += 1
            answer.close()
        assert consent_rows(engine) == before, rule
    assert requests > 1000


def test_the_routes_were_really_reached(used: Flask):
    """Else the test above would hold for an application that refuses everything."""
    headers = authorization(bearer(used))
    for rule in used.url_map.iter_rules():
        if "GET" not in rule.methods or guard_of(used, rule.endpoint).guard is Guard.PROVIDER:
            continue
        answer = used.test_client().get(path_of(used, rule, IN), base_url=BASE, headers=headers)
        assert answer.status_code == 200, rule
        answer.close()


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
@pytest.mark.parametrize("place", ["/sms/acme", "/sms/acme/status"])
def test_a_signed_head_or_options_is_no_message(used: Flask, method: str, place: str):
    before = consent_rows(house_of(used).engine)
    used.test_client().open(**_signed_in_the_url(place, IN), method=method)
    assert consent_rows(house_of(used).engine) == before


def test_the_one_exception_is_a_message_that_the_provider_delivers_by_get(used: Flask):
    """Twilio can be set to GET: its signature over the whole URL makes it a message, not a page."""
    assert choices(used, IN)["offers"] == "y"
    assert used.test_client().get(**_signed_in_the_url("/sms/acme", IN)).status_code == 200
    assert choices(used, IN)["@+15555550199"] == "n"


def _signed_in_the_url(place: str, number: str) -> dict:
    message = inbound(BASE, "STOP", number=number)
    fields = (
        {**message.fields, "MessageStatus": "failed", "ErrorCode": "21610"}
        if "status" in place
        else message.fields
    )
    target = f"{place}?{urlencode(fields)}"
    signature = RequestValidator(AUTH_TOKEN).compute_signature(BASE + target, {})
    return {"path": target, "base_url": BASE, "headers": {"X-Twilio-Signature": signature}}


def exchange(live: Live, request: bytes) -> bytes:
    """Send bytes as they are and return all that comes until the end of the connection."""
    parts = urlsplit(live.server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


# {path} is the link; nothing but what HTTP itself asks for.
BARE_REQUESTS = {
    "HTTP/1.1 with nothing": b"POST {path} HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/1.1 with an empty body": b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0": b"POST {path} HTTP/1.0\r\n\r\n",
    "a body without a type": b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n\r\n" + PAIR,
    "a body of another type": (
        b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n\r\n" + PAIR
    ),
    "a body in chunks": (
        b"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\n"
        + PAIR
        + b"\r\n0\r\n\r\n"
    ),
    "an unknown agent": b"POST {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: \x80\xff nobody/0\r\nContent-Length: 0\r\n\r\n",
    "a foreign cookie and origin": (
        b"POST {path} HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\nOrigin: null\r\nContent-Length: 0\r\n\r\n"
    ),
}


@pytest.mark.parametrize("request_bytes", BARE_REQUESTS.values(), ids=BARE_REQUESTS.keys())
def test_one_click_needs_nothing_but_the_link(
    live: Live, request_bytes: bytes, request: pytest.FixtureRequest
):
    name = "".join(filter(str.isalnum, request.node.callspec.id.lower()))
    mailbox = f"{name}@example.org"
    answer = exchange(live, request_bytes.replace(b"{path}", live.link(mailbox).encode()))
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert head.partition(b"\r\n")[0].split()[1] == b"200"
    assert b"set-cookie" not in head
    assert b"location" not in head
    subject = live.subject(mailbox, Channel.EMAIL)
    with live.engine.connect() as connection:
        query = select(states.c.choice).where(states.c.subject == subject, states.c.scope == "offers")
        assert connection.execute(query).scalar_one() == "n"
