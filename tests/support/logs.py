"""Everything that is logged, whoever logs it."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import structlog


@contextmanager
def everything_logged(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Log all there is, from the root on and with tracebacks; give what was written so far."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(pathname)s %(message)s %(args)s"))
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(0), cache_logger_on_first_use=False
    )

    def read() -> str:
        printed = capfd.readouterr()
        return written.getvalue() + printed.out + printed.err

    try:
        yield read
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        structlog.reset_defaults()
