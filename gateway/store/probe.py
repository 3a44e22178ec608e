"""A small durable write, to know whether the database takes one."""

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import DBAPIError

from gateway.errors import OurTroubleError
from gateway.store.engine import writing
from gateway.store.tables import probes


def probe(engine: Engine, name: str, now: int) -> None:
    """Write the time under a name and commit; raise `OurTroubleError` when the database does not take it."""
    try:
        with writing(engine) as connection:
            touched = connection.execute(update(probes).where(probes.c.name == name).values(at=now))
            if touched.rowcount == 0:
                connection.execute(insert(probes).values(name=name, at=now))
    except (DBAPIError, OSError) as error:
        raise OurTroubleError("the database does not take a write") from error


def last_probe(engine: Engine, name: str) -> int | None:
    """Return when the name was last written, microseconds UTC; None if never."""
    with engine.connect() as connection:
        return connection.execute(select(probes.c.at).where(probes.c.name == name)).scalar_one_or_none()
