"""`gateway accounts`: the configured connections to providers, and whether one works from end to end."""

import sys
from dataclasses import asdict, dataclass

import click
from rich.table import Table

from gateway.cli.account_check import Note, Under, examine
from gateway.cli.account_facts import can_send, proofs, status_url, webhook_url
from gateway.cli.output import as_json, console, house_of, print_json, settings_of
from gateway.cli.shop import NoCalls
from gateway.errors import ConfigurationError
from gateway.providers.account import AccountSettings
from gateway.providers.registry import build
from gateway.settings import Settings

_MARKS = {"ok": "[green]ok[/]  ", "note": "[yellow]note[/]", "bad": "[red]bad[/] "}


@dataclass(frozen=True, slots=True)
class Row:
    """One account in the list. `replies` tells who answers keywords, and how our own answers travel."""

    name: str
    provider: str
    webhook: str
    status: str
    proofs: list[str]
    replies: str
    sends: bool


@click.group()
def accounts() -> None:
    """Look after the connections to providers."""


@accounts.command("list")
@as_json
@click.pass_context
def show_all(context: click.Context, *, as_json: bool) -> None:
    """List the configured accounts, with the URL of each as the provider knows it. Shows no secret."""
    settings = settings_of(context)
    rows = [_row(settings, name, account) for name, account in settings.accounts.items()]
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("account", "provider", "webhook", "proved by", "replies", "sends")
    for row in rows:
        sends = "yes" if row.sends else "no"
        table.add_row(row.name, row.provider, row.webhook, ", ".join(row.proofs), row.replies, sends)
    console().print(table)


@accounts.command()
@click.argument("name")
@click.option(
    "--via",
    metavar="URL",
    help="Base URL to send the test to in place of the public one, such as http://127.0.0.1:8080.",
)
@as_json
@click.pass_context
def test(context: click.Context, name: str, via: str | None, *, as_json: bool) -> None:
    """Test the account NAME: its settings, then a signed message to the running gateway, as its provider sends it.

    The message is from a number reserved for fiction and holds no keyword: it leaves an event that changes
    nothing. Prints the URLs to enter at the provider, with their secret where they have one. Exit code 1 when
    something must be mended.
    """
    house = house_of(context)
    if name not in house.settings.accounts:
        known = ", ".join(house.settings.accounts) or "none"
        raise ConfigurationError(f"there is no account {name!r}: configured are {known}")
    notes = []
    for note in examine(Under(house, name, via)):
        notes.append(note)
        if not as_json:
            _show(note)
    if as_json:
        print_json([asdict(note) for note in notes])
    sys.exit(1 if any(note.level == "bad" for note in notes) else 0)


def _show(note: Note) -> None:
    remedy = f". {note.remedy}" if note.remedy else ""
    show = console()
    show.print(_MARKS[note.level], end=" ")
    show.print(f"{note.what}: {note.found}{remedy}", markup=False, soft_wrap=True)


def _row(settings: Settings, name: str, account: AccountSettings) -> Row:
    provider = build(account, NoCalls())
    inline = account.reply_by == "inline" and provider.takes_inline
    return Row(
        name=name,
        provider=account.provider,
        webhook=webhook_url(settings, name),
        status=status_url(settings, name),
        proofs=proofs(account),
        replies=f"{account.provider_replies}, {'inline' if inline else 'api'}",
        sends=can_send(account),
    )
