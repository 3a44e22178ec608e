"""Slows down whoever tries tokens. Only requests whose token did not open are counted or held back."""

import time
from collections import OrderedDict
from collections.abc import Callable

_WINDOW = 60.0
_MOST = 30
_CALLERS = 10_000


class BadLinks:
    """Counts bad tokens by caller, in this process. A valid link always works, also from a blocked address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, caller: str) -> int:
        """Count one bad token; return 0, or the seconds to wait once there were too many."""
        now = self._clock()
        start, count = self._seen.pop(caller, (now, 0))
        if now - start >= _WINDOW:
            start, count = now, 0
        self._seen[caller] = (start, count + 1)
        if len(self._seen) > _CALLERS:
            self._seen.popitem(last=False)
        return max(1, round(start + _WINDOW - now)) if count >= _MOST else 0
