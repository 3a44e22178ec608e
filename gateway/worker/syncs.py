"""Tells providers of persons whose standing has changed, in batches, again until they have taken it."""

from collections.abc import Iterator, Sequence

from gateway.flows.provider_sync import ProviderSync
from gateway.providers.opt_outs import ListEntry, OptOutList, PushOutcome, PushResult
from gateway.store.queue import ItemState
from gateway.store.syncs import SyncItem, Syncs
from gateway.worker.delivery import Carrier
from gateway.worker.endings import Ending, Timing

_MOST_AT_ONCE = 50  # so few that a worker which is told to stop ends in time


class SyncDelivery(Carrier[SyncItem]):
    """Carries the pushes of all accounts. A provider may be told the same twice."""

    def __init__(self, syncs: Syncs, flow: ProviderSync, timing: Timing | None = None) -> None:
        self.queue: Syncs = syncs
        self._flow = flow
        self._timing = timing or Timing()

    def batch(self, account: str) -> int:
        """Return how many entries one push takes."""
        found = self._flow.pushed_list(account)
        return 1 if found is None else min(found.batch, _MOST_AT_ONCE)

    def deliver(self, items: Sequence[SyncItem]) -> Iterator[Ending]:
        """Tell what stands now about the persons, and yield what became of each that no other worker has taken.

        Raises `OurTroubleError` when the database fails.
        """
        left = [item for item in items if item.state is ItemState.SENDING]
        for item in left:  # its worker died
            yield from self._again(item, "unknown")
        claimed = self.queue.claim_all(
            [item for item in items if item.state is ItemState.DUE], self._timing.clock()
        )
        if claimed:
            yield from self._claimed(claimed)

    def _claimed(self, items: Sequence[SyncItem]) -> Iterator[Ending]:
        told = self._flow.pushed_list(items[0].account)
        if told is None:
            for item in items:
                yield from self._end(item, ItemState.DROPPED, Ending.NO_ACCOUNT)
            return
        pending: list[tuple[SyncItem, ListEntry]] = []
        for item, entry in zip(items, self._flow.entries(items), strict=True):
            if item.address is None:
                yield from self._end(item, ItemState.DROPPED, Ending.ERASED)
            elif entry is None:
                yield from self._end(item, ItemState.DONE, Ending.UNNEEDED)
            else:
                pending.append((item, entry))
        yield from self._push(told, pending)

    def _push(self, told: OptOutList, pending: Sequence[tuple[SyncItem, ListEntry]]) -> Iterator[Ending]:
        if not pending:
            return
        results = told.push([entry for _, entry in pending])
        for (item, entry), result in zip(pending, results, strict=True):
            yield from self._settled(item, entry, result)

    def _settled(self, item: SyncItem, entry: ListEntry, result: PushResult) -> Iterator[Ending]:
        if result.outcome is PushOutcome.DONE:
            yield from self._end(item, ItemState.DONE, Ending.SENT, "out" if entry.opted_out else "in")
        elif result.outcome is PushOutcome.REFUSED:
            yield from self._end(item, ItemState.DEAD, Ending.REFUSED, result.error_code)
        else:
            yield from self._again(item, result.error_code or result.outcome.value)

    def _again(self, item: SyncItem, result: str) -> Iterator[Ending]:
        pause = self._timing.long_pause(item.attempts)
        if pause is None:
            yield from self._end(item, ItemState.DEAD, Ending.GIVEN_UP, result)
            return
        now = self._timing.clock()
        if self.queue.settle(item, ItemState.DUE, now=now, result=result, due_at=now + pause):
            yield Ending.LATER

    def _end(
        self, item: SyncItem, state: ItemState, ending: Ending, result: str | None = None
    ) -> Iterator[Ending]:
        if self.queue.settle(item, state, now=self._timing.clock(), result=result or ending.value):
            yield ending
