"""Real workers, several at once on PostgreSQL, killed between claim and settle: a reply at most once, a forward at last."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from support.entries import KEY, entry
from support.listening import Listener, listening, reply
from support.outgoing import SECRET, forward
from support.server import MASTER

from gateway.consent.entry import Reply
from gateway.store.engine import is_sqlite, open_engine, writing
from gateway.store.ledger import LedgerRules, now_microseconds, open_ledger

ITEMS, KILLS = 40, 4
SETTINGS = """
[database]
url = "{url}"
[keys]
master = "{master}"
[outgoing]
allow = ["127.0.0.1"]
[accounts.acme]
provider = "kannel"
url_secrets = ["a-secret-in-the-url"]
reply_by = "api"
sendsms_url = "http://127.0.0.1:{port}/reply"
username = "u"
password = "p"
forward_to = "http://127.0.0.1:{port}/forward"
forward_secret = "{secret}"
"""


class Workers:
    """Processes that deliver one outbox."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self.processes = [self._start() for _ in range(number)]

    def _start(self) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "gateway.cli",
            "--config",
            str(self._folder / "gateway.toml"),
            "worker",
        ]
        with (self._folder / "worker.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, number: int) -> None:
        """SIGKILL, and start another in its place."""
        self.processes[number].kill()
        self.processes[number].wait()
        self.processes[number] = self._start()

    def stop(self) -> bool:
        """SIGTERM; tell whether all ended well. One that is still loading has begun nothing, and no handler."""
        for process in self.processes:
            process.terminate()
        codes = {process.wait(30) for process in self.processes}
        return 0 in codes and codes <= {0, -signal.SIGTERM}

    def log(self) -> str:
        return (self._folder / "worker.log").read_text()


@pytest.fixture
def other_side() -> Iterator[Listener]:
    with listening() as found:
        yield found


@pytest.fixture
def workers(database_url: str, other_side: Listener, tmp_path: Path) -> Iterator[Workers]:
    config = SETTINGS.format(url=database_url, master=MASTER, port=other_side.port, secret=SECRET)
    (tmp_path / "gateway.toml").write_text(config)
    engine = open_engine(database_url)
    found = Workers(tmp_path, 1 if is_sqlite(engine) else 3)
    engine.dispose()
    yield found
    for process in found.processes:
        process.kill()
        process.wait()


def fill(engine: Engine) -> None:
    now = now_microseconds()
    ledger = open_ledger(engine, LedgerRules(KEY, reply_max_age=3_600_000_000))
    for number in range(ITEMS):
        words = Reply("help", f"reply {number}", inline=False)
        said = entry(number, None, klass="help", account="acme", at=now, reply=words)
        sent = forward(account="acme", subject=said.subject, body=b"forward %d" % number, received_at=now)
        ledger.record([said], [sent.row()])
    ledger.close()


def count(engine: Engine, condition: str) -> int:
    with engine.connect() as connection:
        query = " + ".join(
            f"(SELECT count(*) FROM {table} WHERE {condition})" for table in ("outbox", "forwards")
        )
        return int(connection.execute(text(f"SELECT {query}")).scalar_one())


def age(engine: Engine) -> None:
    """Let three minutes pass for what the killed ones left behind, and the pauses after it."""
    with writing(engine) as connection:
        for table in ("outbox", "forwards"):
            connection.execute(
                text(f"UPDATE {table} SET changed_at = changed_at - 180000000 WHERE state = 'sending'")
            )
        connection.execute(text("UPDATE forwards SET due_at = 0 WHERE state = 'due'"))


def wait(condition, workers: Workers, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, workers.log()[-3000:]
        time.sleep(0.05)


def test_killed_workers_send_no_reply_twice_and_lose_no_forward(
    engine: Engine, other_side: Listener, workers: Workers
):
    chance = random.Random(7)
    in_hand = threading.Event()

    def answer(handler) -> None:
        in_hand.set()
        time.sleep(0.05)
        reply(handler, 202, b"0: Accepted for delivery")

    other_side.answer = answer
    fill(engine)
    for _ in range(KILLS):
        in_hand.clear()
        assert in_hand.wait(60), workers.log()[-3000:]
        workers.kill(chance.randrange(len(workers.processes)))
    wait(lambda: count(engine, "state = 'due' AND attempts = 0") == 0, workers)
    wait(lambda: age(engine) or count(engine, "state IN ('due', 'sending')") == 0, workers)
    assert workers.stop()

    replies = Counter(seen.body for seen in other_side.seen if seen.target == "/reply")
    forwards = Counter(seen.body for seen in other_side.seen if seen.target == "/forward")
    assert max(replies.values()) == 1
    assert set(forwards) == {b"forward %d" % number for number in range(ITEMS)}
    with engine.connect() as connection:
        ends = Counter(
            ("unknown" if row.result == "unknown" else row.state)
            for row in connection.execute(text("SELECT state, result FROM outbox"))
        )
        states = set(connection.execute(text("SELECT state FROM forwards")).scalars())
    assert states == {"done"}
    unknown = ends["unknown"]
    # Whatever nobody knows of is told so; all others have arrived.
    assert ITEMS - unknown <= len(replies) <= ITEMS
    assert sum(ends.values()) == ITEMS
    assert ends["done"] == ITEMS - unknown


def test_a_worker_that_is_told_to_stop_finishes_what_it_has_begun(
    engine: Engine, other_side: Listener, workers: Workers
):
    begun = threading.Event()

    def answer(handler) -> None:
        begun.set()
        time.sleep(0.5)
        reply(handler, 202, b"0: Accepted for delivery")

    other_side.answer = answer
    fill(engine)
    assert begun.wait(60), workers.log()[-3000:]
    assert workers.stop()
    assert count(engine, "state = 'sending'") == 0
    assert count(engine, "state = 'done'") == len(other_side.seen) > 0
    assert count(engine, "state = 'due' AND attempts = 0") == 2 * ITEMS - len(other_side.seen)
