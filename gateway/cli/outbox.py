"""`gateway outbox`: replies, forwarded webhooks and entries of providers' lists on their way out."""

import base64
import os
from collections.abc import Mapping

import click
from rich.table import Table

from gateway.cli.output import as_json, console, house_of, moment, print_json
from gateway.store.ledger import now_microseconds
from gateway.store.queue import ItemState, Kind
from gateway.store.queues import Queues, Summary

_OPEN = (ItemState.DUE, ItemState.SENDING, ItemState.DEAD)
_TIMES = frozenset({"due_at", "changed_at", "received_at", "expires_at"})
_REPEATABLE = (Kind.FORWARD, Kind.SYNC)
_MOST_AT_ONCE = 100_000

_of_account = click.option("--account", help="Of this account only.")
_of_kind = click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([str(kind) for kind in Kind]),
    help="Of this kind only.",
)


@click.group()
def outbox() -> None:
    """Look after what is to go out: replies, forwarded webhooks, entries of providers' lists."""


@outbox.command("list")
@_of_kind
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([str(state) for state in ItemState]),
    help="In this state only; default due, sending and dead.",
)
@_of_account
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Most to list.")
@as_json
@click.pass_context
def show_all(
    context: click.Context,
    kinds: tuple[str, ...],
    states: tuple[str, ...],
    account: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """List what waits and what is dead, without its content; what is due longest comes first."""
    found = Queues(house_of(context).engine).items(
        kinds=[Kind(kind) for kind in kinds] or list(Kind),
        states=states or _OPEN,
        account=account,
        limit=limit,
    )
    rows = [_summary(item) for item in found]
    if as_json:
        print_json(rows)
        return
    table = Table("id", "account", "sender", "state", "attempts", "due", "changed", "result")
    for row in rows:
        table.add_row(*(str("" if value is None else value) for name, value in row.items() if name != "kind"))
    console().print(table)


@outbox.command()
@click.argument("item_id", metavar="ID")
@as_json
@click.pass_context
def show(context: click.Context, item_id: str, *, as_json: bool) -> None:
    """Show one with its content: the text of a reply, the webhook as the provider sent it."""
    content = _document(Queues(house_of(context).engine).content(item_id))
    if as_json:
        print_json(content)
        return
    for name, value in content.items():
        click.echo(f"{name}: {_visible(str('' if value is None else value))}")


@outbox.command()
@click.argument("item_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that are dead, but for replies.")
@_of_account
@as_json
@click.pass_context
def retry(
    context: click.Context, item_ids: tuple[str, ...], account: str | None, *, every: bool, as_json: bool
) -> None:
    """Make dead items due again, as if they had never been tried. A reply is never sent again."""
    queues = Queues(house_of(context).engine)
    if every:
        found = queues.items(
            kinds=_REPEATABLE, states=(ItemState.DEAD,), account=account, limit=_MOST_AT_ONCE
        )
        item_ids = (*item_ids, *(item.id for item in found))
    for item_id in item_ids:
        queues.retry(item_id, actor=_actor(), now=now_microseconds())
    if as_json:
        print_json({"retried": list(item_ids)})
    else:
        click.echo(f"{len(item_ids)} due again")


@outbox.command()
@click.argument("item_ids", metavar="ID...", nargs=-1, required=True)
@as_json
@click.pass_context
def drop(context: click.Context, item_ids: tuple[str, ...], *, as_json: bool) -> None:
    """Let items go that are due or dead: they never go out, and their content is deleted."""
    queues = Queues(house_of(context).engine)
    for item_id in item_ids:
        queues.drop(item_id, actor=_actor(), now=now_microseconds())
    if as_json:
        print_json({"dropped": list(item_ids)})
    else:
        click.echo(f"{len(item_ids)} dropped")


def _summary(item: Summary) -> dict[str, object]:
    return {
        "id": item.id,
        "kind": str(item.kind),
        "account": item.account,
        "sender": item.sender,
        "state": item.state,
        "attempts": item.attempts,
        "due": moment(item.due_at),
        "changed": moment(item.changed_at),
        "result": item.result,
    }


def _document(row: Mapping[str, object]) -> dict[str, object]:
    return {name: _shown(name, value) for name, value in row.items()}


def _shown(name: str, value: object) -> object:
    if name in _TIMES and isinstance(value, int):
        return moment(value)
    if name == "body":
        return _text(bytes(value) if isinstance(value, bytes) else b"")
    return value.hex() if isinstance(value, bytes) else value


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(body).decode()


def _visible(text: str) -> str:
    """Return the text with its control characters written out: they would command the terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else repr(char)[1:-1] for char in text)


def _actor() -> str:
    return f"cli:{os.environ.get('USER') or os.getuid()}"
