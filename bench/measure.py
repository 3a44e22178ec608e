"""One run of one setup: a fresh server on a fresh database, a request to see that it works, warmth, load."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import prepared
import reference_tutorial
import servers
import world
import wrk
from databases import Databases
from setups import SETUPS, Setup, Stack, Store, Wire
from sqlalchemy import text

from gateway.house import build_house
from gateway.store.engine import open_engine
from gateway.store.ledger import now_microseconds
from gateway.store.tokens import create_token
from gateway.web.guard import TokenScope

WARM_SECONDS = 1
_MOST_RATE = 30_000  # requests a second for which there are messages enough; beyond it a run is marked
_READS = 60_000  # reads may repeat themselves
_APPS = {
    Stack.TUTORIAL: (servers.gthread, "reference_tutorial:create_app()"),
    Stack.EMPTY_GTHREAD: (servers.gthread, "reference_empty:app"),
    Stack.EMPTY_SYNC: (servers.sync, "reference_empty:app"),
    Stack.TRIVIAL: (servers.grouped, "reference_trivial:app"),
}
_EXPECTED = {Wire.STOP: b"unsubscribed", Wire.ONE_CLICK: b"Unsubscribed.", Wire.STATUS: b'"choice":"y"'}
_COUNTS = {
    Stack.GATEWAY: "SELECT count(*) FROM events WHERE recorded_at > :since",
    Stack.TUTORIAL: "SELECT count(*) FROM messages WHERE :since > 0",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a setup. `missing`: acknowledged, but without a row. CPU: microseconds for each request."""

    setup: str
    rate: float
    refused: int
    broken: int
    missing: int
    repeated: bool  # there were not messages enough, so that some came twice
    generator_cores: float
    server_us: float
    database_us: float


@dataclass(frozen=True, slots=True)
class Pace:
    """One run at a fixed rate: milliseconds from the time at which a request was due."""

    setup: str
    rate: float
    p50: float
    p99: float
    most: float
    unanswered: int
    refused: int
    generator_cores: float


