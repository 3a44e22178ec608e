"""Sends the replies that wait in the outbox: each at most once, in order per person, or not at all."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import OurTroubleError
from gateway.flows.delivery_status import DeliveryStatuses
from gateway.providers.base import DeliveryStatus, OutboundMessage, Provider, SendOutcome, SendResult
from gateway.store.ledger import now_microseconds
from gateway.store.outbox import Item, ItemState, Outbox

_SECOND = 1_000_000
# Longer than any call to a provider may take: who is `sending` for so long has crashed.
_STALE = 120 * _SECOND
_FIRST_PAUSE = 2 * _SECOND
_LONGEST_PAUSE = 60 * _SECOND
_PAGE_ITEMS = 5  # so few that the worker gives a sign of life even if every call takes its longest


class Ending(StrEnum):
    """What became of one item in one go. The values are the labels of the metric."""

    SENT = "sent"
    OPTED_OUT = "opted_out"  # the provider refuses since the person opted out there: recorded
    REFUSED = "refused"
    UNKNOWN = "unknown"  # nobody knows whether it went out; it never goes out again
    EXPIRED = "expired"
    OVERTAKEN = "overtaken"  # the person has opted out since
    ERASED = "erased"
    NO_ACCOUNT = "no_account"  # its account is not configured any more
    LATER = "later"  # the provider took nothing: back in the outbox
    FAILED = "failed"  # no item: a round of the worker ended in an error of ours


_FINAL = {
    SendOutcome.SENT: (Ending.SENT, ItemState.DONE),
    SendOutcome.OPTED_OUT: (Ending.OPTED_OUT, ItemState.DROPPED),
    SendOutcome.REFUSED: (Ending.REFUSED, ItemState.DEAD),
    SendOutcome.UNKNOWN: (Ending.UNKNOWN, ItemState.DEAD),
}


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock (microseconds UTC) and the chance (0 to 1) by which pauses differ."""

    clock: Callable[[], int] = now_microseconds
    chance: Callable[[], float] = random.random


class OutboxDelivery:
    """Delivers for all accounts. One per worker; several workers share an outbox."""

    def __init__(
        self,
        outbox: Outbox,
        providers: Mapping[str, Provider],
        statuses: DeliveryStatuses,
        timing: Timing | None = None,
    ) -> None:
        self._outbox = outbox
        self._providers = providers
        self._statuses = statuses
        self._timing = timing or Timing()

    def turn(self, is_stopped: Callable[[], bool]) -> Iterator[Ending]:
        """Deliver some of what is due, until stopped, and yield what became of each item.

        Yields nothing when there is nothing to do. Raises `OurTroubleError` when the database fails; an item
        that was claimed by then stays `sending`, and is never sent again.
        """
        now = self._timing.clock()
        for item in self._outbox.find(now=now, stale=now - _STALE, limit=_PAGE_ITEMS):
            if is_stopped():
                return
            ending = self._handle(item)
            if ending is not None:
                yield ending

    def _handle(self, item: Item) -> Ending | None:
        """Do what the item wants; None when another worker was faster."""
        now = self._timing.clock()
        if item.state is ItemState.SENDING:
            return self._end(item, ItemState.DEAD, Ending.UNKNOWN)
        if item.is_expired(now):
            return self._end(item, ItemState.DROPPED, Ending.EXPIRED)
        if self._outbox.is_overtaken(item):
            return self._end(item, ItemState.DROPPED, Ending.OVERTAKEN)
        claimed = self._outbox.claim(item, now)
        if claimed is None:
            return None
        return self._deliver(claimed)

    def _deliver(self, item: Item) -> Ending | None:
        provider = self._providers.get(item.account)
        if provider is None:
            return self._end(item, ItemState.DROPPED, Ending.NO_ACCOUNT)
        if item.address is None:
            return self._end(item, ItemState.DROPPED, Ending.ERASED)
        result = provider.send(OutboundMessage(item.address, item.sender, item.payload))
        if result.outcome is SendOutcome.BUSY:
            return self._postpone(item, result)
        if result.outcome is SendOutcome.OPTED_OUT and not self._record_opt_out(item, result):
            return self._postpone(item, result)
        ending, state = _FINAL[result.outcome]
        return self._end(item, state, ending, result.message_id or result.error_code)

    def _record_opt_out(self, item: Item, result: SendResult) -> bool:
        """Record what the refusal tells, before the item is settled.

        Returns False when the database did not take it: nothing went out, so the item may come again and
        tell it once more.
        """
        status = DeliveryStatus(
            message_id=f"reply:{item.seq}",
            address=item.address,
            sender=item.sender,
            status=result.outcome,
            error_code=result.error_code,
            opted_out=True,
        )
        ticket = self._statuses.stage(status, item.account, self._timing.clock())
        try:
            if ticket is not None:
                ticket.outcome()
        except OurTroubleError:
            return False
        return True

    def _postpone(self, item: Item, result: SendResult) -> Ending | None:
        now = self._timing.clock()
        due_at = now + self._pause(item.attempts)
        code = result.error_code or result.outcome.value
        if item.is_expired(due_at):
            return self._end(item, ItemState.DROPPED, Ending.EXPIRED, code)
        moved = self._outbox.settle(item, ItemState.DUE, now=now, result=code, due_at=due_at)
        return Ending.LATER if moved else None

    def _pause(self, attempts: int) -> int:
        """Return an exponential pause of which half is left to chance, so that workers do not come in step."""
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE << min(attempts - 1, 10))
        return longest // 2 + int(longest // 2 * self._timing.chance())

    def _end(self, item: Item, state: ItemState, ending: Ending, result: str | None = None) -> Ending | None:
        moved = self._outbox.settle(item, state, now=self._timing.clock(), result=result or ending.value)
        return ending if moved else None
