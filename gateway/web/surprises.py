"""Errors that nobody foresaw: the log gets their kinds and where they came from, never what they say.

The text of such an error may hold a number, a message or a token, and so may the path of its request.
"""

import traceback
from collections.abc import Iterator

import structlog

_log = structlog.get_logger(__name__)


def log_surprise(error: BaseException) -> None:
    """Log the error for whoever has to mend it."""
    kinds = [type(each).__name__ for each in _causes(error)]
    _log.error("unexpected error", kinds=kinds, trace="".join(traceback.format_tb(error.__traceback__)))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what led to it."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
