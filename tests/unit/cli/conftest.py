"""The command `gateway`, run in process against a configuration of its own."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.server import AUTH_TOKEN, MASTER, SENDER

from gateway.cli.main import main

CONFIG = f"""
[database]
url = "sqlite:///{{folder}}/gateway.sqlite3"
[keys]
master = "{MASTER}"
[accounts.acme]
provider = "twilio"
account_sid = "ACtest"
auth_tokens = ["{AUTH_TOKEN}"]
[programs.offers]
name = "Acme Offers"
purpose = "marketing"
default_choice = "y"
senders = ["{SENDER}"]
contact = "help@example.com"
"""

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a folder that holds config/gateway.toml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)
    path = tmp_path / "config" / "gateway.toml"
    path.parent.mkdir()
    path.write_text(CONFIG.format(folder=tmp_path))

    def invoke(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture
def told(run: Run) -> Callable[..., object]:
    """Run a command with --json and return its document."""

    def invoke(*arguments: str, code: int = 0) -> object:
        return json.loads(run(*arguments, "--json", code=code).stdout)

    return invoke


@pytest.fixture
def migrated(run: Run) -> Run:
    """The same, with a migrated database."""
    run("db", "upgrade")
    return run
