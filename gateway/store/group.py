"""The open group: entries, and webhooks to forward, that wait for one commit together.

A flow stages an entry and gets a ticket. Whoever first asks a ticket for its outcome commits the whole
group. Under a server that iterates response bodies after a round of calls, everything that arrived in that
round shares one durable commit; under any other server a group holds one entry.
"""

from collections.abc import Sequence
from time import perf_counter
from typing import Protocol

from gateway.consent.entry import Entry, Outcome, Result
from gateway.errors import OurTroubleError
from gateway.store.forwards import Forward
from gateway.store.statements import Row

_SLOW_SECONDS = 0.5
_PAUSE_SECONDS = 0.25

_KEPT = Outcome(Result.UNCHANGED)  # of a forward: the ledger has no more than before


class Record(Protocol):
    """Makes a group durable."""

    def __call__(self, entries: Sequence[Entry], forwards: Sequence[Row] = ()) -> list[Outcome]:
        """Return the outcomes of the entries; `forwards` are kept in the same transaction."""


class Observer(Protocol):
    """Counts what becomes of groups."""

    def committed(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Count a group that is durable."""

    def failed(self, entries: int) -> None:
        """Count entries that could not be recorded."""


class PoisonError(OurTroubleError):
    """The database refuses what is in the group, not the connection: one of its entries is to blame."""


class Ticket:
    """The place of one entry or forward in a group, and later its outcome."""

    __slots__ = ("_group", "_outcome", "_trouble", "entry", "forward", "of")

    def __init__(
        self,
        entry: Entry | None,
        group: "Group",
        forward: Forward | None = None,
        of: Sequence["Ticket"] = (),
    ) -> None:
        self.entry = entry
        self.forward = forward
        self.of = of  # what the forward brought: it must not go out unless they are recorded
        self._group: Group | None = group
        self._outcome: Outcome | None = None
        self._trouble: OurTroubleError | None = None

    def outcome(self) -> Outcome:
        """Return what became of the entry, durably. Raises `OurTroubleError` when it could not be recorded."""
        if self._group is not None:
            self._group.commit()
        if self._outcome is None:
            raise self._trouble or OurTroubleError("the group was given up")
        return self._outcome

    @property
    def trouble(self) -> OurTroubleError | None:
        """Why there is no outcome, None while it is open too."""
        return self._trouble

    def settle(self, outcome: Outcome | None, trouble: OurTroubleError | None = None) -> None:
        """Set the outcome, or why there is none; the ticket leaves its group."""
        self._outcome, self._trouble, self._group = outcome, trouble, None


class Group:
    """Entries staged since the last commit. One per thread; not for use by several."""

    __slots__ = ("_down_until", "_limit", "_observer", "_open", "_record", "_trouble")

    def __init__(self, record: Record, limit: int, observer: Observer) -> None:
        self._record = record
        self._limit = limit
        self._observer = observer
        self._open: list[Ticket] = []
        self._down_until = 0.0
        self._trouble = OurTroubleError("the database did not take a write")

    def stage(self, entry: Entry) -> Ticket:
        """Add an entry; a full group is committed first, so that no commit grows without bound."""
        if len(self._open) >= self._limit:
            self.commit()
        ticket = Ticket(entry, self)
        self._open.append(ticket)
        return ticket

    def stage_forward(self, forward: Forward, of: Sequence[Ticket]) -> Ticket:
        """Add a forward to the group of the tickets that were staged for it just now.

        It makes no group full: split from them, a crash between two commits would lose it.
        """
        ticket = Ticket(None, self, forward, of)
        self._open.append(ticket)
        return ticket

    def commit(self) -> None:
        """Record all staged entries in one transaction and settle their tickets. Never raises trouble."""
        tickets, self._open = self._open, []
        if not tickets:
            return
        start = perf_counter()
        if start < self._down_until:
            self._fail(tickets, self._trouble)
            return
        try:
            self._settle(tickets)
        except PoisonError as trouble:
            if len(tickets) == 1:
                self._fail(tickets, trouble)
            else:
                self._commit_singly(tickets)
        except OurTroubleError as trouble:
            self._hold_back(start, trouble)
            self._fail(tickets, trouble)

    def _commit_singly(self, tickets: list[Ticket]) -> None:
        """Record one by one, so that a poisoned entry hurts only itself."""
        for ticket in tickets:
            lost = next((each.trouble for each in ticket.of if each.trouble is not None), None)
            if lost is not None:
                self._fail([ticket], lost)
                continue
            try:
                self._settle([ticket])
            except OurTroubleError as trouble:
                self._fail([ticket], trouble)

    def _hold_back(self, start: float, trouble: OurTroubleError) -> None:
        """Ask a database that hangs no more for a moment: who has waited behind its time-out is told at once."""
        now = perf_counter()
        if now - start >= _SLOW_SECONDS:
            self._down_until, self._trouble = now + _PAUSE_SECONDS, trouble

    def _settle(self, tickets: list[Ticket]) -> None:
        start = perf_counter()
        entries = [ticket.entry for ticket in tickets if ticket.entry is not None]
        if len(entries) == len(tickets):
            outcomes = self._record(entries)
        else:
            outcomes = self._record(
                entries, [ticket.forward.row() for ticket in tickets if ticket.forward is not None]
            )
        self._observer.committed(outcomes, perf_counter() - start)
        found = iter(outcomes)
        for ticket in tickets:
            ticket.settle(_KEPT if ticket.entry is None else next(found))

    def _fail(self, tickets: list[Ticket], trouble: OurTroubleError) -> None:
        self._observer.failed(sum(ticket.entry is not None for ticket in tickets))
        for ticket in tickets:
            ticket.settle(None, trouble)
