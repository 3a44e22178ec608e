"""Gives each thread its open group, and with it a connection of its own."""

import threading

from sqlalchemy import Engine

from gateway.consent.entry import Entry
from gateway.store.group import Group, Observer, Ticket
from gateway.store.ledger import Ledger, LedgerRules, open_ledger


class Recorder:
    """Stages entries. Safe to share between threads; connections open at first use, so after a fork."""

    def __init__(self, engine: Engine, rules: LedgerRules, *, group_limit: int, observer: Observer) -> None:
        self._engine = engine
        self._rules = rules
        self._group_limit = group_limit
        self._observer = observer
        self._local = threading.local()
        self._ledgers: list[Ledger] = []

    def stage(self, entry: Entry) -> Ticket:
        """Add the entry to this thread's group and return its ticket."""
        try:
            group: Group = self._local.group
        except AttributeError:
            group = self._local.group = self._new_group()
        return group.stage(entry)

    def close(self) -> None:
        """Give all connections back."""
        while self._ledgers:
            self._ledgers.pop().close()
        self._local = threading.local()

    def _new_group(self) -> Group:
        ledger = open_ledger(self._engine, self._rules)
        self._ledgers.append(ledger)
        return Group(ledger.record, self._group_limit, self._observer)
