"""`gateway token`: make, list and revoke operator tokens."""

import os

import click
from rich.table import Table

from gateway.cli.output import as_json, console, house_of, moment, print_json
from gateway.store.ledger import now_microseconds
from gateway.store.tokens import TokenRow, create_token, list_tokens, revoke_token
from gateway.web.guard import TokenScope

_MICROSECONDS_A_DAY = 86_400_000_000


@click.group()
def token() -> None:
    """Look after operator tokens."""


@token.command()
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice([str(s) for s in TokenScope]), help="Default: read."
)
@click.option("--days", type=click.IntRange(min=1), help="Days until it expires; default never.")
@as_json
@click.pass_context
def create(
    context: click.Context, name: str, scopes: tuple[str, ...], days: int | None, *, as_json: bool
) -> None:
    """Make a token called NAME. It is shown this once."""
    now = now_microseconds()
    made = create_token(
        house_of(context).engine,
        name=name,
        scopes=scopes or (TokenScope.READ,),
        actor=_actor(),
        now=now,
        expires_at=now + days * _MICROSECONDS_A_DAY if days else None,
    )
    if as_json:
        print_json({"token": made})
    else:
        click.echo(made)


@token.command("list")
@as_json
@click.pass_context
def show(context: click.Context, *, as_json: bool) -> None:
    """List the tokens, without their secrets."""
    rows = [_document(row) for row in list_tokens(house_of(context).engine)]
    if as_json:
        print_json(rows)
        return
    table = Table("id", "name", "scopes", "created", "expires", "revoked")
    for row in rows:
        table.add_row(*(str(value or "") for value in row.values()))
    console().print(table)


@token.command()
@click.argument("token_id")
@click.pass_context
def revoke(context: click.Context, token_id: str) -> None:
    """Revoke the token with the id TOKEN_ID; every process refuses it within five seconds."""
    changed = revoke_token(house_of(context).engine, token_id, actor=_actor(), now=now_microseconds())
    click.echo("revoked" if changed else "was revoked before")


def _actor() -> str:
    return f"cli:{os.environ.get('USER') or os.getuid()}"


def _document(row: TokenRow) -> dict[str, str | None]:
    return {
        "id": row.id,
        "name": row.name,
        "scopes": " ".join(sorted(row.scopes)),
        "created": moment(row.created_at),
        "expires": moment(row.expires_at) if row.expires_at else None,
        "revoked": moment(row.revoked_at) if row.revoked_at else None,
    }
