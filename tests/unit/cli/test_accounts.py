"""`gateway accounts`: the list, and the test of one against a running gateway."""

import json
from collections.abc import Iterator

import pytest
import responses
from click.testing import CliRunner
from sqlalchemy import select
from support.databases import sqlite_url
from support.rehearsals import Case
from support.server import AUTH_TOKEN, SENDER, Server, free_port

from gateway.cli.main import main
from gateway.cli.private_gateway import _toml
from gateway.store.engine import open_engine
from gateway.store.tables import events

EXTRA = {name: Case.of(name).settings for name in ("kannel", "telnyx", "generic", "infobip")}
ACCOUNTS = "".join(
    f"[accounts.{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in settings.items())
    for name, settings in EXTRA.items()
)


def invoke(config, *arguments, code=0):
    result = CliRunner().invoke(
        main, ["--config", str(config), "accounts", *arguments], catch_exceptions=False
    )
    assert result.exit_code == code, result.output
    return result


def told(config, *arguments, code=0):
    return json.loads(invoke(config, *arguments, "--json", code=code).stdout)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("accounts")
    with Server(folder, sqlite_url(folder), workers=1, extra=ACCOUNTS) as found:
        yield found


def levels(notes) -> dict[str, str]:
    return {note["what"]: note["level"] for note in notes}


def test_the_list_tells_each_account_and_no_secret(server: Server):
    rows = {row["name"]: row for row in told(server.config, "list")}
    assert list(rows) == ["acme", *EXTRA]
    assert rows["acme"]["webhook"] == f"{server.url}/sms/acme"
    assert rows["acme"]["replies"] == "none, inline"
    assert (rows["acme"]["sends"], rows["telnyx"]["sends"]) == (True, False)
    assert rows["infobip"]["proofs"] == ["basic", "url_secrets"]
    assert rows["telnyx"]["proofs"] == ["public_keys"]
    said = invoke(server.config, "list").stdout + json.dumps(rows)
    for settings in EXTRA.values():
        for secret in settings.get("url_secrets", []) + settings.get("hmac_secrets", []):
            assert secret not in said
    assert AUTH_TOKEN not in said


@pytest.mark.parametrize("name", ["acme", "kannel", "generic", "infobip"])
def test_a_good_account_goes_the_whole_way_and_changes_nothing(server: Server, name: str):
    notes = told(server.config, "test", name)
    assert levels(notes)["forged message"] == "ok"
    assert notes[-1]["what"] == "message"
    assert "the account works" in notes[-1]["found"]
    assert "bad" not in levels(notes).values()
    engine = open_engine(server.database)
    with engine.connect() as connection:
        found = connection.execute(select(events).where(events.c.account == name)).all()
    engine.dispose()
    assert [(event.klass, event.choice, event.reply) for event in found] == [("other", None, None)]
    assert found[0].sender == SENDER


def test_the_urls_are_those_to_enter(server: Server):
    notes = {note["what"]: note for note in told(server.config, "test", "kannel")}
    secret = EXTRA["kannel"]["url_secrets"][0]
    url = f"{server.url}/sms/kannel"
    assert notes["enter at the provider, for messages"]["found"] == f"{url}?key={secret}"
    assert notes["enter at the provider, for reports"]["found"] == f"{url}/status?key={secret}"
    assert notes["public URL"]["level"] == "note"  # no provider reaches a loopback address
    assert notes["sending"]["level"] == "note"


def test_an_account_that_only_its_provider_can_sign_for_says_so_and_checks_the_rest(server: Server):
    notes = told(server.config, "test", "telnyx")
    assert "only Telnyx can sign" in notes[-1]["found"]
    assert notes[-1]["level"] == "note"
    assert levels(notes)["forged message"] == "ok"
    assert "from a phone" in invoke(server.config, "test", "telnyx").stdout


def test_a_running_gateway_with_other_secrets_is_found(server: Server, tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text(server.config.read_text().replace(AUTH_TOKEN, "another_token_00000000000000000"))
    notes = told(config, "test", "acme", code=1)
    assert (notes[-1]["level"], notes[-1]["found"]) == ("bad", "answered 403")
    assert "restart" in notes[-1]["remedy"]


def test_a_running_gateway_without_the_account_is_found(server: Server, tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text(server.config.read_text().replace("[accounts.acme]", "[accounts.fresh]"))
    notes = told(config, "test", "fresh", code=1)
    assert "404" in notes[-2]["found"]
    assert "does not know the account" in notes[-1]["remedy"]


def test_a_gateway_on_another_database_is_found(server: Server, tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text(server.config.read_text().replace(server.database, sqlite_url(tmp_path)))
    notes = told(config, "test", "acme", code=1)
    assert "not in the ledger" in notes[-1]["found"]


def test_a_gateway_that_does_not_run_is_found(server: Server):
    port = free_port()
    notes = told(server.config, "test", "acme", "--via", f"http://127.0.0.1:{port}", code=1)
    assert (notes[-1]["what"], notes[-1]["level"]) == ("reach", "bad")


@responses.activate
def test_the_test_may_go_around_the_proxy(server: Server, tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text(
        server.config.read_text().replace(f'public_url = "{server.url}"', 'public_url = "https://x.example"')
    )
    responses.add_passthru(server.url)
    notes = told(config, "test", "acme", "--via", server.url, code=1)
    # The running gateway has another public URL, so the signature does not fit.
    assert notes[-1]["found"] == "answered 403"
    assert levels(notes)["public URL"] == "ok"


@responses.activate
@pytest.mark.parametrize(
    ("status", "remedy"),
    [(301, "final address"), (502, "in trouble"), (200, "Something else"), (413, "proxy"), (418, "log")],
)
def test_what_answers_in_place_of_the_gateway_is_explained(server: Server, status: int, remedy: str):
    responses.post(f"{server.url}/sms/acme", status=status)
    notes = told(server.config, "test", "acme", code=1)
    assert remedy in next(note for note in notes if note["level"] == "bad")["remedy"]


def test_an_unknown_account_is_told(server: Server):
    assert "configured are acme" in invoke(server.config, "test", "nobody", code=1).stderr
