"""A checkpoint: a sealed statement of how many events were recorded in a span of time, and which. Pure.

The chain of a subject finds what is altered within it; a checkpoint finds that a whole subject is gone. Its
seal covers the seal before it, and it can be exported, so that a tail of checkpoints cut off is found too.
"""

import json
from dataclasses import dataclass, fields
from hashlib import blake2b

from gateway.errors import CallerError

FIRST_SEAL = b""  # what stands before the first
_SEAL_BYTES = 32
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One row of checkpoints: the events with `from_at` < recorded_at <= `until_at`, microseconds UTC.

    `root` is the Merkle tree hash over their chain values in the order of (recorded_at, subject, seq).
    """

    number: int
    sealed_at: int
    from_at: int
    until_at: int
    events: int
    root: bytes
    seal: bytes = b""


@dataclass(frozen=True, slots=True)
class CheckpointFault:
    """One thing that is not as it was sealed."""

    number: int
    problem: str

    def __str__(self) -> str:
        return f"checkpoint {self.number}: {self.problem}"


def seal_of(checkpoint: Checkpoint, *, previous: bytes, key: bytes) -> bytes:
    """Return the keyed hash over every field but `seal`, and the seal before it (`FIRST_SEAL` for none)."""
    covered = [
        previous.hex(),
        checkpoint.number,
        checkpoint.sealed_at,
        checkpoint.from_at,
        checkpoint.until_at,
        checkpoint.events,
        checkpoint.root.hex(),
    ]
    text = _encode(covered).encode()
    return blake2b(text, digest_size=_SEAL_BYTES, key=key, person=b"checkpoint").digest()


def to_line(checkpoint: Checkpoint) -> str:
    """Return the checkpoint as one line of JSON, hashes in hex."""
    found = {field.name: getattr(checkpoint, field.name) for field in fields(checkpoint)}
    return _encode({name: v.hex() if isinstance(v, bytes) else v for name, v in found.items()})


def from_line(line: str) -> Checkpoint:
    """Undo `to_line`; raise `CallerError` when the line is none of its."""
    try:
        found = json.loads(line)
        read = {field.name: _value(found[field.name], field.type) for field in fields(Checkpoint)}
    except (ValueError, TypeError, KeyError):
        raise CallerError("not a line of exported checkpoints") from None
    return Checkpoint(**read)  # type: ignore[arg-type]  # each value was checked against its field


def _value(value: object, kind: object) -> int | bytes:
    if kind is bytes and isinstance(value, str):
        return bytes.fromhex(value)
    if kind is int and type(value) is int:
        return value
    raise TypeError
