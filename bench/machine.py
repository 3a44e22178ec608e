"""On what machine and with which versions a result was got."""

import os
import platform
import sqlite3
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psutil

_PACKAGES = ("flask", "gunicorn", "werkzeug", "sqlalchemy", "psycopg", "httptools", "twilio")
_SYNCED = 65_536
_SYNCS = 50
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


def sync_milliseconds(folder: Path) -> float:
    """Return what it takes to have 64 KiB on the disk of this folder, as a group commit does: the median."""
    path = folder / "sync"
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        os.posix_fallocate(file, 0, _SYNCS * _SYNCED)
        os.fsync(file)
        return median(_sync_once(file, number * _SYNCED) for number in range(_SYNCS)) * 1000
    finally:
        os.close(file)
        path.unlink()


def _sync_once(file: int, offset: int) -> float:
    data = os.urandom(_SYNCED)
    began = time.perf_counter()
    os.pwrite(file, data, offset)
    os.fdatasync(file)
    return time.perf_counter() - began


def is_calm() -> bool:
    """Tell whether the machine has nothing else to do."""
    return os.getloadavg()[0] < _CALM


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
