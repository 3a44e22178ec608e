"""Checks that all checkpoints are there and still say what was recorded."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine

from gateway.consent.checkpoint import FIRST_SEAL, Checkpoint, CheckpointFault, from_line, seal_of
from gateway.consent.merkle import MerkleTree
from gateway.errors import CallerError
from gateway.store.checkpoints import all_checkpoints, chain_values

Exported = dict[int, Checkpoint]


def read_exported(path: Path) -> Exported:
    """Read a file of exported checkpoints; raise `CallerError`, naming the line, when it is none."""
    found: Exported = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                checkpoint = _read_line(path, number, line)
                found[checkpoint.number] = checkpoint
    except (OSError, UnicodeDecodeError) as error:
        raise CallerError(f"{path}: cannot be read as exported checkpoints") from error
    return found


def check_checkpoints(
    engine: Engine, key: bytes, exported: Exported | None = None
) -> Iterator[CheckpointFault | None]:
    """Check every checkpoint against the one before it, the events and what was exported.

    Yields its faults, and None after each checkpoint.
    """
    missing = dict(exported or {})
    last: Checkpoint | None = None
    for found in all_checkpoints(engine):
        if isinstance(found, CheckpointFault):
            yield found
            continue
        yield from _place_faults(found, last, key)
        yield from _content_faults(engine, found)
        if missing.pop(found.number, found) != found:
            yield CheckpointFault(found.number, "is another than the exported one")
        last = found
        yield None
    for number in sorted(missing):
        yield CheckpointFault(number, "was exported, and is gone from the database")


def _read_line(path: Path, number: int, line: str) -> Checkpoint:
    try:
        return from_line(line)
    except CallerError as error:
        raise CallerError(f"{path}, line {number}: {error}") from None


def _place_faults(found: Checkpoint, last: Checkpoint | None, key: bytes) -> Iterator[CheckpointFault]:
    number, until_at, seal = (0, 0, FIRST_SEAL) if last is None else (last.number, last.until_at, last.seal)
    if found.number != number + 1:
        yield CheckpointFault(number + 1, f"missing: the next one found is {found.number}")
    if found.from_at != until_at:
        yield CheckpointFault(found.number, "does not begin where the one before it ends")
    if seal_of(found, previous=seal, key=key) != found.seal:
        yield CheckpointFault(found.number, "altered, or its predecessor is")


def _content_faults(engine: Engine, found: Checkpoint) -> Iterator[CheckpointFault]:
    tree = MerkleTree(chain_values(engine, found.from_at, found.until_at))
    if tree.size != found.events:
        yield CheckpointFault(found.number, f"sealed {found.events} events, and there are {tree.size}")
    elif tree.root() != found.root:
        yield CheckpointFault(found.number, "its events are others than were sealed")
