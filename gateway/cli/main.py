"""The command `gateway`."""

import click

from gateway import __version__
from gateway.cli import (
    accounts,
    config,
    database,
    dead_letters,
    demo,
    doctor,
    interpret,
    keywords,
    ledger,
    links,
    outbox,
    serve,
    status,
    sync,
    token,
    worker,
)
from gateway.cli.output import EdgeGroup


@click.group(cls=EdgeGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gateway")
@click.option(
    "--config",
    "config_path",
    type=click.Path(dir_okay=False),
    help="TOML file with the settings; default GATEWAY_CONFIG, else config/gateway.toml.",
)
@click.pass_context
def main(context: click.Context, config_path: str | None) -> None:
    """Consent Gateway: reads opt-outs, records consent durably, answers who may be contacted."""
    context.obj = config_path


for command in (
    serve.serve,
    worker.worker,
    database.db,
    config.config,
    doctor.doctor,
    accounts.accounts,
    status.status,
    interpret.interpret,
    keywords.keywords,
    links.links,
    token.token,
    ledger.ledger,
    outbox.outbox,
    sync.sync,
    dead_letters.dead_letters,
    demo.demo,
):
    main.add_command(command)
