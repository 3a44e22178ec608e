"""The lane answers and records as the views do, for the same bytes."""

import json
import re
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from support.databases import sqlite_url
from support.server import AUTH_TOKEN
from twilio.request_validator import RequestValidator
from werkzeug.test import EnvironBuilder, run_wsgi_app

from gateway.consent.address import Address, Channel
from gateway.mail.tokens import LinkGrant, LinkPurpose
from gateway.store.ledger import now_microseconds
from gateway.store.tables import events, states
from gateway.store.tokens import create_token

FORM = "application/x-www-form-urlencoded"
BASE = "https://sms.example.com"
_EVENT = [
    c
    for c in events.c
    if c.name not in ("recorded_at", "received_at", "said_at", "salt", "digest", "chain", "message_id")
]
_STATE = [c for c in states.c if c.name not in ("said_at", "head", "replies")]


def _environ(path: str, body: bytes, content_type: str, signature: str) -> dict:
    builder = EnvironBuilder(path=path, base_url=BASE, method="POST", data=body, content_type=content_type)
    builder.headers["X-Twilio-Signature"] = signature
    return builder.get_environ()


def _bearer(app) -> str:
    engine = app.extensions["gateway"].engine
    return create_token(engine, name="t", scopes=["read"], actor="test", now=now_microseconds())


def _told(body: bytes) -> bytes:
    """Leave out the times and names that differ from one run to the next."""
    return re.sub(rb"(\d{4}-\d\d-\d\dT[\d:.]+Z|urn:uuid:[0-9a-f-]+|[0-9a-f]{24}\.\d{16})", b"-", body)


def _records(app) -> tuple:
    with app.extensions["gateway"].engine.connect() as connection:
        return tuple(
            tuple(map(tuple, connection.execute(select(*columns).order_by(*columns)).all()))
            for columns in (_EVENT, _STATE)
        )


_texts = st.one_of(
    st.sampled_from(["STOP", "stop", "Start", "HELP", "Stop.", "STOP offers", "stop all", "hello", "", "\0"]),
    st.text(max_size=30),
)
_requests = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["sms", "sms", "sms", "link", "bad link", "status"]),
            "text": _texts,
            "person": st.integers(0, 2),
            "sid": st.integers(0, 5),
            "signed": st.sampled_from([True, True, True, False]),
            "type": st.sampled_from(
                [
                    "application/x-www-form-urlencoded",
                    "application/x-www-form-urlencoded; charset=UTF-8",
                    "text/plain",
                ]
            ),
            "body": st.sampled_from([b"List-Unsubscribe=One-Click", b"", b"confirm=1", b"undo=1"]),
        }
    ),
    min_size=1,
    max_size=8,
)


def _send(app, request: dict):
    if request["kind"] == "sms":
        fields = {
            "MessageSid": f"SM{request['sid']}",
            "From": f"+1555010000{request['person']}",
            "To": "+15555550199",
            "Body": request["text"].encode("utf-8", "replace").decode(),
        }
        token = AUTH_TOKEN if request["signed"] else "wrong"
        signature = RequestValidator(token).compute_signature(f"{BASE}/sms/acme", fields)
        environ = _environ("/sms/acme", urlencode(fields).encode(), request["type"], signature)
    elif request["kind"] == "status":
        target = ["sms/+1555010000{}", "email/p{}@example.org", "sms/bad{}"][request["sid"] % 3]
        path = "/v1/consents/" + target.format(request["person"])
        environ = EnvironBuilder(path=path, base_url=BASE).get_environ()
        environ["HTTP_AUTHORIZATION"] = f"Bearer {_bearer(app) if request['signed'] else 'gw_no'}"
    else:
        address = Address(Channel.EMAIL, f"p{request['person']}@example.org")
        grant = LinkGrant(LinkPurpose.UNSUBSCRIBE, address, "offers", 1_790_000_000)
        token = app.extensions["gateway"].links.mint(grant)
        tail = "" if request["kind"] == "link" else "A"
        environ = _environ(f"/u/{token}{tail}", request["body"], request["type"], "")
    body, status, headers = run_wsgi_app(app, environ, buffered=True)
    return _told(b"".join(body)), status, sorted(headers)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=_requests)
def test_lane_and_views_agree_in_status_headers_body_and_rows(make_app, tmp_path, requests):
    found = []
    for lane in (True, False):
        app = make_app(sqlite_url(tmp_path), lane=lane)
        answers = [_send(app, request) for request in requests]
        found.append((answers, _records(app)))
        app.extensions["gateway"].close()
    (by_lane, lane_rows), (by_view, view_rows) = found
    for request, ours, theirs in zip(requests, by_lane, by_view, strict=True):
        assert ours == theirs, request
    assert lane_rows == view_rows


def test_a_status_that_cannot_be_read_is_told_as_the_view_tells_it(make_app, tmp_path):
    answers = []
    for lane in (True, False):
        app = make_app(sqlite_url(tmp_path), lane=lane)
        token = _bearer(app)
        environ = EnvironBuilder(path="/v1/consents/sms/+15550100001", base_url=BASE).get_environ()
        environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        assert run_wsgi_app(app, dict(environ), buffered=True)[1] == "200 OK"
        with app.extensions["gateway"].engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE suppressions RENAME TO gone")
        body, status, headers = run_wsgi_app(app, environ, buffered=True)
        answers.append((status, sorted(headers), json.loads(b"".join(body))["title"]))
        with app.extensions["gateway"].engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO suppressions")
        app.extensions["gateway"].close()
    assert answers[0] == answers[1]
    assert answers[0][0] == "503 SERVICE UNAVAILABLE"


def test_statuses_of_one_round_see_what_was_answered_before_it(make_app, tmp_path):
    app = make_app(sqlite_url(tmp_path))
    stop = {"kind": "sms", "sid": 1, "person": 1, "text": "STOP", "signed": True, "type": FORM}
    assert _send(app, stop)[1] == "200 OK"
    token, statuses = _bearer(app), []
    environs = [
        EnvironBuilder(path=f"/v1/consents/sms/+1555010000{person}", base_url=BASE).get_environ()
        for person in (0, 1, 0, 1)
    ]
    bodies = [
        app.wsgi_app(
            environ | {"HTTP_AUTHORIZATION": f"Bearer {token}"}, lambda status, *_: statuses.append(status)
        )
        for environ in environs
    ]
    assert statuses == []
    found = [json.loads(b"".join(body)) for body in bodies]
    assert statuses == ["200 OK"] * 4
    assert [(each["address"][-1], each["known"]) for each in found] == [
        ("0", False),
        ("1", True),
        ("0", False),
        ("1", True),
    ]
    app.extensions["gateway"].close()
