"""The list of opt-outs that a provider keeps by itself: what may be read from it and written to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from gateway.consent.address import Address


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One person's standing on the list. `sender` is "" where the list is kept for the whole account."""

    address: Address
    sender: str
    opted_out: bool
    at: int | None = None  # microseconds UTC; None where the provider tells no time


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of the list. `following` is the cursor of the next page, None after the last."""

    entries: Sequence[ListEntry]
    following: str | None = None


class PushOutcome(StrEnum):
    """What became of one pushed entry."""

    DONE = "done"
    REFUSED = "refused"  # final
    LATER = "later"  # nothing was changed, or changing it again does no harm: repeat


@dataclass(frozen=True, slots=True)
class PushResult:
    """The outcome of one entry, with the provider's error code."""

    outcome: PushOutcome
    error_code: str | None = None


class ListUnavailableError(Exception):
    """The provider did not answer, or not understandably; nothing was read."""


class OptOutList(Protocol):
    """What a provider's own list can do. Pushing the same entry twice must be harmless."""

    batch: ClassVar[int]  # the most entries that one push takes; 0 where the provider lets nobody write
    can_pull: ClassVar[bool]  # whether the list can be read

    def push(self, entries: Sequence[ListEntry]) -> Sequence[PushResult]:
        """Write up to `batch` entries, and return one result for each, in order. Never raises for the network."""

    def pull(self, cursor: str | None) -> ListPage:
        """Return a page, the first for None. Raises `ListUnavailableError`."""
