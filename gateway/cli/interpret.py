"""`gateway interpret TEXT`: what this text would do."""

from collections.abc import Mapping
from typing import Any

import click
from rich.markup import escape

from gateway.cli.output import Command, as_json, console, house_of, print_json
from gateway.flows.interpret import Interpretation, Question
from gateway.flows.interpret import interpret as read

_CONTEXT = (
    click.option(
        "--sender", default="", help="The number it would come to: its programs and keywords are used."
    ),
    click.option("--program", help="A program, in place of a sender."),
    click.option("--pending", is_flag=True, help="As if a double opt-in waited for its confirming word."),
    click.option(
        "--marketing/--chat",
        default=None,
        help="As an answer to advertising, or not. Unset: as messages to the sender are read.",
    ),
    click.option("--last-sent", default="", metavar="TEXT", help="Our message that it answers."),
)


def in_context(command: Command) -> Command:
    """Give a command the options that say what a text is an answer to."""
    for option in reversed(_CONTEXT):
        command = option(command)
    return command


def asked(text: str, options: Mapping[str, Any]) -> Question:
    """Return the question of a command with these options."""
    return Question(
        text,
        sender=options["sender"],
        program=options["program"],
        pending_opt_in=options["pending"],
        marketing=options["marketing"],
        last_sent=options["last_sent"],
    )


@click.command()
@click.argument("text")
@in_context
@as_json
@click.pass_context
def interpret(context: click.Context, /, text: str, *, as_json: bool, **options: Any) -> None:
    """Read TEXT as if a person had sent it. Nothing is recorded."""
    found = read(house_of(context).book, asked(text, options))
    if as_json:
        print_json(interpretation_document(found))
        return
    print_interpretation(found, text)


def print_interpretation(found: Interpretation, text: str) -> None:
    """Show what a text means, and mark in it what decided."""
    for name, value in interpretation_document(found).items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        if shown not in (None, "", False) and name != "span":
            console().print(f"{name:>10}: {escape(str(shown))}", soft_wrap=True)
    if found.reading.span:
        start, end = found.reading.span
        before, deciding, after = map(escape, (text[:start], text[start:end], text[end:]))
        console().print(f"      text: {before}[bold reverse]{deciding}[/]{after}", soft_wrap=True)


def interpretation_document(found: Interpretation) -> dict[str, object]:
    """Return the document that --json prints."""
    reading = found.reading
    return {
        "class": reading.klass,
        "band": reading.band,
        "reach": reading.reach,
        "program": reading.program,
        "choice": found.choice,
        "scopes": list(found.scopes),
        "reply": found.reply,
        "reply_text": found.reply_text,
        "rule": reading.rule,
        "keyword": reading.keyword,
        "language": reading.language,
        "span": list(reading.span) if reading.span else None,
        "stages": list(reading.stages),
        "marketing": found.marketing,
    }
