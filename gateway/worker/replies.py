"""Sends the replies that wait in the outbox: each at most once, in order per person, or not at all."""

from collections.abc import Iterator, Mapping, Sequence

from gateway.errors import OurTroubleError
from gateway.flows.delivery_status import DeliveryStatuses
from gateway.flows.status import event_name
from gateway.providers.base import DeliveryStatus, OutboundMessage, Provider, SendOutcome, SendResult
from gateway.store.outbox import Item, Outbox
from gateway.store.queue import ItemState
from gateway.worker.delivery import Carrier
from gateway.worker.endings import Ending, Timing

_FINAL = {
    SendOutcome.SENT: (Ending.SENT, ItemState.DONE),
    SendOutcome.OPTED_OUT: (Ending.OPTED_OUT, ItemState.DROPPED),
    SendOutcome.REFUSED: (Ending.REFUSED, ItemState.DEAD),
    SendOutcome.UNKNOWN: (Ending.UNKNOWN, ItemState.DEAD),
}


class Replies(Carrier[Item]):
    """Carries the replies of all accounts."""

    is_rated = True

    def __init__(
        self,
        outbox: Outbox,
        providers: Mapping[str, Provider],
        statuses: DeliveryStatuses,
        timing: Timing | None = None,
    ) -> None:
        self.queue: Outbox = outbox
        self._providers = providers
        self._statuses = statuses
        self._timing = timing or Timing()

    def deliver(self, items: Sequence[Item]) -> Iterator[Ending]:
        """Do what the items want, and yield what became of each that no other worker has taken.

        Raises `OurTroubleError` when the database fails; an item that was claimed by then stays `sending`,
        and is never sent again.
        """
        for item in items:
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
        if self.queue.is_overtaken(item):
            return self._end(item, ItemState.DROPPED, Ending.OVERTAKEN)
        claimed = self.queue.claim(item, now)
        if claimed is None:
            return None
        return self._deliver(claimed)

    def _deliver(self, item: Item) -> Ending | None:
        provider = self._providers.get(item.account)
        if provider is None:
            return self._end(item, ItemState.DROPPED, Ending.NO_ACCOUNT)
        if item.address is None:
            return self._end(item, ItemState.DROPPED, Ending.ERASED)
        reference = event_name(item.subject, item.seq)
        result = provider.send(OutboundMessage(item.address, item.sender, item.payload, reference=reference))
        if result.outcome is SendOutcome.BUSY:
            return self._postpone(item, result)
        if result.outcome is SendOutcome.OPTED_OUT and not self._record_opt_out(item, result):
            return self._postpone(item, result)
        ending, state = _FINAL[result.outcome]
        return self._end(item, state, ending, _told(result))

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
        due_at = now + self._timing.short_pause(item.attempts)
        code = result.error_code or result.outcome.value
        if item.is_expired(due_at):
            return self._end(item, ItemState.DROPPED, Ending.EXPIRED, code)
        moved = self.queue.settle(item, ItemState.DUE, now=now, result=code, due_at=due_at)
        return Ending.LATER if moved else None

    def _end(self, item: Item, state: ItemState, ending: Ending, result: str | None = None) -> Ending | None:
        moved = self.queue.settle(item, state, now=self._timing.clock(), result=result or ending.value)
        return ending if moved else None


def _told(result: SendResult) -> str | None:
    """Return the provider's id or code. Of what may have gone out it says so: a question counts as asked then."""
    code = result.message_id or result.error_code
    return f"{Ending.UNKNOWN} {code}" if code and result.outcome is SendOutcome.UNKNOWN else code
