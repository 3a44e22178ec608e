"""How commands print: for people by default, as JSON with --json; faults without a stack trace."""

import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from gateway.cli.first_run import DATA, DataFolder
from gateway.configuration.loading import load
from gateway.errors import GatewayError
from gateway.house import House, build_house
from gateway.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_CONFIG = Path("config/gateway.toml")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, one document.")


class EdgeGroup(click.Group):
    """The edge of the process: what we raise on purpose becomes one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        # A lost race is retried and counted; the driver would print a line for each.
        logging.getLogger("psycopg").setLevel(logging.ERROR)
        try:
            return super().invoke(ctx)
        except GatewayError as error:
            click.echo(str(error), err=True)
            sys.exit(1)
        except BrokenPipeError:  # whoever read our output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)


def console() -> Console:
    """Return the terminal to print to."""
    return Console(highlight=False)


def print_json(document: object) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def configuration(context: click.Context, *, data: Path = DATA) -> Path | None:
    """Return the settings file: the one named, the usual one, or that of a gateway that set itself up."""
    named = context.find_root().obj or os.environ.get("GATEWAY_CONFIG")
    if named:
        return Path(named)
    own = DataFolder(data).config
    return own if own.exists() and not DEFAULT_CONFIG.exists() else None


def settings_of(context: click.Context) -> Settings:
    """Load the settings of the command line's choice."""
    return load(configuration(context))


def house_of(context: click.Context) -> House:
    """Return the parts of the gateway, given back when the command ends."""
    house = build_house(settings_of(context))
    context.with_resource(closing(house))
    return house


def moment(microseconds: int) -> str:
    """Return a time as people read it, UTC."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
