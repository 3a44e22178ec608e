"""Fills a database with people who have joined, through the gateway's own flow, fold and ledger."""

import sys
import time
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

import world
from sqlalchemy import Engine, event

import gateway
from gateway.consent.address import Address, Channel
from gateway.house import House, build_house
from gateway.providers.base import InboundMessage
from gateway.store.engine import is_sqlite
from gateway.store.migrate import upgrade
from gateway.web.accounts import Accounts

GROUP = 4096
_MONTH = 30 * 86_400 * 1_000_000  # microseconds
_CACHE_MIB = 2048
# What decides how rows look: a template that other code has made is not used.
_FORMAT = ("consent/*.py", "store/tables.py", "store/batch.py", "store/migrations/versions/*.py")


def format_digest() -> str:
    """Return a digest of the code that decides what the rows look like."""
    root = Path(gateway.__file__).parent
    digest = blake2b(Path(world.__file__).read_bytes(), digest_size=4)
    for path in sorted(path for pattern in _FORMAT for path in root.glob(pattern)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def fill(database: str, subjects: int, folder: Path) -> None:
    """Migrate the database and record a START of every person, over the last month."""
    path = world.write_settings(
        folder / "preload.toml", database, port=8080, cache_mib=_CACHE_MIB, group=GROUP
    )
    with closing(build_house(world.settings_of(path))) as house:
        upgrade(house.engine)
        _hasten(house.engine)
        _join(house, subjects)


def _hasten(engine: Engine) -> None:
    """Let SQLite write without a log and without waiting: what breaks while it is filled is made anew."""
    if not is_sqlite(engine):
        return

    @event.listens_for(engine, "connect")
    def configure(connection: object, _record: object) -> None:
        for pragma in ("journal_mode=OFF", "synchronous=OFF"):
            connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]  # sqlite3.Connection

    engine.dispose()


def _join(house: House, subjects: int) -> None:
    desk = Accounts(house).desk(world.ACCOUNT)
    began = time.time()
    first, step = time.time_ns() // 1000 - _MONTH, _MONTH // (2 * subjects)
    for start in range(0, subjects, GROUP):
        end = min(start + GROUP, subjects)
        tickets = [
            desk.messages.stage(_start(person), desk, first + person * step) for person in range(start, end)
        ]
        tickets[-1].outcome()
        rate = end / (time.time() - began)
        print(f"\r  {end:,} of {subjects:,} people, {rate:,.0f} a second", end="", file=sys.stderr)
    print(file=sys.stderr)


def _start(person: int) -> InboundMessage:
    origin = world.number(person)
    return InboundMessage(
        message_id=f"SM{person:032x}",
        address=Address(Channel.SMS, origin),
        origin=origin,
        sender=world.SENDER,
        text="START",
    )
