"""The open group: entries that wait for one commit together.

A flow stages an entry and gets a ticket. Whoever first asks a ticket for its outcome commits the whole
group. Under a server that iterates response bodies after a round of calls, everything that arrived in that
round shares one durable commit; under any other server a group holds one entry.
"""

from collections.abc import Callable, Sequence

from gateway.consent.entry import Entry, Outcome
from gateway.errors import OurTroubleError

Record = Callable[[Sequence[Entry]], list[Outcome]]


class PoisonError(OurTroubleError):
    """The database refuses what is in the group, not the connection: one of its entries is to blame."""


class Ticket:
    """The place of one entry in a group, and later its outcome."""

    __slots__ = ("_group", "_outcome", "_trouble", "entry")

    def __init__(self, entry: Entry, group: "Group") -> None:
        self.entry = entry
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

    def settle(self, outcome: Outcome | None, trouble: OurTroubleError | None = None) -> None:
        """Set the outcome, or why there is none; the ticket leaves its group."""
        self._outcome, self._trouble, self._group = outcome, trouble, None


class Group:
    """Entries staged since the last commit. One per thread; not for use by several."""

    __slots__ = ("_limit", "_open", "_record")

    def __init__(self, record: Record, limit: int) -> None:
        self._record = record
        self._limit = limit
        self._open: list[Ticket] = []

    def stage(self, entry: Entry) -> Ticket:
        """Add an entry; a full group is committed first, so that no commit grows without bound."""
        if len(self._open) >= self._limit:
            self.commit()
        ticket = Ticket(entry, self)
        self._open.append(ticket)
        return ticket

    def commit(self) -> None:
        """Record all staged entries in one transaction and settle their tickets. Never raises trouble."""
        tickets, self._open = self._open, []
        if not tickets:
            return
        try:
            outcomes = self._record([ticket.entry for ticket in tickets])
        except PoisonError:
            self._commit_singly(tickets)
        except OurTroubleError as trouble:
            for ticket in tickets:
                ticket.settle(None, trouble)
        else:
            for ticket, outcome in zip(tickets, outcomes, strict=True):
                ticket.settle(outcome)

    def _commit_singly(self, tickets: list[Ticket]) -> None:
        """Record one by one, so that a poisoned entry hurts only itself."""
        for ticket in tickets:
            try:
                (outcome,) = self._record([ticket.entry])
            except OurTroubleError as trouble:
                ticket.settle(None, trouble)
            else:
                ticket.settle(outcome)
