"""What each method does at a webhook's address, and how a provider refuses."""

import pytest
from sqlalchemy import select
from support.paper import ANN, BASE, KEY, Desk, MutePaper, Paper, supply, texts

from gateway.store.tables import dead_letters, events, outbox

PLACES = ["/sms/acme", "/sms/acme/status"]
STOP = [{"id": "m1", "from": ANN, "text": "STOP"}]


@pytest.fixture
def desk(make_app, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    paper = Paper()
    supply(monkeypatch, paper)
    return Desk(make_app(database_url), paper)


def rows(desk: Desk, table=events):
    with desk.app.extensions["gateway"].engine.connect() as connection:
        return connection.execute(select(table)).all()


def call(desk: Desk, method: str, place: str, **headers: str):
    return desk.app.test_client().open(
        place,
        method=method,
        base_url=BASE,
        data=b'[{"id": "m1", "from": "+15550100001", "text": "STOP"}]',
        headers={"x-key": KEY, **headers},
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_get_and_post_bring_messages_to_every_account(desk: Desk, method: str, place: str):
    assert call(desk, method, place).status_code == 200
    assert len(rows(desk)) == 1


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_no_other_method_is_read_or_stored(desk: Desk, method: str, place: str):
    answer = call(desk, method, place)
    assert (answer.status_code, answer.data) == (200 if method in ("HEAD", "OPTIONS") else 405, b"")
    assert desk.paper.parsed == 0
    assert rows(desk) == rows(desk, dead_letters) == []


@pytest.mark.parametrize("place", PLACES)
def test_options_tells_the_methods_where_the_provider_has_no_handshake(desk: Desk, place: str):
    assert call(desk, "OPTIONS", place).headers["Allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("place", PLACES)
def test_a_provider_answers_its_handshake(desk: Desk, place: str):
    answer = call(desk, "OPTIONS", place, **{"WebHook-Request-Origin": "eventgrid.azure.net"})
    assert answer.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_an_unknown_account_is_not_found_whatever_the_method(desk: Desk, method: str):
    for place in ("/sms/nobody", "/sms/nobody/status"):
        answer = call(desk, method, place)
        assert (answer.status_code, answer.data) == (404, b"")


@pytest.mark.parametrize("place", PLACES)
def test_a_forged_request_is_refused_as_the_provider_wants_it(desk: Desk, place: str):
    answer = desk.post(STOP, path=place, x_key="wrong")
    assert (answer.status_code, answer.headers["WWW-Authenticate"], answer.data) == (401, "Paper", b"")
    text = desk.app.extensions["gateway"].metrics.exposition().decode()
    assert 'gateway_refused_webhooks_total{account="acme",reason="not_authentic"} 1.0' in text


def test_replies_wait_in_the_outbox_where_the_provider_takes_none_inline(make_app, database_url, monkeypatch):
    supply(monkeypatch, MutePaper())
    mute = Desk(make_app(database_url), MutePaper())
    assert texts(mute.post(STOP)) == []
    (row,) = rows(mute, outbox)
    assert (row.kind, row.state) == ("reply", "due")


def test_replies_wait_in_the_outbox_where_the_account_says_so(desk: Desk):
    assert texts(desk.post(STOP, path="/sms/later")) == []
    assert len(rows(desk, outbox)) == 1
    assert len(texts(desk.post([{**STOP[0], "id": "m2", "text": "help"}]))) == 1
    assert len(rows(desk, outbox)) == 1