class Range:
    """Everything that the runs have in common; use it as a context manager."""

    def __init__(self, folder: Path, engines: dict[Store, Databases], *, port: int, seconds: int) -> None:
        self.folder = folder
        self.port = port
        self.seconds = seconds
        self.engines = engines
        self._stack = ExitStack()
        self._read_only = ""
        self.wires: dict[Wire, prepared.Prepared] = {}

    def __enter__(self) -> Self:
        count = (self.seconds + WARM_SECONDS + 1) * _MOST_RATE
        subjects = self.engines[Store.SQLITE].subjects
        self._read_only = self._stack.enter_context(self.engines[Store.SQLITE].copied())
        config = world.write_settings(self.folder / "prepare.toml", self._read_only, port=self.port)
        with closing(build_house(world.settings_of(config))) as house:
            token = create_token(
                house.engine,
                name="bench",
                scopes=[TokenScope.READ],
                actor="bench",
                now=now_microseconds(),
            )
            links = prepared.one_clicks(self.folder / "links", count, house=house, port=self.port)
        self.wires = {
            Wire.STOP: prepared.stops(self.folder / "stops", count, subjects=subjects, port=self.port),
            Wire.ONE_CLICK: links,
            Wire.STATUS: prepared.statuses(
                self.folder / "reads", _READS, subjects=subjects, token=token, port=self.port
            ),
        }
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def sample(self, name: str) -> Sample:
        """Measure the highest rate of a setup."""
        setup = SETUPS[name]
        wire = self.wires[setup.wire]
        with self.database(setup) as url, self.server(setup, url) as server:
            since = now_microseconds()
            self._try(setup, server)
            warm = wrk.drive(
                wire, port=self.port, connections=setup.connections, seconds=WARM_SECONDS, start=1
            )
            start = 1 + warm.answered + 2 * setup.connections
            before = self._cpu(setup, server)
            load = wrk.drive(
                wire, port=self.port, connections=setup.connections, seconds=self.seconds, start=start
            )
            after = self._cpu(setup, server)
            acknowledged = 1 + warm.answered - warm.refused + load.answered - load.refused
            missing = max(0, acknowledged - self._rows(setup, url, since, acknowledged))
        per_request = 1e6 / max(1, load.answered)
        return Sample(
            setup=name,
            rate=load.rate,
            refused=warm.refused + load.refused,
            broken=load.broken,
            missing=missing,
            repeated=_is_kept(setup) and start + load.answered > wire.count,
            generator_cores=load.cpu,
            server_us=(after[0] - before[0]) * per_request,
            database_us=(after[1] - before[1]) * per_request,
        )

    def pace(self, name: str, rate: float) -> Pace:
        """Measure the latencies of a setup at a rate."""
        setup = SETUPS[name]
        with self.database(setup) as url, self.server(setup, url) as server:
            self._try(setup, server)
            self.open_loop(setup, rate=rate, seconds=WARM_SECONDS, start=1)
            start = int(rate * WARM_SECONDS) + 1
            found = self.open_loop(setup, rate=rate, seconds=self.seconds, start=start)
        expected = int(rate * self.seconds)
        return Pace(
            setup=name,
            rate=rate,
            p50=found["p50"],
            p99=found["p99"],
            most=found["most"],
            unanswered=expected - int(found["answered"]),
            refused=int(found["refused"]),
            generator_cores=found["generator_cores"],
        )

    def open_loop(self, setup: Setup, *, rate: float, seconds: float, start: int) -> dict[str, float]:
        """Send at a rate and return the summary."""
        return summary_of(self.begin_open_loop(setup, rate=rate, seconds=seconds, start=start))

    def begin_open_loop(
        self, setup: Setup, *, rate: float, seconds: float, start: int, acknowledged: Path | None = None
    ) -> subprocess.Popen[str]:
        """Start the open loop as a process of its own and return when its load begins."""
        options: dict[str, object] = {"port": self.port, "rate": rate, "seconds": seconds, "start": start}
        options["connections"] = setup.connections
        if acknowledged is not None:
            options["acknowledged"] = acknowledged
        script, requests = Path(__file__).with_name("open_loop.py"), self.wires[setup.wire].path
        command = [sys.executable, str(script), str(requests)]
        command += [f"--{name}={value}" for name, value in options.items()]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    @contextmanager
    def database(self, setup: Setup) -> Iterator[str]:
        """Give what the setup starts from: a copy of the template, an empty database, or nothing."""
        if setup.store is Store.NONE:
            yield ""
        elif setup.wire is Wire.STATUS:
            yield self._read_only
        elif setup.stack is Stack.TUTORIAL:
            with self.engines[setup.store].empty() as url:
                reference_tutorial.create_tables(url)
                yield url
        else:
            with self.engines[setup.store].copied() as url:
                yield url

    @contextmanager
    def server(self, setup: Setup, url: str) -> Iterator[servers.Server]:
        """Run the setup's server for the block."""
        environ = {"BENCH_DATABASE_URL": url, "TWILIO_AUTH_TOKEN": world.AUTH_TOKEN}
        if setup.stack is Stack.GATEWAY:
            arguments = servers.product()
            config = world.write_settings(self.folder / "gateway.toml", url, port=self.port)
            environ["GATEWAY_CONFIG"] = str(config)
        else:
            command, app = _APPS[setup.stack]
            arguments = command(app, self.port)
        with servers.running(arguments, environ, port=self.port, log=self.folder / "server.log") as server:
            yield server

    def _try(self, setup: Setup, server: servers.Server) -> None:
        own = setup.stack in (Stack.GATEWAY, Stack.TUTORIAL)
        expect = _EXPECTED[setup.wire] if own else b"<Response"
        server.ask(self.wires[setup.wire].first(), expect=expect)
        time.sleep(0.2)

    def _cpu(self, setup: Setup, server: servers.Server) -> tuple[float, float]:
        """Return the CPU seconds of the web processes, and of the database's."""
        own = self.engines[setup.store].process_id if setup.store in self.engines else None
        return servers.cpu_seconds(server.tree()), servers.cpu_seconds(servers.processes_of(own))

    @staticmethod
    def _rows(setup: Setup, url: str, since: int, expected: int) -> int:
        if not _is_kept(setup):
            return expected
        engine = open_engine(url)
        with engine.connect() as connection:
            count = int(connection.execute(text(_COUNTS[setup.stack]), {"since": since}).scalar_one())
        engine.dispose()
        return count


def summary_of(process: subprocess.Popen[str]) -> dict[str, float]:
    """Wait for an open loop and return its summary."""
    shown, _ = process.communicate()
    found: dict[str, float] = json.loads(shown)
    return found


def _is_kept(setup: Setup) -> bool:
    """Tell whether each request leaves a row, so that it must be a new one."""
    return setup.stack in _COUNTS and setup.wire is not Wire.STATUS
