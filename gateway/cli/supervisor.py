"""Runs several processes as one: a signal goes to all, and when one ends, all end."""

import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 40.0


def supervise(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> int:
    """Run the commands until SIGTERM or SIGINT, or until one ends. Returns the exit code."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    # Sessions of their own: a Ctrl-C in the terminal reaches us alone, and we end them in order.
    processes = [
        subprocess.Popen(command, env=dict(environment), start_new_session=True)  # noqa: S603 - our own commands
        for command in commands
    ]
    while not stop.wait(_POLL_SECONDS) and all(process.poll() is None for process in processes):
        pass
    ended = [process.returncode for process in processes if process.returncode is not None]
    for process in processes:
        _end(process)
    return next((code or 1 for code in ended), 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to finish what it has accepted, and wait for it."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
