"""`gateway links`: unsubscribe headers for a file of recipients."""

import csv
import json
from collections.abc import Iterator
from typing import IO

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.cli.output import house_of
from gateway.consent.address import Channel
from gateway.flows.links import LinkHeaders, mint_links
from gateway.store.ledger import now_microseconds

_COLUMNS = ("address", "url", "list_unsubscribe", "list_unsubscribe_post", "error")
_STEP = 5000


@click.command()
@click.argument("recipients", type=click.Path(exists=True, dir_okay=False))
@click.argument("output", type=click.File("w", encoding="utf-8"))
@click.option(
    "--program", default="*", show_default=True, help="The program that the links unsubscribe from."
)
@click.option("--message", default="", help="Name of the message or campaign, kept as evidence.")
@click.option("--channel", type=click.Choice([str(c) for c in Channel]), default="email", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a line, in place of CSV.")
@click.pass_context
def links(
    context: click.Context,
    recipients: str,
    output: IO[str],
    *,
    program: str,
    message: str,
    channel: str,
    as_json: bool,
) -> None:
    """Write List-Unsubscribe headers for RECIPIENTS (one address a line) to OUTPUT ("-": the terminal)."""
    made = mint_links(
        house_of(context),
        recipients=_lines(recipients),
        program=program,
        now=now_microseconds(),
        channel=Channel(channel),
        message=message,
    )
    with open(recipients, "rb") as file:  # noqa: PTH123 - counted in blocks, not read as text
        total = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    failed = _write(_shown(made, total), output, as_json=as_json)
    click.echo(f"{failed} recipients have no link: see their error" if failed else "done", err=True)


def _lines(path: str) -> Iterator[str]:
    with open(path, encoding="utf-8-sig") as file:  # noqa: PTH123 - streamed
        for line in file:
            if text := line.strip():
                yield text


def _shown(made: Iterator[LinkHeaders], total: int) -> Iterator[LinkHeaders]:
    columns = (TextColumn("links"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("links", total=total or None)
        for number, link in enumerate(made, 1):
            yield link
            if number % _STEP == 0:
                progress.update(task, completed=number)


def _write(made: Iterator[LinkHeaders], output: IO[str], *, as_json: bool) -> int:
    failed = 0
    table = csv.writer(output)
    if not as_json:
        table.writerow(_COLUMNS)
    for link in made:
        row = _row(link)
        failed += link.error is not None
        if as_json:
            output.write(json.dumps(dict(zip(_COLUMNS, row, strict=True)), ensure_ascii=False) + "\n")
        else:
            table.writerow(row)
    return failed


def _row(link: LinkHeaders) -> tuple[str, ...]:
    headers = dict(link.headers)
    return (
        link.address.value if link.address else "",
        link.url,
        headers.get("List-Unsubscribe", ""),
        headers.get("List-Unsubscribe-Post", ""),
        link.error or "",
    )
