"""A gateway that lives as long as the demo: made-up accounts, a new database, a real server on a free port."""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from gateway.cli.first_run import DEMO_SENDER, write_private
from gateway.cli.shop import Line, Shop, moment
from gateway.configuration.loading import load
from gateway.errors import OurTroubleError
from gateway.house import build_house
from gateway.providers.registry import rehearsal_account, settings_of
from gateway.store import migrate
from gateway.store.tokens import create_token
from gateway.web.guard import TokenScope

_PROGRAM = "offers"
_START_SECONDS = 60
_STOP_SECONDS = 30


@contextmanager
def private_gateway(kinds: Sequence[str]) -> Iterator[list[Shop]]:
    """Run a gateway with one account of each kind; give the shop of each. All of it is removed in the end."""
    with tempfile.TemporaryDirectory(prefix="gateway-demo-") as name:
        folder, accounts = Path(name), {kind: rehearsal_account(kind) for kind in kinds}
        base = f"http://127.0.0.1:{_free_port()}"
        settings = {kind: {**made, "provider_replies": "none"} for kind, (made, _) in accounts.items()}
        config = folder / "gateway.toml"
        write_private(config, _config(folder, base, settings))
        bearer = _prepare(config)
        shops = [
            Shop(base, _line(f"{base}/sms/{kind}", settings[kind], key), DEMO_SENDER, _PROGRAM, bearer)
            for kind, (_, key) in accounts.items()
        ]
        with _serving(config, folder, base):
            yield shops


def _line(url: str, settings: Mapping[str, object], key: str | None) -> Line:
    return Line.of(url, settings_of(str(settings["provider"])).model_validate(settings), key)


def _config(folder: Path, base: str, accounts: Mapping[str, object]) -> str:
    """Return a settings file. Inline tables: one value a line."""
    document: dict[str, object] = {
        "server": {"bind": base.removeprefix("http://"), "public_url": base, "workers": 1},
        "database": {"url": f"sqlite:///{folder}/gateway.sqlite3"},
        "keys": {"master": secrets.token_urlsafe(48)},
        "accounts": accounts,
        "programs": {
            _PROGRAM: {
                "name": "Demo Shop",
                "purpose": "marketing",
                "default_choice": "y",
                "senders": [DEMO_SENDER],
                "contact": "help@shop.example",
            }
        },
    }
    return "".join(f"{name} = {_toml(value)}\n" for name, value in document.items())


def _toml(value: object) -> str:
    """Return a value as TOML, whose basic strings are JSON's."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    text = value.replace("${", "$${") if isinstance(value, str) else value
    return json.dumps(text, ensure_ascii=False)


def _prepare(config: Path) -> str:
    """Make the database; return an operator token."""
    house = build_house(load(config, {}))
    try:
        migrate.upgrade(house.engine)
        return create_token(
            house.engine, name="demo", scopes=tuple(TokenScope), actor="gateway demo", now=moment()
        )
    finally:
        house.close()


@contextmanager
def _serving(config: Path, folder: Path, base: str) -> Iterator[None]:
    command = [sys.executable, "-m", "gunicorn", "-c", "python:gateway.server.gunicorn_conf"]
    # The settings of a gateway beside it must not reach this one.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    environment = {**clean, "GATEWAY_CONFIG": str(config), "TMPDIR": str(folder)}
    for name in ("PORT", "PROMETHEUS_MULTIPROC_DIR"):
        environment.pop(name, None)
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, "gateway.app:create_app()"], env=environment, stdout=output, stderr=output
        )
    try:
        _wait(process, base, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], base: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if requests.get(f"{base}/readyz", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise OurTroubleError(f"the demo's own gateway did not start: {log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
