"""Load as a provider makes it: every message again and again until it is acknowledged."""

import http.client
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlencode, urlsplit

from support.twilio_requests import inbound

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_TEXTS = ("STOP", "STOP", "STOP", "Stop.", "START", "HELP", "see you")
_PERSONS = 20_000
_BUSY_PERSONS = 20  # many messages each, so that the processes race for them
_BROKEN = 0  # in place of a status: the connection broke before the answer was complete
_PATIENCE = 90.0  # seconds for which a provider tries
_TIME_OUT = 30.0

Got = tuple[int, bytes]  # status and body of an answer


@dataclass(frozen=True, slots=True)
class Message:
    """One message, signed, as it is posted."""

    sid: str
    path: str
    body: bytes
    headers: dict[str, str]
    is_twin: bool = False  # delivered twice at the same time from the start
    is_given_up: bool = False  # not tried again after an error

    @classmethod
    def of(cls, base: str, text: str, number: str, *, account: str = "acme", **marks: bool) -> "Message":
        """Sign a message with an id of its own."""
        made = inbound(base, text, number=number, account=account)
        path = made.url.removeprefix(base)
        return cls(made.message_id, path, urlencode(made.fields).encode(), {**_FORM, **made.headers}, **marks)


def endless_messages(base: str, rng: random.Random) -> Iterator[Message]:
    """Yield messages: most from persons of their own, a share from a few busy ones."""
    for number in itertools.count():
        is_busy = rng.random() < 0.2
        person = rng.randrange(_BUSY_PERSONS) if is_busy else _BUSY_PERSONS + number % _PERSONS
        text, is_twin, is_given_up = rng.choice(_TEXTS), rng.random() < 0.2, rng.random() < 0.1
        yield Message.of(base, text, f"+1555{person:07d}", is_twin=is_twin, is_given_up=is_given_up)


class Line:
    """A connection that is kept alive and opened again after it broke."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIME_OUT)

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> Got:
        """Return status and body of the answer; the status is 0 when there was no complete one."""
        return self.ask("POST", path, body, headers)

    def get(self, path: str) -> Got:
        """Likewise."""
        return self.ask("GET", path)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Got:
        """Likewise, whatever the method."""
        return self._receiving(lambda: self._connection.request(method, path, body, headers or {}))

    def send(self, message: Message) -> None:
        """Send a message and do not wait for the answer."""
        self._connection.request("POST", message.path, message.body, message.headers)

    def receive(self) -> Got:
        """Return the answer to what was sent."""
        return self._receiving(lambda: None)

    def close(self) -> None:
        self._connection.close()

    def _receiving(self, send: Callable[[], None]) -> Got:
        try:
            send()
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return _BROKEN, b""


@dataclass(slots=True)
class Journal:
    """What the clients sent and got. All threads append to it, which is atomic."""

    sent: list[Message] = field(default_factory=list)
    answers: list[tuple[str, int, int]] = field(default_factory=list)  # id, status, replies in the body
    taken: list[str] = field(default_factory=list)  # ids, once for each 2xx

    def note(self, sid: str, status: int, body: bytes) -> bool:
        """Note an answer; tell whether the message is taken."""
        is_taken = status // 100 == 2
        self.answers.append((sid, status, body.count(b"<Message") if is_taken else 0))
        if is_taken:
            self.taken.append(sid)
        return is_taken

    def replies(self) -> Counter[str]:
        """Count the replies that came for each message, over all its answers."""
        found: Counter[str] = Counter()
        for sid, _, replies in self.answers:
            found[sid] += replies
        return found

    def statuses(self) -> Counter[int]:
        """Count the answers by status, 0 for none."""
        return Counter(status for _, status, _ in self.answers)


class Load:
    """Several clients at once, from `with` to its end; then each finishes what it has begun."""

    def __init__(
        self,
        base: str,
        rng: random.Random,
        *,
        clients: int = 6,
        pause: float = 0.01,
        patience: float = _PATIENCE,
    ) -> None:
        """Take the server's URL; `pause` and `patience` in seconds, 0 for messages that come once."""
        self.journal = Journal()
        self._base = base
        self._messages = endless_messages(base, rng)
        self._lock = threading.Lock()  # a generator serves one thread at a time
        self._pause = pause
        self._patience = patience
        self._stopping = threading.Event()
        self._local = threading.local()
        self._lines: list[Line] = []
        self._clients = [threading.Thread(target=self._run) for _ in range(clients)]
        self._twins = ThreadPoolExecutor(clients)

    def __enter__(self) -> Self:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for client in self._clients:
            client.join()
        self._twins.shutdown()
        for line in self._lines:
            line.close()

    def wait_for(self, number: int, seconds: float = 60.0) -> None:
        """Wait until so many further answers were 2xx."""
        wanted, deadline = len(self.journal.taken) + number, time.monotonic() + seconds
        while len(self.journal.taken) < wanted:
            assert time.monotonic() < deadline, f"no {number} messages were taken in {seconds} s"
            time.sleep(0.005)

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                message = next(self._messages)
            self.journal.sent.append(message)
            twin = self._twins.submit(self._deliver, message) if message.is_twin else None
            self._deliver(message)
            if twin is not None:
                twin.result()
            time.sleep(self._pause)

    def _deliver(self, message: Message) -> None:
        deadline = time.monotonic() + self._patience
        while True:
            status, body = self._line().post(message.path, message.body, message.headers)
            if self.journal.note(message.sid, status, body) or message.is_given_up:
                return
            if time.monotonic() >= deadline:
                return
            time.sleep(0.05)

    def _line(self) -> Line:
        """Return the connection of this thread."""
        if not hasattr(self._local, "line"):
            self._local.line = Line(self._base)
            self._lines.append(self._local.line)
        line: Line = self._local.line
        return line
