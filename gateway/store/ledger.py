"""Records entries durably: reads the persons, folds in memory, writes and commits. One engine, one subclass."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from gateway.consent.chain import SALT_BYTES
from gateway.consent.entry import Entry, Outcome
from gateway.consent.listed import ListedSender
from gateway.consent.person import ReplyLimits
from gateway.errors import OurTroubleError
from gateway.store.batch import Batch, Claim, Fold, fold, persons_of
from gateway.store.engine import is_sqlite
from gateway.store.group import PoisonError
from gateway.store.statements import Row

_TRIES = 24
_FIRST_PAUSE = 0.001


def now_microseconds() -> int:
    """Return the time of the system's clock, microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class LedgerRules:
    """What the ledger is told by the configuration."""

    key: bytes = field(repr=False)
    limits: ReplyLimits = field(default_factory=ReplyLimits)
    reply_max_age: int = 300_000_000  # microseconds; 47 CFR 64.1200(a)(12): five minutes
    clock: Callable[[], int] = now_microseconds
    listed: tuple[ListedSender, ...] = ()  # whose providers' lists are told of words


class ConflictError(Exception):
    """Another process wrote first, or a claim is taken: read again and retry."""


class Ledger(ABC):
    """Writes for one thread of one process over one connection, opened at first use."""

    def __init__(self, engine: Engine, rules: LedgerRules) -> None:
        self._engine = engine
        self._rules = rules

    def record(self, entries: Sequence[Entry], forwards: Sequence[Row] = ()) -> list[Outcome]:
        """Record the entries in one durable transaction and return their outcomes in the same order.

        `forwards` (`statements.FORWARD_COLUMNS`) are kept in the same transaction.

        Raises `PoisonError` when the database refuses the data, `OurTroubleError` when it cannot be
        reached, is too slow, or too many others write the same persons.
        """
        for attempt in range(_TRIES):
            try:
                # Taken claims are rare: look for them only after the database has refused one.
                return self._attempt(entries, forwards, careful=attempt > 0)
            except ConflictError:
                time.sleep(_FIRST_PAUSE * attempt)
            except UnicodeEncodeError as error:
                raise PoisonError("an entry holds text that cannot be stored") from error
        raise OurTroubleError("too many writers on the same person")

    @abstractmethod
    def _attempt(self, entries: Sequence[Entry], forwards: Sequence[Row], *, careful: bool) -> list[Outcome]:
        """Record once; raise `ConflictError` when others were faster."""

    @abstractmethod
    def close(self) -> None:
        """Give the connection back."""

    def _folded(
        self, entries: Sequence[Entry], forwards: Sequence[Row], rows: Iterable[Row], claimed: Iterable[Claim]
    ) -> Batch:
        batch = fold(entries, persons_of(rows), claimed, self._how(entries)) if entries else Batch()
        if forwards:
            batch.forwards = sorted(forwards)
        return batch

    def _how(self, entries: Sequence[Entry]) -> Fold:
        # A clock that was set back must not make an event older than its receipt.
        latest = max(entry.received_at for entry in entries)
        return Fold(
            key=self._rules.key,
            recorded_at=max(self._rules.clock(), latest),
            limits=self._rules.limits,
            salts=os.urandom(SALT_BYTES * len(entries)),
            reply_max_age=self._rules.reply_max_age,
            listed=self._rules.listed,
        )


def open_ledger(engine: Engine, rules: LedgerRules, wrote: Callable[[int], None] | None = None) -> Ledger:
    """Return the ledger of the engine's kind. One on SQLite tells `wrote` how many events it has committed."""
    from gateway.store.postgres_ledger import PostgresLedger  # noqa: PLC0415 - the subclasses import this module
    from gateway.store.sqlite_ledger import SqliteLedger  # noqa: PLC0415 - likewise

    return SqliteLedger(engine, rules, wrote) if is_sqlite(engine) else PostgresLedger(engine, rules)
