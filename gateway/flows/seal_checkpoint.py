"""Seals what was recorded since the last checkpoint, and writes checkpoints out."""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Engine

from gateway.consent.checkpoint import FIRST_SEAL, Checkpoint, seal_of, to_line
from gateway.consent.merkle import MerkleTree
from gateway.store.checkpoints import (
    all_checkpoints,
    chain_values,
    insert_checkpoint,
    newest_checkpoint,
    readable,
)

# An event takes its place in time before it is committed. What is sealed must be older than any transaction
# may last (statement_timeout_ms is 5 seconds) and than the clocks of the machines differ: an event that
# came later into a sealed span would look like one that was slipped in.
LAG = 60_000_000  # microseconds


def seal(engine: Engine, key: bytes, now: int, *, lag: int = LAG) -> Checkpoint | None:
    """Seal everything recorded up to `now - lag` since the last checkpoint; `key` is the ledger's.

    Returns None when there is nothing new, or another process has sealed it at the same time. Events that
    are to be sealed do not change any more, so they are read without holding up who writes. Raises
    `OurTroubleError`.
    """
    last = newest_checkpoint(engine)
    from_at, until_at = (0 if last is None else last.until_at), now - lag
    tree = MerkleTree(chain_values(engine, from_at, until_at))
    if tree.size == 0:
        return None
    number = 1 if last is None else last.number + 1
    unsealed = Checkpoint(number, now, from_at, until_at, tree.size, tree.root())
    previous = FIRST_SEAL if last is None else last.seal
    sealed = replace(unsealed, seal=seal_of(unsealed, previous=previous, key=key))
    return sealed if insert_checkpoint(engine, sealed) else None


def export_checkpoints(engine: Engine) -> Iterator[str]:
    """Yield every checkpoint as a line of JSON, to be kept where nobody who can change the database can."""
    for found in all_checkpoints(engine):
        yield to_line(readable(found))
