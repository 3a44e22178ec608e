"""What each step of a complete STOP costs in one process, microseconds a request, by the size of the group.

    .venv/bin/python bench/steps.py [--engine postgres] [--subjects 1000000]

The database's statements are timed where the driver is called; nothing else is wrapped, and there is no
profiler. "whole" is the way from a WSGI call to the bytes of the answer, measured on its own. On PostgreSQL
the commit travels with the statements, so it is part of "write".
"""

import argparse
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

import prepared
import psycopg
import world
from databases import Databases, PostgresDatabases, SqliteDatabases, alone
from flask import Flask
from sqlalchemy import Engine, event

from gateway.app import create_app
from gateway.house import House
from gateway.store.engine import is_sqlite
from gateway.store.ledger import now_microseconds
from gateway.web.accounts import Accounts
from gateway.web.wire import webhook_request

_OUT = Path(__file__).with_name("out")
_PORT = 8765
_ENGINES: dict[str, type[Databases]] = {"sqlite": SqliteDatabases, "postgres": PostgresDatabases}
_GROUPS = (1, 8, 32, 128)
_REQUESTS = 4096  # for each column, half of them the whole way
_STEPS = (
    "verify and parse",
    "read the text",
    "stage",
    "begin",
    "load the persons",
    "fold, rows, metrics",
    "write",
    "commit",
    "answer",
    "sum",
    "whole",
    "whole, CPU",
)
_Environ = dict[str, Any]


