"""Open-loop load: so many requests a second, whether or not the server keeps up.

A latency counts from the time at which the request was due, so a server that stalls pays for everyone who
waited meanwhile. Each of N keep-alive connections has one request under way; what is due while all are busy
waits, and the wait counts. What the generator itself is late by (epoll wakes by whole milliseconds) counts too.
"""

import argparse
import gc
import json
import re
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prepared import SEPARATOR

BEGIN = "begin"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_PATIENCE = 5.0  # seconds for answers after the last request
_RETRY = 0.02  # seconds until a refused connection is tried again


class Line:
    """One keep-alive connection with at most one request under way."""

    __slots__ = ("due", "number", "received", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=1)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = -1
        self.due = 0.0
        self.received = b""

    def send(self, request: bytes, number: int, due: float) -> None:
        """Send a request; its bytes always fit into the socket's buffer. Raises OSError."""
        self.number, self.due, self.received = number, due, b""
        self.socket.send(request)

    def is_answered(self) -> bool:
        """Read what came and tell whether the answer is whole. Raises OSError when the server is gone."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return False
        length = _LENGTH.search(head + b"\r\n")
        return length is not None and len(body) >= int(length[1])


@dataclass(slots=True)
class Tally:
    """What became of the requests. Latencies in seconds; `acknowledged` are numbers of requests."""

    sent: int = 0
    refused: int = 0
    broken: int = 0
    latencies: list[float] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)

    def answered(self, line: Line, now: float) -> None:
        """Count an answer."""
        self.latencies.append(now - line.due)
        if line.received[9:10] == b"2":
            self.acknowledged.append(line.number)
        else:
            self.refused += 1


class Loop:
    """Sends the requests at their times, from the one numbered `start` on."""

    def __init__(self, requests: Sequence[bytes], *, port: int, rate: float, start: int) -> None:
        self._requests = requests
        self._port = port
        self._rate = rate
        self._start = start
        self._epoll = select.epoll()
        self._lines: dict[int, Line] = {}
        self._idle: deque[Line] = deque()
        self._missing = 0
        self._retry_at = 0.0
        self._began = 0.0
        self.tally = Tally()

    def run(self, connections: int, seconds: float) -> Tally:
        """Open the connections, send for so many seconds, wait for what is under way."""
        for _ in range(connections):
            self._open()
        print(BEGIN, flush=True)
        self._began = time.perf_counter()
        total = int(self._rate * seconds)
        while self._now() < seconds + _PATIENCE and (self.tally.sent < total or self._is_busy()):
            self._send_due(total)
            for fd, _ in self._epoll.poll(self._pause(total)):
                self._read(self._lines[fd])
            self._reopen(seconds)
        return self.tally

    def _now(self) -> float:
        return time.perf_counter() - self._began

    def _is_busy(self) -> bool:
        return len(self._idle) < len(self._lines)

    def _pause(self, total: int) -> float:
        if self.tally.sent >= total or not self._idle:
            return _RETRY
        return min(_RETRY, max(0.0, self.tally.sent / self._rate - self._now()))

    def _send_due(self, total: int) -> None:
        tally, rate = self.tally, self._rate
        last = min(total, int(self._now() * rate) + 1)
        while tally.sent < last and self._idle:
            line, number = self._idle.popleft(), self._start + tally.sent
            due = tally.sent / rate
            tally.sent += 1
            try:
                line.send(self._requests[number % len(self._requests)], number, due)
            except OSError:
                self._lose(line)

    def _read(self, line: Line) -> None:
        try:
            if line.is_answered():
                self.tally.answered(line, self._now())
                self._idle.append(line)
        except OSError:
            self._lose(line)

    def _lose(self, line: Line) -> None:
        try:
            self._idle.remove(line)
        except ValueError:  # a request was under way
            self.tally.broken += 1
        del self._lines[line.socket.fileno()]
        line.socket.close()
        self._missing += 1

    def _reopen(self, seconds: float) -> None:
        if not self._missing or not self._retry_at <= self._now() < seconds:
            return
        missing, self._missing = self._missing, 0
        for _ in range(missing):
            try:
                self._open()
            except OSError:
                self._missing += 1
                self._retry_at = self._now() + _RETRY

    def _open(self) -> None:
        line = Line(self._port)
        self._lines[line.socket.fileno()] = line
        self._epoll.register(line.socket.fileno(), select.EPOLLIN)
        self._idle.append(line)


def summary(tally: Tally, cpu: float) -> dict[str, float | int]:
    """Return the counts, the latencies in milliseconds, and the generator's CPU in cores."""
    ordered = sorted(tally.latencies) or [0.0]
    named = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "most": 1.0}
    places = {name: min(len(ordered) - 1, int(len(ordered) * share)) for name, share in named.items()}
    return {
        "sent": tally.sent,
        "answered": len(tally.latencies),
        "refused": tally.refused,
        "broken": tally.broken,
        **{name: round(ordered[place] * 1000, 3) for name, place in places.items()},
        "generator_cores": round(cpu, 3),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requests", type=Path, help="file of prepared requests")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="requests a second")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--start", type=int, default=0, help="number of the first request")
    parser.add_argument("--acknowledged", type=Path, help="file for the numbers of requests that got a 2xx")
    return parser.parse_args()


def main() -> None:
    """Run; print a line when the load begins, and the summary as JSON when it is over."""
    given = _arguments()
    requests = given.requests.read_bytes().split(SEPARATOR)
    gc.freeze()
    gc.disable()
    began, cpu = time.perf_counter(), time.process_time()
    loop = Loop(requests, port=given.port, rate=given.rate, start=given.start)
    tally = loop.run(given.connections, given.seconds)
    used = (time.process_time() - cpu) / (time.perf_counter() - began)
    if given.acknowledged:
        given.acknowledged.write_text("\n".join(map(str, tally.acknowledged)))
    json.dump(summary(tally, used), sys.stdout)


if __name__ == "__main__":
    main()
