"""`gateway interpret TEXT`: what this text would do."""

import click

from gateway.cli.output import as_json, console, house_of, print_json
from gateway.flows.interpret import Interpretation
from gateway.flows.interpret import interpret as read


@click.command()
@click.argument("text")
@click.option("--sender", default="", help="The number it would come to: its programs and keywords are used.")
@click.option("--program", help="A program, in place of a sender.")
@click.option("--pending", is_flag=True, help="As if a double opt-in waited for its confirming word.")
@as_json
@click.pass_context
def interpret(
    context: click.Context, text: str, sender: str, program: str | None, *, pending: bool, as_json: bool
) -> None:
    """Read TEXT as if a person had sent it. Nothing is recorded."""
    found = read(house_of(context).book, text, sender=sender, program=program, pending_opt_in=pending)
    document = _document(found)
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        console().print(f"{name:>9}: {value}", markup=False)
    if found.reading.span:
        start, end = found.reading.span
        console().print(f"     text: {text[:start]}[bold reverse]{text[start:end]}[/]{text[end:]}")


def _document(found: Interpretation) -> dict[str, object]:
    reading = found.reading
    return {
        "class": reading.klass,
        "band": reading.band,
        "scopes": list(found.scopes),
        "rule": reading.rule,
        "keyword": reading.keyword,
        "language": reading.language,
        "span": list(reading.span) if reading.span else None,
        "stages": list(reading.stages),
    }
