"""`gateway doctor`: tells whether everything is as it must be."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import click
from sqlalchemy.exc import SQLAlchemyError

from gateway.advice import warnings_of
from gateway.cli.output import as_json, console, house_of, print_json
from gateway.errors import GatewayError
from gateway.house import House
from gateway.store import migrate
from gateway.store.dead_letters import DeadLetters
from gateway.store.engine import is_sqlite
from gateway.store.ledger import now_microseconds
from gateway.store.probe import last_probe, probe
from gateway.store.queue import Kind
from gateway.store.queues import Queues
from gateway.store.tokens import list_tokens

_WORKER_SILENT = 120_000_000
_LONG_DUE = 900_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `remedy` says what to do when it is not ok."""

    what: str
    ok: bool
    found: str
    remedy: str = ""


@click.command()
@as_json
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Look at settings, database, worker and tokens; exit code 1 when something must be mended."""
    findings = list(_examine(house_of(context)))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            mark = "[green]ok[/]  " if finding.ok else "[red]bad[/] "
            console().print(
                f"{mark} {finding.what}: {finding.found}" + ("" if finding.ok else f". {finding.remedy}")
            )
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


def _examine(house: House) -> Iterator[Finding]:
    yield Finding("settings", ok=True, found="valid")
    for warning in warnings_of(house.settings):
        yield Finding("settings", ok=True, found=f"note: {warning}")
    schema = _tried("schema", lambda: _schema(house), "Look at database.url and whether the server runs.")
    yield schema
    if not schema.ok:
        return
    for look in (_durability, _write, _worker, _tokens, _dead_letters, _outbox):
        yield _tried(look.__name__.strip("_"), lambda look=look: look(house), "See the message.")  # type: ignore[misc]  # bound now


def _tried(what: str, look: Callable[[], Finding], remedy: str) -> Finding:
    try:
        return look()
    except (GatewayError, SQLAlchemyError, OSError) as error:
        return Finding(what, ok=False, found=str(error).splitlines()[0], remedy=remedy)


def _schema(house: House) -> Finding:
    current, newest = migrate.current(house.engine), migrate.newest()
    found = f"at {current or 'nothing'}, this version needs {newest}"
    return Finding("schema", current == newest, found, "Run: gateway db upgrade")


def _durability(house: House) -> Finding:
    """Look whether a commit is on the disk before it is acknowledged, whatever the server's defaults say."""
    with house.engine.connect() as connection:
        if is_sqlite(house.engine):
            level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
            return Finding("durability", level >= 2, f"SQLite synchronous={level}", "It must be FULL (2).")  # noqa: PLR2004 - SQLite's number
        names = ("synchronous_commit", "fsync", "full_page_writes")
        values = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names}
    good = all(value not in ("off", "local") for value in values.values())
    found = ", ".join(f"{name}={value}" for name, value in values.items())
    return Finding("durability", good, found, "Set them on: what is acknowledged could be lost.")


def _write(house: House) -> Finding:
    probe(house.engine, "doctor", now_microseconds())
    return Finding("write", ok=True, found="the database takes one")


def _worker(house: House) -> Finding:
    at = last_probe(house.engine, "worker")
    if at is None:
        return Finding("worker", ok=False, found="has never run", remedy="Start: gateway worker")
    silent = now_microseconds() - at
    found = f"last seen {silent // 1_000_000} s ago"
    return Finding("worker", silent < _WORKER_SILENT, found, "Start: gateway worker")


def _tokens(house: House) -> Finding:
    alive = [row for row in list_tokens(house.engine) if row.is_alive(now_microseconds())]
    return Finding("tokens", bool(alive), f"{len(alive)} in use", "Make one: gateway token create NAME")


def _dead_letters(house: House) -> Finding:
    number = DeadLetters(house.engine).waiting()
    return Finding("dead letters", not number, f"{number} wait", "Look: gateway dead-letters list")


def _outbox(house: House) -> Finding:
    """Look at what waits to go out. Dead replies are counted only: nobody can send them any more."""
    now = now_microseconds()
    found = list(Queues(house.engine).waiting(now))
    oldest = max((now - each.oldest_due_at for _, each in found if each.oldest_due_at is not None), default=0)
    dead = sum(each.dead for kind, each in found if kind is not Kind.REPLY)
    told = f"{sum(each.due for _, each in found)} due, the oldest for {max(0, oldest) // 1_000_000} s; {dead} dead"
    return Finding(
        "outbox", oldest < _LONG_DUE and not dead, told, "Look: gateway outbox list; docs/runbooks/outbox.md"
    )
