"""Promises 1 and 2, for hours: `make crash` kills the server and the database again and again."""

import os
from pathlib import Path

import pytest
from support.crash import ENGINES, crash, rounds_wanted, seed_wanted

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(
        not os.environ.get("GATEWAY_CRASH_ROUNDS"),
        reason="the long crash run takes hours: `make crash`, or set GATEWAY_CRASH_ROUNDS",
    ),
]

_PART = 50  # rounds on one database; then a new one, so that comparing does not grow without bound


@pytest.mark.parametrize("engine_name", ENGINES)
def test_no_message_is_lost_or_doubled_however_often_the_server_is_killed(engine_name: str, tmp_path: Path):
    left, seed = rounds_wanted(), seed_wanted()
    while left > 0:
        folder = tmp_path / str(left)
        folder.mkdir()
        found = crash(engine_name, folder, rounds=min(left, _PART), seed=seed)
        assert (found.lost, found.doubled, found.invented, found.refused) == ([], [], [], [])
        assert (found.answered_twice, found.faults) == ([], [])
        assert set(found.statuses) <= {"200", "503", "0"}
        left, seed = left - _PART, seed + 1