class Stopwatch:
    """Seconds of each step within the present group, and those of the groups before."""

    def __init__(self) -> None:
        self.now: dict[str, float] = defaultdict(float)
        self.groups: list[dict[str, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time of the block to a step."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.now[name] += time.perf_counter() - began

    def end_group(self, size: int) -> None:
        """Keep the group as microseconds for each request."""
        self.groups.append({name: seconds / size * 1e6 for name, seconds in self.now.items()})
        self.now.clear()

    def medians(self) -> dict[str, float]:
        """Return the median of each step over the groups."""
        return {name: median(group.get(name, 0.0) for group in self.groups) for name in _STEPS}


WATCH = Stopwatch()


class TimedCursor(sqlite3.Cursor):
    """SQLite looks for rows while they are fetched."""

    def fetchall(self) -> list[Any]:
        with WATCH.step("load the persons"):
            return super().fetchall()


class TimedSqlite(sqlite3.Connection):
    """Times the statements of the hot path by their first word."""

    _steps = {"BEGIN": "begin", "SELECT": "load the persons", "COMMIT": "commit"}  # noqa: RUF012 - constant

    def execute(self, query: str, parameters: Any = ()) -> sqlite3.Cursor:
        with WATCH.step(self._steps.get(query.split(" ", 1)[0], "other")):
            return self.cursor(TimedCursor).execute(query, parameters)

    def executemany(self, query: str, parameters: Any) -> sqlite3.Cursor:
        with WATCH.step("write"):
            return super().executemany(query, parameters)


class TimedPostgres(psycopg.Connection[Any]):
    """Times the reading trip, and the pipeline that writes and commits."""

    _piped = False

    def execute(self, *given: Any, **named: Any) -> psycopg.Cursor[Any]:
        if self._piped:
            return super().execute(*given, **named)
        with WATCH.step("load the persons"):
            return super().execute(*given, **named)

    @contextmanager
    def pipeline(self) -> Iterator[psycopg.Pipeline]:
        self._piped = True
        try:
            with WATCH.step("write"), super().pipeline() as pipeline:
                yield pipeline
        finally:
            self._piped = False


def main() -> None:
    """Print a table."""
    options = _options()
    columns = {}
    with alone(_OUT):
        databases = _ENGINES[options.engine](_OUT, options.subjects)
        databases.prepare()
        for size in _GROUPS:
            with databases.copied() as url, tempfile.TemporaryDirectory(dir=_OUT, prefix="steps-") as folder:
                columns[size] = _measured(url, Path(folder), options.subjects, size)
    print(f"| step, {options.engine}, {options.subjects:,} people | {' | '.join(map(str, _GROUPS))} |")
    print(f"| --- |{' --- |' * len(_GROUPS)}")
    for name in _STEPS:
        print(f"| {name} | {' | '.join(f'{columns[size][name]:.1f}' for size in _GROUPS)} |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=list(_ENGINES), default="sqlite")
    parser.add_argument("--subjects", type=int, default=1_000_000)
    return parser.parse_args()


def _measured(url: str, folder: Path, subjects: int, size: int) -> dict[str, float]:
    config = world.write_settings(folder / "gateway.toml", url, port=_PORT)
    environs = [_environ(raw) for raw in _raw_requests(folder, subjects)]
    app = create_app(world.settings_of(config))
    house: House = app.extensions["gateway"]
    groups = [environs[start : start + size] for start in range(0, len(environs), size)]
    groups = groups[: len(groups) // 2 * 2]
    WATCH.groups.clear()
    _time_statements(house.engine)
    with closing(house):
        for taken, whole in zip(groups[::2], groups[1::2], strict=True):
            seconds, cpu = _whole(app, whole)
            WATCH.now.clear()
            _step_by_step(house, taken)
            WATCH.now["sum"] = sum(WATCH.now.values())
            WATCH.now |= {"whole": seconds, "whole, CPU": cpu}
            WATCH.end_group(size)
    return WATCH.medians()


def _whole(app: Flask, environs: Sequence[_Environ]) -> tuple[float, float]:
    """Answer the requests as the worker does: all calls first, then the bodies.

    Returns the seconds, and those in which this process had a core.
    """
    began, cpu = time.perf_counter(), time.process_time()
    for body in [app.wsgi_app(environ, _start_response) for environ in environs]:
        b"".join(body)
    return time.perf_counter() - began, time.process_time() - cpu


def _step_by_step(house: House, environs: Sequence[_Environ]) -> None:
    desk = Accounts(house).desk(world.ACCOUNT)
    with WATCH.step("verify and parse"):
        messages = [
            desk.provider.receive(webhook_request(environ, desk.base, environ["wsgi.input"].read())).messages[
                0
            ]
            for environ in environs
        ]
    reader = house.book.desk(world.SENDER).reader
    with WATCH.step("read the text"):
        for message in messages:
            reader.read(message.text)
    received_at = now_microseconds()
    with WATCH.step("stage"):
        tickets = [desk.messages.stage(message, desk, received_at) for message in messages]
    WATCH.now["stage"] -= WATCH.now["read the text"]  # which staging does as well
    began, before = time.perf_counter(), sum(WATCH.now.values())
    tickets[0].outcome()
    in_driver = sum(WATCH.now.values()) - before
    WATCH.now["fold, rows, metrics"] = time.perf_counter() - began - in_driver
    with WATCH.step("answer"):
        for ticket in tickets:
            reply = ticket.outcome().reply
            desk.provider.answer((reply.text,) if reply else ())


def _start_response(status: str, _headers: object, _trouble: object = None) -> Callable[[bytes], None]:
    assert status == "200 OK", status
    return lambda _: None


def _time_statements(engine: Engine) -> None:
    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, arguments: Any, options: Any) -> object:
        if is_sqlite(engine):
            options["factory"] = TimedSqlite
            return None
        return TimedPostgres.connect(*arguments, **options)


def _environ(raw: bytes) -> _Environ:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        f"HTTP_{name.upper().replace('-', '_')}": text
        for name, text in (line.split(": ", 1) for line in lines)
    }
    return headers | {
        "REQUEST_METHOD": method,
        "PATH_INFO": target,
        "RAW_URI": target,
        "QUERY_STRING": "",
        "CONTENT_TYPE": headers["HTTP_CONTENT_TYPE"],
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(_PORT),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
    }


def _raw_requests(folder: Path, subjects: int) -> list[bytes]:
    made = prepared.stops(folder / "stops", _REQUESTS, subjects=subjects, port=_PORT)
    return made.path.read_bytes().split(prepared.SEPARATOR)


if __name__ == "__main__":
    main()
