"""A provider's own list of opt-outs, kept in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.providers.opt_outs import ListEntry, ListPage, ListUnavailableError, PushOutcome, PushResult

DONE = PushResult(PushOutcome.DONE)


@dataclass
class FakeList:
    """Notes what it is told; `results` answer pushes one by one, then everything is taken."""

    batch: int = 10
    can_pull: bool = True
    pages: list[Sequence[ListEntry]] = field(default_factory=list)
    results: list[PushResult] = field(default_factory=list)
    pushed: list[list[ListEntry]] = field(default_factory=list)
    is_down: bool = False
    circle: bool = False

    def push(self, entries: Sequence[ListEntry]) -> Sequence[PushResult]:
        self.pushed.append(list(entries))
        return [self.results.pop(0) if self.results else DONE for _ in entries]

    def pull(self, cursor: str | None) -> ListPage:
        if self.is_down:
            raise ListUnavailableError("the list could not be read: 503")
        number = int(cursor or 0)
        following = None if number + 1 >= len(self.pages) else str(number + 1)
        return ListPage(self.pages[number] if self.pages else (), "0" if self.circle else following)

    @property
    def told(self) -> list[tuple[str, str, bool]]:
        """Who was told of, at which sender, and whether as out."""
        return [(each.address.value, each.sender, each.opted_out) for batch in self.pushed for each in batch]
