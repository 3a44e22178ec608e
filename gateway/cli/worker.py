"""`gateway worker`: does what must happen after the commit."""

import signal
import threading

import click

from gateway.cli.output import house_of
from gateway.worker.loop import run


@click.command()
@click.pass_context
def worker(context: click.Context) -> None:
    """Send replies that wait in the outbox and seal checkpoints, until SIGTERM."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    run(house_of(context), stop=stop)
