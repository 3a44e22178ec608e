"""`gateway ledger`: check that the record is as it was written, seal it, mend the states from it."""

import sys
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.progress import Progress, TextColumn

from gateway.cli.output import as_json, house_of, print_json
from gateway.consent.chain import Fault
from gateway.consent.checkpoint import CheckpointFault
from gateway.flows.rebuild_states import Trust, rebuild_states
from gateway.flows.seal_checkpoint import export_checkpoints, seal
from gateway.flows.verify_ledger import verify_ledger
from gateway.house import House
from gateway.store.ledger import now_microseconds

_STEP = 1000


@click.group()
def ledger() -> None:
    """Look after the ledger."""


@ledger.command()
@click.option(
    "--checkpoints",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Checkpoints exported earlier: without them the loss of the newest ones cannot be seen.",
)
@as_json
@click.pass_context
def verify(context: click.Context, checkpoints: Path | None, *, as_json: bool) -> None:
    """Check every event, head, state and checkpoint; exit code 1 when one is not as it was written."""
    house = house_of(context)
    columns = (TextColumn("{task.completed} persons checked"),)
    with Progress(*columns, transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("verify", total=None)

        def show(subjects: int, _events: int) -> None:
            if subjects % _STEP == 0:
                progress.update(task, completed=subjects)

        report = verify_ledger(house.engine, house.keys, checkpoint_file=checkpoints, progress=show)
    found = {"persons": report.subjects, "events": report.events, "checkpoints": report.checkpoints}
    if as_json:
        print_json({"ok": report.is_intact, **found, "faults": [_fault(fault) for fault in report.faults]})
    else:
        for fault in report.faults:
            click.echo(_line(fault))
        counts = ", ".join(f"{number} {what}" for what, number in found.items())
        click.echo(f"{'ok' if report.is_intact else 'NOT INTACT'}: {counts}")
    sys.exit(0 if report.is_intact else 1)


@ledger.command("seal")
@as_json
@click.pass_context
def seal_now(context: click.Context, *, as_json: bool) -> None:
    """Seal a checkpoint now, over what was recorded until a minute ago. The worker does so by itself."""
    house = house_of(context)
    made = seal(house.engine, house.keys.ledger, now_microseconds())
    if as_json:
        print_json({"number": made.number if made else None})
    else:
        click.echo(f"checkpoint {made.number}" if made else "nothing new to seal")


@ledger.command()
@click.argument("output", type=click.File("w"), default="-")
@click.pass_context
def export(context: click.Context, output: IO[str]) -> None:
    """Write all checkpoints to OUTPUT, to be kept where nobody who can change the database can."""
    for line in export_checkpoints(house_of(context).engine):
        output.write(line.rstrip("\n") + "\n")


@ledger.command()
@click.option(
    "--trust-events",
    is_flag=True,
    help="The events that are there are all there were: make the heads anew. Verify with checkpoints first.",
)
@as_json
@click.pass_context
def rebuild(context: click.Context, *, trust_events: bool, as_json: bool) -> None:
    """Make the states follow from the events again; exit code 1 when a person had to be left as it is."""
    house: House = house_of(context)
    done = rebuild_states(house.engine, house.keys, trust=Trust(events=trust_events))
    if as_json:
        print_json({"rewritten": done.rewritten, "refused": [_fault(fault) for fault in done.refused]})
    else:
        for fault in done.refused:
            click.echo(_line(fault))
        click.echo(f"{done.rewritten} persons written anew")
    sys.exit(1 if done.refused else 0)


def _fault(fault: Fault | CheckpointFault) -> dict[str, object]:
    if isinstance(fault, CheckpointFault):
        return {"checkpoint": fault.number, "problem": fault.problem}
    return {"subject": fault.subject.hex(), "seq": fault.seq, "problem": fault.problem}


def _line(fault: Fault | CheckpointFault) -> str:
    if isinstance(fault, CheckpointFault):
        return str(fault)
    place = "" if fault.seq is None else f", event {fault.seq}"
    return f"person {fault.subject.hex()}{place}: {fault.problem}"
