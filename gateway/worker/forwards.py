"""Brings webhooks to the applications behind the gateway, again and again until one has taken them or 75 hours are over."""

from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime

from gateway.errors import GatewayError
from gateway.flows.forward_request import Target, Targets, call_of
from gateway.flows.forwarding import acts
from gateway.net.outgoing import NotAllowedError, NothingSentError, OutcomeUnknownError, Outgoing, Returned
from gateway.providers.account import Forwarded
from gateway.store.forwards import ForwardItem, Forwards, RecordedEvent
from gateway.store.queue import ItemState
from gateway.worker.delivery import Carrier
from gateway.worker.endings import LONGEST_WAIT, SECOND, Ending, Timing

_TAKEN = range(200, 300)
_GONE = 410  # Standard Webhooks 1.0: the other side wants no more


class ForwardDelivery(Carrier[ForwardItem]):
    """Carries the forwards of all accounts. An application may get one twice: `webhook-id` tells."""

    def __init__(
        self, forwards: Forwards, targets: Targets, net: Outgoing, timing: Timing | None = None
    ) -> None:
        self.queue: Forwards = forwards
        self._targets = targets
        self._net = net
        self._timing = timing or Timing()

    def deliver(self, items: Sequence[ForwardItem]) -> Iterator[Ending]:
        """Do what the items want, and yield what became of each that no other worker has taken.

        Raises `OurTroubleError` when the database fails.
        """
        for item in items:
            ending = self._handle(item)
            if ending is not None:
                yield ending

    def _handle(self, item: ForwardItem) -> Ending | None:
        if item.state is ItemState.SENDING:
            # Its worker died: whether it arrived or not, it may come once more.
            return self._again(item, "unknown", None)
        claimed = self.queue.claim(item, self._timing.clock())
        return None if claimed is None else self._forward(claimed)

    def _forward(self, item: ForwardItem) -> Ending | None:
        target = self._targets.of(item)
        if target is None:
            return self._end(item, ItemState.DROPPED, Ending.NO_ACCOUNT)
        events = self.queue.recorded(item)
        if not _is_wanted(item, target, events):
            return self._end(item, ItemState.DROPPED, Ending.UNNEEDED)
        try:
            returned = self._net.call(call_of(item, target, events, self._timing.clock()))
        except (NothingSentError, OutcomeUnknownError) as error:
            return self._again(item, _problem(error), None)
        return self._answered(item, returned)

    def _answered(self, item: ForwardItem, returned: Returned) -> Ending | None:
        result = str(returned.status)
        if returned.status in _TAKEN:
            return self._end(item, ItemState.DONE, Ending.SENT, result)
        if returned.status == _GONE:
            return self._end(item, ItemState.DEAD, Ending.REFUSED, result)
        return self._again(item, result, _retry_after(returned, self._timing.clock()))

    def _again(self, item: ForwardItem, result: str, wanted: int | None) -> Ending | None:
        """Put the item back until its next attempt, not before the application wants it."""
        pause = self._timing.long_pause(item.attempts)
        if pause is None:
            return self._end(item, ItemState.DEAD, Ending.GIVEN_UP, result)
        now = self._timing.clock()
        due_at = now + max(pause, wanted or 0)
        moved = self.queue.settle(item, ItemState.DUE, now=now, result=result, due_at=due_at)
        return Ending.LATER if moved else None

    def _end(
        self, item: ForwardItem, state: ItemState, ending: Ending, result: str | None = None
    ) -> Ending | None:
        moved = self.queue.settle(item, state, now=self._timing.clock(), result=result or ending.value)
        return ending if moved else None


def _is_wanted(item: ForwardItem, target: Target, events: Sequence[RecordedEvent]) -> bool:
    """Tell whether the application wants it, now that it is known how each message was read in its context."""
    if target.mode is Forwarded.ALL or len(events) < len(item.claims()) or not events:
        return True
    return not all(acts(event.klass, event.choice) for event in events)


def _problem(error: GatewayError) -> str:
    if isinstance(error, NotAllowedError):
        return "not_allowed"
    return "nothing_sent" if isinstance(error, NothingSentError) else "unknown"


def _retry_after(returned: Returned, now: int) -> int | None:
    """Return for how long (microseconds, a day at most) the application wants to be left alone (RFC 9110, 10.2.3)."""
    value = returned.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        return min(int(value[:9]) * SECOND, LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return min(max(0, int(at.timestamp() * SECOND) - now), LONGEST_WAIT)
