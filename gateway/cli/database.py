"""`gateway db`: bring the database to this version."""

import click

from gateway.cli.output import as_json, house_of, print_json
from gateway.store import migrate


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@as_json
@click.pass_context
def upgrade(context: click.Context, *, as_json: bool) -> None:
    """Apply the migrations that are missing. Safe to run at every start."""
    house = house_of(context)
    before = migrate.current(house.engine)
    migrate.upgrade(house.engine)
    after = migrate.newest()
    if as_json:
        print_json({"before": before, "after": after})
    else:
        click.echo(f"database at {after}" + (" already" if before == after else f", was {before or 'empty'}"))
