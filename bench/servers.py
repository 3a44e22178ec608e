"""Starts what is measured as an operator would, waits until it answers, and tells what CPU time it takes."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPResponse
from pathlib import Path

import psutil
import world

ROOT = Path(__file__).parents[1]
_PATIENCE = 30.0  # seconds for a start or a stop
_FOREIGN = ("GATEWAY_", "GUNICORN_", "PORT", "PROMETHEUS_", "WEB_CONCURRENCY")
_STOCK = ("--threads", "4", "-k", "gthread")


class NotServingError(Exception):
    """A server did not start, or does not answer as it should."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn."""

    process: subprocess.Popen[bytes]
    port: int

    def tree(self) -> list[psutil.Process]:
        """Return the master and its workers."""
        master = psutil.Process(self.process.pid)
        return [master, *master.children(recursive=True)]

    def ask(self, request: bytes, *, expect: bytes) -> None:
        """Send one request; raise `NotServingError` unless the answer is a 200 with these bytes in it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE) as connection:
            connection.sendall(request)
            answer = HTTPResponse(connection)
            answer.begin()
            body = answer.read()
        if answer.status != HTTPStatus.OK or expect not in body:
            raise NotServingError(f"unexpected answer: {answer.status} {body[:300]!r}")


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """Return the CPU time that these processes took since they began."""
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


def processes_of(process_id: int | None) -> list[psutil.Process]:
    """Return a process of ours with its children; nothing for a server that is not ours."""
    if process_id is None:
        return []
    root = psutil.Process(process_id)
    return [root, *root.children(recursive=True)]


def product() -> list[str]:
    """Return the arguments for the gateway itself, as in the Procfile."""
    return ["-c", str(ROOT / "config" / "gunicorn.conf.py"), "gateway.app:create_app()"]


def sync(app: str, port: int) -> list[str]:
    """Return the arguments for an application under gunicorn's default worker, which closes every connection."""
    return [*_bare(port), "-w", str(world.WORKERS), "-k", "sync", app]


def gthread(app: str, port: int) -> list[str]:
    """Return the arguments for an application under gunicorn's threads, which keep connections."""
    return [*_bare(port), "-w", str(world.WORKERS), *_STOCK, app]


def grouped(app: str, port: int) -> list[str]:
    """Return the arguments for an application under the gateway's own worker."""
    return [*_bare(port), "-w", str(world.WORKERS), "-k", "gateway.server.worker.GroupWorker", app]


def _bare(port: int) -> list[str]:
    here = str(Path(__file__).parent)
    options = ["-b", f"127.0.0.1:{port}", "--pythonpath", here, "--log-level", "warning"]
    # As the gateway has them: neither may be why one is faster.
    return [*options, "--worker-tmp-dir", "/dev/shm", "--backlog", "4096", "--no-control-socket"]


@contextmanager
def running(
    arguments: Sequence[str], environ: Mapping[str, str], *, port: int, log: Path
) -> Iterator[Server]:
    """Run gunicorn for the block. Raises `NotServingError` when it does not come up."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *arguments],
            cwd=ROOT,
            env={**kept, **environ},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_open(process, port, log)
        yield Server(process, port)
    finally:
        _stop(process)


def _wait_until_open(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until all workers have loaded the application: one that imports would take a core from the run."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
            continue
        if _is_calm(process.pid):
            return
    raise NotServingError(f"no server on port {port}:\n{log.read_text()[-3000:]}")


def _is_calm(process_id: int) -> bool:
    workers = psutil.Process(process_id).children()
    before = cpu_seconds(workers)
    time.sleep(0.3)
    return len(workers) == world.WORKERS and cpu_seconds(workers) - before < 0.05


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
