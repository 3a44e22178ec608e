"""Kills the real server under load, again and again, and compares what it said with what it kept."""

import itertools
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr
from sqlalchemy import select
from support.databases import FragilePostgres, sqlite_url
from support.load import Journal, Load
from support.server import MASTER, Server

from gateway.flows.verify_ledger import verify_ledger
from gateway.keys import Keys
from gateway.settings import KeySettings
from gateway.store.engine import open_engine
from gateway.store.migrate import upgrade
from gateway.store.tables import events

Found = TypeVar("Found")

ENGINES = ("sqlite", "postgresql")
DEFAULT_ROUNDS = 50

# Who is killed, and how often in ten rounds.
_WORKER, _ALL, _BACKEND, _DATABASE = (
    "one worker",
    "all processes",
    "a database backend",
    "the database server",
)
_SHARES = {
    "sqlite": {_WORKER: 9, _ALL: 1},
    "postgresql": {_WORKER: 6, _ALL: 1, _BACKEND: 2, _DATABASE: 1},
}


@dataclass
class Findings:
    """What came of a run. Each list should be empty; ids of messages unless said otherwise."""

    seed: int
    kills: dict[str, int]
    seconds: float
    taken: int = 0  # messages that got a 2xx
    tried_again: int = 0  # messages that needed more than one delivery
    replies: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)  # got a 2xx, and are not in the ledger
    doubled: list[str] = field(default_factory=list)  # twice in the ledger
    invented: list[str] = field(default_factory=list)  # in the ledger, and nobody sent them
    refused: list[str] = field(default_factory=list)  # never taken, however often they came
    answered_twice: list[str] = field(default_factory=list)  # more than one reply
    faults: list[str] = field(default_factory=list)  # of the ledger's verification

    def __str__(self) -> str:
        shown = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(shown, indent=1)


def rounds_wanted(default: int = DEFAULT_ROUNDS) -> int:
    """Return the number of kills: GATEWAY_CRASH_ROUNDS."""
    return int(os.environ.get("GATEWAY_CRASH_ROUNDS") or default)


def seed_wanted() -> int:
    """Return the seed of victims, moments and messages: GATEWAY_CRASH_SEED, else a new one."""
    return int(os.environ.get("GATEWAY_CRASH_SEED") or random.SystemRandom().randrange(1_000_000))


@contextmanager
def fragile_database(engine: str, folder: Path) -> Iterator[tuple[str, FragilePostgres | None]]:
    """Give the URL of a migrated database that is ours to break, and its server."""
    if engine == "sqlite":
        yield sqlite_url(folder), None
        return
    with FragilePostgres.open() as postgres:
        opened = open_engine(postgres.url)
        upgrade(opened)
        opened.dispose()
        yield postgres.url, postgres


def crash(engine: str, folder: Path, *, rounds: int, seed: int, worker_class: str | None = None) -> Findings:
    """Run a server under load, kill something in each round, then compare. Fails when it does not come back."""
    print(f"\ncrash on {engine}: {rounds} rounds, GATEWAY_CRASH_SEED={seed}")
    with ExitStack() as stack:
        url, postgres = stack.enter_context(fragile_database(engine, folder))
        options = ("--threads", "4") if worker_class == "gthread" else ()
        server = Server(folder, url, worker_class=worker_class, options=options)
        stack.enter_context(server)
        started = time.monotonic()
        with Load(server.url, random.Random(seed)) as load:
            kills = Killer(server, postgres, random.Random(seed)).kill(_plan(engine, rounds, seed), load)
        server.stop()
        findings = Findings(seed, kills, round(time.monotonic() - started, 1))
        compare(load.journal, url, findings)
    print(findings)
    return findings


class Killer:
    """Kills with SIGKILL, and brings back what does not come back by itself."""

    def __init__(self, server: Server, postgres: FragilePostgres | None, rng: random.Random) -> None:
        self._server = server
        self._postgres = postgres
        self._rng = rng

    def kill(self, plan: list[str], load: Load) -> dict[str, int]:
        """Kill at random moments under load; every third time while the server may still be coming back."""
        ways = {_WORKER: self._worker, _ALL: self._all, _BACKEND: self._backend, _DATABASE: self._database}
        load.wait_for(50)
        for number, victim in enumerate(plan):
            if number % 3:
                load.wait_for(self._rng.randrange(1, 20))
            time.sleep(self._rng.uniform(0, 0.3))
            ways[victim]()
        load.wait_for(50)
        return dict(Counter(plan))

    def _worker(self) -> None:
        """gunicorn's master starts another."""
        pids = _until(self._server.worker_pids)
        os.kill(self._rng.choice(pids), signal.SIGKILL)

    def _all(self) -> None:
        self._server.kill()
        self._server.launch()

    def _backend(self) -> None:
        """PostgreSQL ends all others too, and recovers."""
        assert self._postgres is not None
        _until(self._postgres.kill_backend)

    def _database(self) -> None:
        assert self._postgres is not None
        self._postgres.kill()
        time.sleep(self._rng.uniform(0, 0.3))
        self._postgres.start()


def _plan(engine: str, rounds: int, seed: int) -> list[str]:
    """Return the victims in their order: each kind at least once, else by its share."""
    shares = _SHARES[engine]
    others = [victim for victim, share in shares.items() for _ in range(share - 1)]
    plan = list(itertools.islice(itertools.cycle([*shares, *others]), rounds))
    random.Random(seed).shuffle(plan)
    return plan


def _until(look: Callable[[], Found], seconds: float = 30.0) -> Found:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"{look} finds nobody to kill"
        time.sleep(0.01)
    return found


def compare(journal: Journal, url: str, findings: Findings) -> None:
    """Compare what the clients saw with what the ledger holds."""
    opened = open_engine(url)
    with opened.connect() as connection:
        kept = Counter(connection.execute(select(events.c.message_id)).scalars())
    keys = Keys.of(KeySettings(master=SecretStr(MASTER)))
    findings.faults = [str(fault) for fault in verify_ledger(opened, keys).faults]
    opened.dispose()
    sent, taken, replies = {message.sid for message in journal.sent}, set(journal.taken), journal.replies()
    tries = Counter(sid for sid, _, _ in journal.answers)
    findings.taken = len(taken)
    findings.tried_again = sum(number > 1 for number in tries.values())
    findings.replies = replies.total()
    findings.statuses = {str(status): number for status, number in journal.statuses().items()}
    findings.lost = sorted(taken - kept.keys())
    findings.doubled = sorted(sid for sid, number in kept.items() if number > 1)
    findings.invented = sorted(kept.keys() - sent)
    findings.refused = sorted(m.sid for m in journal.sent if not m.is_given_up and m.sid not in taken)
    findings.answered_twice = sorted(sid for sid, number in replies.items() if number > 1)
