"""`gateway dead-letters`: webhooks that could not be read; look at them, read them again, let them go."""

import base64
import os
import sys

import click
from rich.table import Table

from gateway.cli.output import as_json, console, house_of, moment, print_json
from gateway.flows.dead_letters import Replayed, Replays
from gateway.flows.intake import Intake
from gateway.house import House
from gateway.store.dead_letters import DeadLetter, DeadLetters
from gateway.store.ledger import now_microseconds
from gateway.store.message_parts import MessageParts

_COLUMNS = ("id", "account", "kind", "received", "deliveries", "handled", "reason")


@click.group("dead-letters")
def dead_letters() -> None:
    """Look after genuine webhooks that could not be read."""


@dead_letters.command("list")
@click.option("--all", "handled", is_flag=True, help="The handled ones too.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Most to list.")
@as_json
@click.pass_context
def show_all(context: click.Context, *, handled: bool, limit: int, as_json: bool) -> None:
    """List what waits, oldest first, without what people wrote."""
    found = DeadLetters(house_of(context).engine).all(handled=handled, limit=limit)
    rows = [_summary(letter) for letter in found]
    if as_json:
        print_json(rows)
        return
    table = Table(*_COLUMNS)
    for row in rows:
        table.add_row(*(str(value if value is not None else "") for value in row.values()))
    console().print(table)


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@as_json
@click.pass_context
def show(context: click.Context, letter_id: str, *, as_json: bool) -> None:
    """Show one as it came, with what people wrote. Secrets and signatures were never kept."""
    letter = DeadLetters(house_of(context).engine).find(letter_id)
    content = {"method": letter.method, "url": letter.url, "headers": dict(letter.headers)}
    if as_json:
        print_json({**_summary(letter), **content, **_body(letter.body)})
        return
    for name, value in _summary(letter).items():
        click.echo(f"{name}: {'' if value is None else value}")
    click.echo(_visible(f"\n{letter.method} {letter.url}"))
    for name, value in letter.headers.items():
        click.echo(_visible(f"{name}: {value}"))
    click.echo(_visible("\n" + letter.body.decode("utf-8", "backslashreplace")))


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@as_json
@click.pass_context
def replay(context: click.Context, letter_id: str, *, as_json: bool) -> None:
    """Read one again with today's code and record what it holds; exit code 1 when it still cannot be read."""
    house = house_of(context)
    letters = DeadLetters(house.engine)
    letter = letters.find(letter_id)
    done = _replays(house, letters).replay(letter, actor=_actor(), now=now_microseconds())
    if as_json:
        print_json({"recorded": done.recorded, "repeated": done.repeated, "problem": done.problem or None})
    else:
        click.echo(_line(done))
    sys.exit(1 if done.problem else 0)


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@as_json
@click.pass_context
def drop(context: click.Context, letter_id: str, *, as_json: bool) -> None:
    """Delete one for ever, unread."""
    DeadLetters(house_of(context).engine).drop(letter_id, actor=_actor(), now=now_microseconds())
    if as_json:
        print_json({"dropped": letter_id})
    else:
        click.echo("dropped")


def _replays(house: House, letters: DeadLetters) -> Replays:
    intake = Intake(house.book, house.recorder, house.keys.subject, MessageParts(house.engine))
    kinds = {name: account.provider for name, account in house.settings.accounts.items()}
    return Replays(letters, intake, house.providers, kinds)


def _line(done: Replayed) -> str:
    counts = f"{done.recorded} recorded, {done.repeated} recorded before"
    return f"still not readable: {done.problem} ({counts})" if done.problem else f"handled: {counts}"


def _summary(letter: DeadLetter) -> dict[str, str | int | None]:
    handled = None if letter.handled_at is None else moment(letter.handled_at)
    received = moment(letter.received_at)
    values = (
        letter.id,
        letter.account,
        str(letter.kind),
        received,
        letter.deliveries,
        handled,
        letter.reason,
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def _visible(text: str) -> str:
    """Return the text with its control characters written out: they would command the terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else repr(char)[1:-1] for char in text)


def _actor() -> str:
    return f"cli:{os.environ.get('USER') or os.getuid()}"
