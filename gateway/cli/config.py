"""`gateway config`: check the settings, show them without secrets."""

import sys

import click

from gateway.advice import warnings_of
from gateway.cli.output import as_json, print_json, settings_of
from gateway.configuration.faults import Fault, SettingsError
from gateway.errors import ConfigurationError
from gateway.house import build_house


@click.group()
def config() -> None:
    """Check the settings."""


@config.command()
@as_json
@click.pass_context
def check(context: click.Context, *, as_json: bool) -> None:
    """Explain every fault of the settings with its line, and warn of what is legal but unwise."""
    try:
        settings = settings_of(context)
        build_house(settings).close()
    except ConfigurationError as error:
        _print_faults(error, as_json=as_json)
        sys.exit(1)
    warnings = warnings_of(settings)
    if as_json:
        print_json({"ok": True, "faults": [], "warnings": warnings})
        return
    for warning in warnings:
        click.echo(f"warning: {warning}")
    click.echo(f"ok: {len(settings.accounts)} accounts, {len(settings.programs)} programs")


def _print_faults(error: ConfigurationError, *, as_json: bool) -> None:
    if not as_json:
        click.echo(str(error), err=True)
        return
    faults = map(_document, error.faults) if isinstance(error, SettingsError) else [{"problem": str(error)}]
    print_json({"ok": False, "faults": list(faults), "warnings": []})


def _document(fault: Fault) -> dict[str, object]:
    return {
        "key": fault.key,
        "file": str(fault.file) if fault.file else None,
        "line": fault.line,
        "variable": fault.variable,
        "problem": fault.problem,
        "remedy": fault.remedy,
    }
