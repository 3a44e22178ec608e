"""A checkpoint's seal and its line of JSON."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.consent.checkpoint import (
    FIRST_SEAL,
    Checkpoint,
    CheckpointFault,
    from_line,
    seal_of,
    to_line,
)
from gateway.errors import CallerError

KEY = b"k" * 32
ONE = Checkpoint(1, 9, 2, 5, 3, b"\x01" * 32, b"\x02" * 32)
OTHER = {"number": 2, "sealed_at": 10, "from_at": 3, "until_at": 6, "events": 4, "root": b"\x03" * 32}


@pytest.mark.parametrize("name", [field.name for field in fields(Checkpoint) if field.name != "seal"])
def test_the_seal_covers_every_field(name: str):
    sealed = seal_of(ONE, previous=FIRST_SEAL, key=KEY)
    assert seal_of(replace(ONE, **{name: OTHER[name]}), previous=FIRST_SEAL, key=KEY) != sealed


def test_the_seal_covers_the_seal_before_it_and_needs_the_key():
    sealed = seal_of(ONE, previous=FIRST_SEAL, key=KEY)
    assert len(sealed) == 32
    assert seal_of(ONE, previous=b"\x05" * 32, key=KEY) != sealed
    assert seal_of(ONE, previous=FIRST_SEAL, key=b"w" * 32) != sealed
    assert seal_of(replace(ONE, seal=b""), previous=FIRST_SEAL, key=KEY) == sealed


numbers = st.integers(min_value=-(2**63), max_value=2**63)


@given(st.builds(Checkpoint, numbers, numbers, numbers, numbers, numbers, st.binary(), st.binary()))
def test_a_line_gives_back_the_checkpoint(checkpoint: Checkpoint):
    line = to_line(checkpoint)
    assert "\n" not in line
    assert from_line(line + "\n") == checkpoint


@pytest.mark.parametrize(
    "change",
    [("9", "9.0"), ("9", '"9"'), ("9", "null"), ("9", "true"), ("02", "zz"), ('"0', '"'), ("{", "[")],
)
def test_what_is_no_line_of_ours_is_refused(change: tuple[str, str]):
    line = to_line(ONE).replace(*change, 1)
    with pytest.raises(CallerError):
        from_line(line)


def test_a_fault_names_its_checkpoint():
    assert str(CheckpointFault(7, "altered")) == "checkpoint 7: altered"
