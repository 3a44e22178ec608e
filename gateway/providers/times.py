"""The provider's time, in microseconds UTC. A missing or silly one is None, never a fault of the message."""

from datetime import UTC, datetime, timedelta

MICROSECOND = 1
MILLISECOND = 1_000
SECOND = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
# Message centres without a clock start at 1970 or 1980; a word must not seem older than every other.
_EARLIEST = 946_684_800 * SECOND  # 2000
_LATEST = 4_102_444_800 * SECOND  # 2100
_LONGEST_NUMBER = 20


def from_iso(value: object) -> int | None:
    """Read a time in ISO 8601, with or without colon in its offset; UTC where it has none."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return _sane((aware - _EPOCH) // _TICK)


def from_epoch(value: object, unit: int) -> int | None:
    """Read a whole number, or its digits, of `unit` (microseconds) since 1970."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _LONGEST_NUMBER:
        return _sane(int(value) * unit)
    return _sane(value * unit) if isinstance(value, int) else None


def _sane(at: int) -> int | None:
    return at if _EARLIEST <= at < _LATEST else None
