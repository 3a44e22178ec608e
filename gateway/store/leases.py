"""What one of several workers does now and then: whoever writes the time first does it."""

from sqlalchemy import Engine, text

from gateway.store.engine import writing
from gateway.store.snapshot import as_trouble

# What was never done is due.
_KNOW = text("INSERT INTO probes (name, at) VALUES (:name, 0) ON CONFLICT (name) DO NOTHING")
_TAKE = text(
    "UPDATE probes SET at = :now WHERE name = :name AND (at <= :now - :every OR at > :now + :every) RETURNING name"
)
_AGAIN = text("UPDATE probes SET at = :at WHERE name = :name")


def take_turn(engine: Engine, name: str, *, every: int, now: int) -> bool:
    """Tell whether it is time and nobody else has begun, and write down that we have.

    `every` is in microseconds. Raises `OurTroubleError`.
    """
    with as_trouble("the turn could not be taken"), writing(engine) as connection:
        connection.execute(_KNOW, {"name": name})
        return connection.execute(_TAKE, {"name": name, "now": now, "every": every}).first() is not None


def try_again(engine: Engine, name: str, *, every: int, after: int, now: int) -> None:
    """Let the next turn come `after` microseconds from now, since this one failed. Raises `OurTroubleError`."""
    with as_trouble("the turn could not be given back"), writing(engine) as connection:
        connection.execute(_AGAIN, {"name": name, "at": now - every + after})
