"""Closed-loop load by Debian's wrk: one thread, N connections, each with one request under way."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from prepared import Prepared

_SCRIPT = Path(__file__).with_name("wrk.lua")


class NoGeneratorError(Exception):
    """wrk is not installed."""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk did. `answered` includes the refused, whose status was 400 or more; `broken` had none."""

    answered: int
    seconds: float
    refused: int
    broken: int
    cpu: float  # of wrk itself while it sends, cores

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


def version() -> str:
    """Return wrk's version. Raises `NoGeneratorError`."""
    if shutil.which("wrk") is None:
        raise NoGeneratorError("wrk is not installed: apt-get install wrk")
    shown = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    return shown.split("[")[0].strip().removeprefix("wrk ")


def drive(prepared: Prepared, *, port: int, connections: int, seconds: int, start: int = 0) -> Load:
    """Send prepared requests, from the one numbered `start` on, as fast as they are answered."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=10s", "-s", str(_SCRIPT)]
    environ = {**os.environ, "BENCH_REQUESTS": str(prepared.path), "BENCH_START": str(start)}
    shown = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/"], env=environ, capture_output=True, text=True, check=True
    )
    found = json.loads(shown.stdout.splitlines()[-1])
    took = found["microseconds"] / 1e6
    return Load(found["requests"], took, found["refused"], found["broken"], found["cpu"] / took)
