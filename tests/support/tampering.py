"""A small ledger, and hands that change its rows behind its back."""

from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from support.entries import KEY, NOW, entry

from gateway.consent.chain import Fault
from gateway.consent.checkpoint import CheckpointFault
from gateway.consent.choice import Choice
from gateway.consent.entry import Entry, Reply
from gateway.flows.verify_ledger import verify_ledger
from gateway.keys import Keys
from gateway.store.engine import writing
from gateway.store.ledger import Ledger

KEYS = Keys(subject=KEY, ledger=KEY, links=())
SENDER = "@+15550199000"
MINUTE = 60_000_000
PERSON = entry(1).subject
_REPLY = Reply("opt_out", "bye")


class Clock:
    """Stands still unless told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


def write_small_ledger(ledger: Ledger, clock: Clock) -> None:
    """Let person 1 say five things in four writes, a minute apart, and persons 0 and 2 one each."""
    ledger.record([entry(0), entry(2)])
    ledger.record([said(clock, reply=_REPLY, evidence='{"band":"certain"}', actor="anna")])
    clock.now += MINUTE
    ledger.record([said(clock, Choice.YES, scope=f"{SENDER} offers")])
    clock.now += MINUTE
    ledger.record([said(clock, None, klass="help"), said(clock, scope="*")])
    clock.now += MINUTE
    ledger.record([said(clock, None, klass="other", text=None, evidence=None)])


def said(clock: Clock, choice: Choice | None = Choice.NO, **fields: object) -> Entry:
    """Return an entry of person 1, received a little after it was said."""
    return entry(1, choice, at=clock.now - 10, **{"said_at": clock.now - 20, **fields})


def change(engine: Engine, statement: str, **values: object) -> None:
    """Run a statement that the ledger knows nothing of."""
    with writing(engine) as connection:
        connection.execute(text(statement), values)


def is_stored(engine: Engine, statement: str, **values: object) -> bool:
    """Run a statement; tell whether the constraints let it through."""
    try:
        change(engine, statement, **values)
    except IntegrityError:
        return False
    return True


def faults(engine: Engine, **options: object) -> tuple[Fault | CheckpointFault, ...]:
    """Return what a check of the whole ledger finds."""
    return verify_ledger(engine, KEYS, **options).faults


def rows_of(engine: Engine, table: str) -> list[tuple[object, ...]]:
    """Return every value of a table."""
    with engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}")).all())
