"""A nonce belongs to the request that brought it first: the same again is a repeat, another one is forged."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text
from support.paper import ANN, BASE, Desk, NoncePaper, Paper, supply, texts
from support.twilio_requests import inbound

from gateway.store.tables import dead_letters, events, nonces
from gateway.web.accounts import Accounts

OTHER = "+15550100002"


@pytest.fixture
def desk(make_app, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    paper = NoncePaper()
    supply(monkeypatch, paper)
    return Desk(make_app(database_url), paper)


def rows(desk: Desk, table=events):
    with desk.app.extensions["gateway"].engine.connect() as connection:
        return connection.execute(select(table)).all()


def stop(number: str = ANN, name: str = "m1") -> list[dict[str, str]]:
    return [{"id": name, "from": number, "text": "STOP"}]


def test_the_same_request_may_come_again(desk: Desk):
    assert len(texts(desk.post(stop(), x_nonce="n1"))) == 1
    assert texts(desk.post(stop(), x_nonce="n1")) == []
    assert len(rows(desk)) == len(rows(desk, nonces)) == 1


def test_a_nonce_with_other_content_is_refused_unread_and_as_the_provider_wants_it(desk: Desk):
    desk.post(stop(), x_nonce="n1")
    parsed = desk.paper.parsed
    answer = desk.post(stop(OTHER, "m2"), x_nonce="n1")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Paper")
    assert desk.paper.parsed == parsed
    assert len(rows(desk)) == 1


@pytest.mark.parametrize("first", [b'"not for us"', b"{broken"])
def test_a_nonce_is_taken_by_whatever_came_with_it(desk: Desk, first: bytes):
    """Else what nobody acts upon would be a signature for anything."""
    assert desk.post(first, x_nonce="n1").status_code == 200
    assert desk.post(stop(), x_nonce="n1").status_code == 401
    assert rows(desk) == []


def test_a_nonce_counts_at_both_addresses(desk: Desk):
    desk.post(stop(), x_nonce="n1")
    assert desk.post(stop(OTHER, "m2"), path="/sms/acme/status", x_nonce="n1").status_code == 401
    assert desk.post(stop(OTHER, "m2"), path="/sms/acme/status", x_nonce="n2").status_code == 200


def test_another_account_has_nonces_of_its_own(desk: Desk):
    desk.post(stop(), x_nonce="n1")
    assert desk.post(stop(OTHER, "m2"), path="/sms/quiet", x_nonce="n1").status_code == 200


def test_an_unproved_request_takes_no_nonce(desk: Desk):
    assert desk.post(stop(), x_nonce="n1", x_key="wrong").status_code == 401
    assert rows(desk, nonces) == []
    assert desk.post(stop(OTHER, "m2"), x_nonce="n1").status_code == 200


def test_a_request_without_a_nonce_takes_none(desk: Desk):
    assert desk.post(stop()).status_code == 200
    assert rows(desk, nonces) == []


def test_of_many_at_once_only_one_content_gets_in(desk: Desk):
    batches = [stop(f"+155501001{number:02d}", f"m{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda batch: desk.post(batch, x_nonce="n1").status_code, batches))
    assert sorted(answers) == [200] + [401] * 7
    assert len(rows(desk)) == 1


def test_a_nonce_that_cannot_be_claimed_is_a_503(desk: Desk):
    engine = desk.app.extensions["gateway"].engine
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE nonces RENAME TO gone"))
    try:
        assert desk.post(stop(), x_nonce="n1").status_code == 503
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO nonces"))
    assert rows(desk) == rows(desk, dead_letters) == []


def test_only_providers_that_need_nonces_pay_for_them(make_app, database_url, monkeypatch):
    app = make_app(database_url)
    message = inbound(BASE)
    answer = app.test_client().post("/sms/acme", base_url=BASE, data=message.fields, headers=message.headers)
    assert answer.status_code == 200
    assert Accounts(app.extensions["gateway"]).desk("acme").nonces is None
    supply(monkeypatch, Paper())
    assert Accounts(make_app(database_url).extensions["gateway"]).desk("acme").nonces is None
    supply(monkeypatch, NoncePaper())
    assert Accounts(make_app(database_url).extensions["gateway"]).desk("acme").nonces is not None
