"""Gives each thread its open group, and with it a connection of its own."""

import threading
import weakref
from collections.abc import Sequence

from sqlalchemy import Engine

from gateway.consent.entry import Entry
from gateway.store.engine import is_sqlite
from gateway.store.forwards import Forward
from gateway.store.group import Group, Observer, Ticket
from gateway.store.ledger import Ledger, LedgerRules, open_ledger
from gateway.store.sqlite_log import LogKeeper


class _Line:
    """A thread's group and ledger. When the thread ends, its connection is given back."""

    __slots__ = ("__weakref__", "group", "hang_up")

    def __init__(self, ledger: Ledger, group_limit: int, observer: Observer) -> None:
        self.group = Group(ledger.record, group_limit, observer)
        self.hang_up = weakref.finalize(self, ledger.close)


class Recorder:
    """Stages entries. Safe to share between threads; connections open at first use, so after a fork."""

    def __init__(self, engine: Engine, rules: LedgerRules, *, group_limit: int, observer: Observer) -> None:
        self._engine = engine
        self._rules = rules
        self._group_limit = group_limit
        self._observer = observer
        self._log = LogKeeper(engine) if is_sqlite(engine) else None
        self._local = threading.local()
        self._lines: weakref.WeakSet[_Line] = weakref.WeakSet()

    def stage(self, entry: Entry) -> Ticket:
        """Add the entry to this thread's group and return its ticket."""
        return self._group().stage(entry)

    def stage_forward(self, forward: Forward, of: Sequence[Ticket]) -> Ticket:
        """Add a webhook to forward to this thread's group. `of`: the tickets of what it brought."""
        return self._group().stage_forward(forward, of)

    def close(self) -> None:
        """Give all connections back."""
        for line in list(self._lines):
            line.hang_up()
        self._local = threading.local()
        if self._log is not None:
            self._log.close()

    def _group(self) -> Group:
        try:
            line: _Line = self._local.line
        except AttributeError:
            line = self._local.line = self._new_line()
        return line.group

    def _new_line(self) -> _Line:
        wrote = None if self._log is None else self._log.wrote
        line = _Line(open_ledger(self._engine, self._rules, wrote), self._group_limit, self._observer)
        self._lines.add(line)
        return line
