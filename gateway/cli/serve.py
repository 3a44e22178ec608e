"""`gateway serve`: the web processes and the worker, from nothing to running with one command."""

import os
import shutil
import sys
from pathlib import Path

import click

from gateway.cli.first_run import DATA, DataFolder, write_private
from gateway.cli.output import DEFAULT_CONFIG, configuration, console
from gateway.cli.supervisor import supervise
from gateway.configuration.loading import load
from gateway.house import House, build_house
from gateway.settings import Settings
from gateway.store import migrate
from gateway.store.ledger import now_microseconds
from gateway.store.tokens import create_token, list_tokens
from gateway.web.guard import TokenScope

_BIND = "127.0.0.1:8080"


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=DATA,
    show_default=True,
    help="Folder of a gateway without a configuration: settings, keys, database and first token.",
)
@click.option("--bind", help=f"HOST:PORT to listen on; default server.bind, at first {_BIND}.")
@click.option("--no-worker", is_flag=True, help="Start the web processes only.")
@click.pass_context
def serve(context: click.Context, data: Path, bind: str | None, *, no_worker: bool) -> None:
    """Migrate, then run the web processes and the worker until SIGTERM.

    Without a configuration the first run makes one, with new keys and a first operator token, in --data.
    """
    folder = DataFolder(data)
    path = configuration(context, data=data) or DEFAULT_CONFIG
    if not path.exists() and path == DEFAULT_CONFIG:
        folder.prepare(bind or _BIND)
        path = folder.config
    settings = load(path)
    token = _prepare_database(settings, folder)
    _announce(settings, folder, token, bind)
    environment = _environment(path, folder, bind)
    commands = [_web()] if no_worker else [_web(), _worker()]
    sys.exit(supervise(commands, environment))


def _prepare_database(settings: Settings, folder: DataFolder) -> str | None:
    """Migrate; return the first operator token when this run made it."""
    house = build_house(settings)
    try:
        migrate.upgrade(house.engine)
        return _first_token(house, folder)
    finally:
        house.close()


def _first_token(house: House, folder: DataFolder) -> str | None:
    if list_tokens(house.engine):
        return None
    token = create_token(
        house.engine, name="first", scopes=tuple(TokenScope), actor="gateway serve", now=now_microseconds()
    )
    folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder.token, token + "\n")
    return token


def _announce(settings: Settings, folder: DataFolder, token: str | None, bind: str | None) -> None:
    address = f"http://{bind}" if bind else settings.server.public_url
    show = console()
    show.print(f"[bold]Consent Gateway[/] at {address}, API description at {address}/v1/openapi.json")
    show.print(
        f"data in {folder.path.resolve()}" if folder.config.exists() else "data where the settings say"
    )
    if token is None:
        show.print(f"operator token: as before, see {folder.token}" if folder.token.exists() else "")
    else:
        show.print(f"operator token (kept in {folder.token}): {token}", soft_wrap=True)
    bearer = token or (f"$(cat {folder.token})" if folder.token.exists() else "TOKEN")
    show.print("who is out, and why:")
    show.print(
        f'  curl -H "Authorization: Bearer {bearer}" {address}/v1/consents/sms/+15550100123', soft_wrap=True
    )
    show.print("a day of a small shop, in a second terminal:  gateway demo")


def _environment(path: Path, folder: DataFolder, bind: str | None) -> dict[str, str]:
    """Return the environment of the processes; the counters of an earlier run are removed."""
    metrics = folder.metrics
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True, mode=0o700)
    environment = {
        **os.environ,
        "GATEWAY_CONFIG": str(path),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics.resolve()),
    }
    if bind:
        environment["GATEWAY_SERVER_BIND"] = bind
        environment["GATEWAY_SERVER_PUBLIC_URL"] = f"http://{bind}"
    return environment


def _web() -> list[str]:
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "python:gateway.server.gunicorn_conf",
        "gateway.app:create_app()",
    ]


def _worker() -> list[str]:
    return [sys.executable, "-m", "gateway.cli", "worker"]
