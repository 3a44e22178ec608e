"""One round of killing: workers die under load, then everything. No message that got a 2xx may be missing."""

import time
from contextlib import suppress
from dataclasses import dataclass

import psutil
import servers
from measure import Range, summary_of
from setups import SETUPS
from sqlalchemy import text

from gateway.store.engine import open_engine

_SECONDS = 6.0
_WORKER_DEATHS = (1.0, 2.5)  # seconds after the load began
_END = 5.0
_RATE = 1500.0


@dataclass(frozen=True, slots=True)
class Killing:
    """What was acknowledged, and how much of it the ledger lacks. `broken`: cut off without an answer."""

    setup: str
    acknowledged: int
    lost: int
    broken: int


def kill_round(ground: Range, name: str) -> Killing:
    """Kill under load with SIGKILL and compare the message ids of all 2xx answers with the ledger."""
    setup = SETUPS[name]
    wire = ground.wires[setup.wire]
    answers = ground.folder / "acknowledged"
    with ground.database(setup) as url:
        with ground.server(setup, url) as server:
            load = ground.begin_open_loop(setup, rate=_RATE, seconds=_SECONDS, start=0, acknowledged=answers)
            _reap(server)
            found = summary_of(load)
        acknowledged = {wire.ids[int(number)] for number in answers.read_text().split()}
        lost = acknowledged - _recorded(url)
    return Killing(name, len(acknowledged), len(lost), int(found["broken"]))


def _reap(server: servers.Server) -> None:
    began = time.monotonic()
    for after in _WORKER_DEATHS:
        time.sleep(max(0.0, began + after - time.monotonic()))
        workers = server.tree()[1:]
        if workers:
            _kill(workers[0])
    time.sleep(max(0.0, began + _END - time.monotonic()))
    for process in server.tree():
        _kill(process)


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()


def _recorded(url: str) -> set[str]:
    engine = open_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT message_id FROM events")).scalars().all()
    engine.dispose()
    return set(rows)
