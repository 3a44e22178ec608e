"""What becomes of what goes out, and the pauses between attempts."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.store.ledger import now_microseconds

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
# Longer than any call may take: who is `sending` for so long has crashed.
STALE = 120 * SECOND
_FIRST_PAUSE = 2 * SECOND
_LONGEST_PAUSE = 60 * SECOND
# Standard Webhooks 1.0, "Deliverability and reliability": pauses after each failed attempt.
_SCHEDULE = (
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
LONGEST_WAIT = 24 * HOUR


class Ending(StrEnum):
    """What became of one item in one go. The values are the labels of the metric."""

    SENT = "sent"
    OPTED_OUT = "opted_out"  # the provider refuses since the person opted out there: recorded
    REFUSED = "refused"
    UNKNOWN = "unknown"  # nobody knows whether it went out; it never goes out again
    EXPIRED = "expired"
    OVERTAKEN = "overtaken"  # the person has opted out since
    UNNEEDED = "unneeded"  # there is nothing to tell any more
    ERASED = "erased"
    NO_ACCOUNT = "no_account"  # its account, or what it would go to, is not configured any more
    LATER = "later"  # the other side took nothing, or may be told twice: it comes again
    GIVEN_UP = "given_up"  # it came again as often as the schedule says
    FAILED = "failed"  # no item: a round of the worker ended in an error of ours


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock (microseconds UTC) and the chance (0 to 1) by which pauses differ."""

    clock: Callable[[], int] = now_microseconds
    chance: Callable[[], float] = random.random

    def short_pause(self, attempts: int) -> int:
        """Return an exponential pause of at most a minute, for what is of no use when it is late.

        Half of it is left to chance, so that workers do not come in step.
        """
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE << min(attempts - 1, 10))
        return longest // 2 + int(longest // 2 * self.chance())

    def long_pause(self, attempts: int) -> int | None:
        """Return the pause after so many attempts, up to a tenth longer by chance; None: that was the last."""
        if attempts > len(_SCHEDULE):
            return None
        pause = _SCHEDULE[attempts - 1]
        return pause + int(pause // 10 * self.chance())
