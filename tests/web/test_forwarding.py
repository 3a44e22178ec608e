"""A webhook from the provider to the application behind the gateway, over real sockets, judged by official libraries."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from standardwebhooks.webhooks import Webhook
from support.gateways import ACCOUNTS, BASE, house_of, make, settings_text
from support.listening import Listener, listening, reply
from support.outgoing import SECRET
from support.server import AUTH_TOKEN
from support.twilio_requests import Inbound, inbound
from twilio.request_validator import RequestValidator

from gateway.store.engine import writing
from gateway.store.forwards import Forwards
from gateway.store.ledger import now_microseconds
from gateway.store.tables import events, forwards
from gateway.worker.forwards import ForwardDelivery

Make = Callable[..., Flask]


@pytest.fixture
def application() -> Iterator[Listener]:
    with listening() as found:
        yield found


@pytest.fixture
def make_app(database_url: str, application: Listener, tmp_path: Path) -> Iterator[Make]:
    made: list[Flask] = []

    def build(settings: str = "", *, lane: bool = True) -> Flask:
        target = f'forward_to = "http://127.0.0.1:{application.port}/in?app=1"\nforward_secret = "{SECRET}"\n'
        accounts = ACCOUNTS.replace("[accounts.acme]\n", f"[accounts.acme]\n{target}{settings}")
        extra = '[outgoing]\nallow = ["127.0.0.1"]\n'
        made.append(make(tmp_path, settings_text(database_url, accounts=accounts, extra=extra), lane=lane))
        return made[-1]

    yield build
    for app in made:
        house_of(app).close()


def post(app: Flask, message: Inbound, path: str = "") -> int:
    target = message.url.removeprefix(BASE) + path
    return (
        app.test_client()
        .post(target, base_url=BASE, data=message.fields, headers=message.headers)
        .status_code
    )


def report(status: str = "delivered", **extra: Any) -> Inbound:
    made = inbound(BASE, account="acme", MessageStatus=status, SmsStatus=status, **extra)
    signature = RequestValidator(AUTH_TOKEN).compute_signature(f"{made.url}/status", made.fields)
    return Inbound(made.url, made.fields, {"X-Twilio-Signature": signature})


def work(app: Flask) -> list[str]:
    house = house_of(app)
    queue = Forwards(house.engine)
    delivery = ForwardDelivery(queue, house.targets, house.net)
    found = queue.find({"acme": 50}, now=now_microseconds(), stale=0)
    return [str(ending) for ending in delivery.deliver(found)]


def kept(app: Flask) -> int:
    with house_of(app).engine.connect() as connection:
        return len(connection.execute(select(forwards.c.id)).all())


@pytest.mark.parametrize("lane", [True, False])
def test_the_application_gets_the_request_and_can_check_both_signatures(
    make_app: Make,
    application: Listener,
    lane: bool,  # noqa: FBT001 - a parameter of the test
):
    app = make_app(lane=lane)
    message = inbound(BASE, "STOP ✋")
    assert post(app, message) == 200
    assert work(app) == ["sent"]
    (seen,) = application.seen
    named = seen.named
    assert (seen.method, seen.target, named["host"]) == ("POST", "/in?app=1", f"127.0.0.1:{application.port}")
    assert named["content-type"] == "application/x-www-form-urlencoded"
    url = f"{named['x-forwarded-proto']}://{named['x-forwarded-host']}{named['x-forwarded-uri']}"
    assert url == message.url
    assert RequestValidator(AUTH_TOKEN).validate(url, message.fields, named["x-twilio-signature"])
    document = base64.urlsafe_b64decode(named["consent-gateway-reading"])
    data = Webhook(SECRET).verify(document, named)["data"]
    assert data["body_sha256"] == hashlib.sha256(seen.body).hexdigest()
    (event,) = data["events"]
    assert (event["class"], event["choice"], event["message_id"]) == ("opt_out", "n", message.message_id)
    with house_of(app).engine.connect() as connection:
        subject, seq = connection.execute(select(events.c.subject, events.c.seq)).one()
    assert event["event"] == f"{subject.hex()}-{seq}"


def test_the_body_goes_byte_for_byte_and_a_get_with_its_query(make_app: Make, application: Listener):
    app = make_app()
    body = b"MessageSid=SM1&From=%2b15550100001&To=%2B15555550199&Body=a+b%20%7e%C3%A9&&=x&NumMedia=0"
    fields = {
        "MessageSid": "SM1",
        "From": "+15550100001",
        "To": "+15555550199",
        "Body": "a b ~é",
        "NumMedia": "0",
        "": "x",
    }
    signature = RequestValidator(AUTH_TOKEN).compute_signature(f"{BASE}/sms/acme", fields)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    assert app.test_client().post("/sms/acme", base_url=BASE, data=body, headers=headers).status_code == 200
    query = "MessageSid=SM2&From=%2B15550100001&To=%2B15555550199&Body=a%2fb%7E&NumMedia=0"
    signature = RequestValidator(AUTH_TOKEN).compute_signature(f"{BASE}/sms/acme?{query}", {})
    client = app.test_client()
    target = f"/sms/acme?{query}"
    assert client.get(target, base_url=BASE, headers={"X-Twilio-Signature": signature}).status_code == 200
    while work(app):
        pass
    assert [(seen.method, seen.body) for seen in application.seen] == [("POST", body), ("GET", b"")]
    assert application.seen[1].target == f"/in?app=1&{query}"
    assert application.seen[1].named["x-forwarded-uri"] == target


def test_however_often_it_is_delivered_it_is_forwarded_once(make_app: Make, application: Listener):
    app = make_app()
    message = inbound(BASE)
    assert [post(app, message) for _ in range(3)] == [200] * 3
    while work(app):
        pass
    assert post(app, message) == 200
    assert work(app) == []
    assert len(application.seen) == 1


def test_a_forged_webhook_is_not_forwarded(make_app: Make):
    app = make_app()
    message = inbound(BASE)
    assert post(app, Inbound(message.url, message.fields, {"X-Twilio-Signature": "forged"})) == 403
    assert kept(app) == 0


def test_reports_are_forwarded_where_all_is_and_not_where_other_is(make_app: Make, application: Listener):
    app = make_app()
    assert [post(app, report(status), "/status") for status in ("sent", "delivered")] == [200, 200]
    while work(app):
        pass
    assert [b"MessageStatus=sent" in seen.body for seen in application.seen] == [True, False]


def test_other_forwards_what_is_no_keyword(make_app: Make, application: Listener):
    app = make_app('forward = "other"\n')
    for words in ("STOP", "HELP", "where is my parcel?"):
        assert post(app, inbound(BASE, words)) == 200
    assert post(app, report(), "/status") == 200
    while work(app):
        pass
    assert [b"parcel" in seen.body for seen in application.seen] == [True]


def test_what_cannot_be_read_is_a_dead_letter_and_forwarded_too(make_app: Make):
    app = make_app()
    fields = {"MessageSid": "SM1", "Body": "STOP"}
    signature = RequestValidator(AUTH_TOKEN).compute_signature(f"{BASE}/sms/acme", fields)
    message = Inbound(f"{BASE}/sms/acme", fields, {"X-Twilio-Signature": signature})
    assert post(app, message) == 200
    assert kept(app) == 1


def test_other_accounts_forward_nothing(make_app: Make):
    app = make_app()
    assert post(app, inbound(BASE, account="later")) == 200
    assert kept(app) == 0


def test_a_database_that_cannot_keep_the_forward_takes_no_event_and_answers_503(make_app: Make):
    app = make_app()
    with writing(house_of(app).engine) as connection:
        connection.execute(text("ALTER TABLE forwards RENAME TO elsewhere"))
    try:
        assert post(app, inbound(BASE)) == 503
        with house_of(app).engine.connect() as connection:
            assert connection.execute(select(events.c.seq)).all() == []
    finally:
        with writing(house_of(app).engine) as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO forwards"))


def test_an_application_that_is_down_gets_it_later(make_app: Make, application: Listener):
    app = make_app()
    application.answer = lambda handler: reply(handler, 503)
    assert post(app, inbound(BASE)) == 200
    assert work(app) == ["later"]
    application.answer = lambda handler: reply(handler, 200)
    with writing(house_of(app).engine) as connection:
        connection.execute(text("UPDATE forwards SET due_at = 0"))
    assert work(app) == ["sent"]
    first, second = (seen.named for seen in application.seen)
    assert first["webhook-id"] == second["webhook-id"]


def test_an_application_in_a_private_network_that_is_not_named_is_not_reached(
    database_url: str, application: Listener, tmp_path: Path
):
    target = f'forward_to = "https://localhost:{application.port}/"\nforward_secret = "{SECRET}"\n'
    accounts = ACCOUNTS.replace("[accounts.acme]\n", f"[accounts.acme]\n{target}")
    app = make(tmp_path, settings_text(database_url, accounts=accounts))
    post(app, inbound(BASE))
    assert work(app) == ["later"]
    with house_of(app).engine.connect() as connection:
        assert connection.execute(text("SELECT result FROM forwards")).scalar_one() == "not_allowed"
    house_of(app).close()
    assert application.seen == []
