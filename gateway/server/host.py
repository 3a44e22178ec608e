"""What a loop asks of the process that runs it, and the bounds it keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from gateway.server.response import Exchange


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """Bounds of a loop. Times in seconds; `keep_alive` 0 closes after each answer."""

    group_limit: int = 128
    max_connections: int = 1000
    keep_alive: float = 2.0
    head_timeout: float = 10.0
    body_timeout: float = 20.0  # besides a second for each 1000 bytes that came
    send_timeout: float = 30.0  # without any progress
    linger_timeout: float = 2.0
    graceful_timeout: float = 30.0
    beat: float = 1.0
    software: str = "gunicorn"


class Host(Protocol):
    """Who runs the loop: told what happens, and asked whether to go on."""

    alive: bool
    before_call: Callable[[Exchange], None] | None

    def beat(self) -> None:
        """Note that the loop is well; called every `LoopSettings.beat` at least, long applications aside."""

    def finished(self, exchange: Exchange, seconds: float) -> None:
        """Take note of an answer that is out or given up."""

    def failed(self, what: str, error: BaseException) -> None:
        """Log an error that the loop survives: of the application, of a hook, of accepting."""


class Edge:
    """Errors of the application end here: they cost it a 500, never the process.

    An exit asked for by a signal handler passes (the host is no longer alive then); an application's
    own `sys.exit` does not.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            return False
        ours = isinstance(error, Exception) or (isinstance(error, SystemExit) and self._host.alive)
        if ours:
            self._host.failed("Error handling request", error)
        return ours
