"""Deletes what is old, a little at a time: a long transaction would hold up whoever writes."""

from sqlalchemy import Engine, TextClause

from gateway.store.engine import writing
from gateway.store.snapshot import as_trouble

_ROWS = 500


def prune(engine: Engine, statement: TextClause, **values: int) -> int:
    """Run a statement that deletes at most `:limit` rows until it finds fewer; return how many went.

    Raises `OurTroubleError`.
    """
    gone = 0
    while True:
        with as_trouble("old rows could not be deleted"), writing(engine) as connection:
            found = connection.execute(statement, {**values, "limit": _ROWS}).rowcount
        gone += found
        if found < _ROWS:
            return gone
