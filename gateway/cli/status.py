"""`gateway status ADDRESS`: whether it may be sent to, and why."""

import json

import click
from rich.table import Table

from gateway.cli.output import as_json, console, house_of, moment
from gateway.consent.address import Address, Channel
from gateway.consent.event import Event
from gateway.flows.status import ProgramStatus, Status, Statuses
from gateway.house import House
from gateway.web.api.documents import status_document

_EVENTS = 20


@click.command()
@click.argument("address")
@click.option(
    "--channel", type=click.Choice([str(c) for c in Channel]), help="Default: email if it has an @, else sms."
)
@click.option("--program", help="Only this program.")
@as_json
@click.pass_context
def status(
    context: click.Context, address: str, channel: str | None, program: str | None, *, as_json: bool
) -> None:
    """Show whether ADDRESS may be sent to, program by program, and what was said when."""
    house = house_of(context)
    where = Channel(channel) if channel else (Channel.EMAIL if "@" in address else Channel.SMS)
    found = Statuses(house.reader, house.book, house.keys.subject).status(
        Address.parse(where, address), program
    )
    if as_json:
        click.echo(json.dumps(json.loads(status_document(found)), ensure_ascii=False, indent=2))
        return
    _print(house, found)


def _print(house: House, found: Status) -> None:
    show = console()
    show.print(
        f"[bold]{found.address.value}[/] on {found.address.channel}"
        + ("" if found.known else ": nothing is known")
    )
    table = Table("program", "", "why", "said", "by")
    for each in found.programs:
        table.add_row(*_decision(found, each))
    show.print(table)
    for reason in found.suppressions:
        show.print(f"suppressed: {reason}")
    timeline = Table("event", "received", "what", "choice", "scope", "text", "answered")
    for event in house.reader.events(found.subject, limit=_EVENTS):
        timeline.add_row(*_event(event))
    if timeline.row_count:
        show.print(timeline)


def _decision(found: Status, each: ProgramStatus) -> tuple[str, ...]:
    decision, event = each.decision, found.event_of(each.decision.state)
    verdict = "[green]may be sent to[/]" if decision.allowed else "[red]out[/]"
    said = moment(decision.state.said_at) if decision.state else ""
    return (
        each.program.rule.slug,
        verdict,
        decision.reason,
        said,
        f"{event.source} {event.rule}" if event else "",
    )


def _event(event: Event) -> tuple[str, ...]:
    return (
        str(event.seq),
        moment(event.received_at),
        f"{event.klass} ({event.rule})",
        event.choice or "",
        event.scope,
        repr(event.text) if event.text is not None else "",
        event.reply or "",
    )
