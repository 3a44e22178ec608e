"""On what machine and with which versions a result was got."""

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path

import psutil

_PACKAGES = ("flask", "gunicorn", "werkzeug", "sqlalchemy", "psycopg", "httptools", "twilio")
_CALM = 0.5  # load at which a machine of few cores still measures well


def machine() -> dict[str, str | int | float]:
    """Return processor, cores, memory, kernel, and the load before anything is started."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release(),
        "load": os.getloadavg()[0],
    }


def versions() -> dict[str, str]:
    """Return the versions of what takes part."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    return found | {name: version(name) for name in _PACKAGES}


def is_calm() -> bool:
    """Tell whether the machine has nothing else to do."""
    return os.getloadavg()[0] < _CALM


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
