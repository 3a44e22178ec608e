"""A worker in a thread or in a real gunicorn, and a client that speaks raw bytes."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from gateway.server.worker import GroupWorker

REPOSITORY = Path(__file__).parents[3]
PATIENCE = 20


class Recorder:
    """Takes the place of gunicorn's logger."""

    access_log_enabled = False

    def __init__(self):
        self.lines = []
        self.errors = []

    def info(self, text, *values):
        self.lines.append(text % values if values else text)

    def error(self, text, *values, exc_info=None):
        self.lines.append(text % values if values else text)
        self.errors.append(exc_info)

    access = Logger.access


@dataclass
class Answer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    whole: bool = True  # False: the connection ended before the body did

    def __getitem__(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)


class Client:
    def __init__(self, address):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(PATIENCE)
        self.buffer = bytearray()
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise

    def send(self, data):
        self.socket.sendall(data)
        return self

    def ask(self, path="/", *headers):
        lines = "".join(f"{line}\r\n" for line in headers)
        return self.send(f"GET {path} HTTP/1.1\r\nHost: test\r\n{lines}\r\n".encode())

    def get(self, path="/", *headers):
        return self.ask(path, *headers).answer()

    def answer(self, *, head=False):
        """Read one final or interim answer off the wire."""
        text = self._until(b"\r\n\r\n").decode("latin-1")
        first, *lines = text.split("\r\n")[:-2]
        version, status, reason = first.split(" ", 2)
        assert version == "HTTP/1.1"
        answer = Answer(int(status), reason, [tuple(line.split(": ", 1)) for line in lines])
        if head or answer.status in (100, 204, 304):
            return answer
        with contextlib.suppress(EOFError):
            self._read_body(answer)
            return answer
        answer.whole = False
        return answer

    def is_closed(self):
        """Wait for the end of the connection; False if something else comes."""
        with contextlib.suppress(ConnectionResetError):
            return not self.buffer and self.socket.recv(1) == b""
        return True

    def close(self):
        self.socket.close()

    def _read_body(self, answer):
        if answer["transfer-encoding"] == "chunked":
            while size := int(self._until(b"\r\n"), 16):
                answer.body += self._exactly(size)
                assert self._exactly(2) == b"\r\n"
            assert self._exactly(2) == b"\r\n"
        elif answer["content-length"] is not None:
            answer.body = self._exactly(int(answer["content-length"]))
        else:
            while data := self.socket.recv(65536):
                self.buffer += data
            answer.body = self._exactly(len(self.buffer))

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        return self._exactly(self.buffer.index(mark) + len(mark))

    def _exactly(self, size):
        while len(self.buffer) < size:
            self._more()
        found = bytes(self.buffer[:size])
        del self.buffer[:size]
        return found

    def _more(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise EOFError
        self.buffer += data


@dataclass
class Served:
    """A worker that runs in a thread of the test."""

    worker: GroupWorker
    address: tuple[str, int]
    thread: threading.Thread
    log: Recorder
    clients: list[Client] = field(default_factory=list)

    def client(self):
        self.clients.append(Client(self.address))
        return self.clients[-1]

    def catch_up(self):
        """Wait until the worker has written down what it did up to now: that follows the answer."""
        self.client().get("/catch-up")

    def stop(self):
        self.worker.alive = False
        os.write(self.worker.PIPE[1], b"1")

    def join(self):
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


def _build(application, attributes, settings, log, arbiter_timeout):
    config = Config()
    # A busy machine may let a connection wait for seconds: as in production, none is idle so soon.
    for name, value in {"graceful_timeout": 5, "keepalive": 75, **settings}.items():
        config.set(name, value)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    kind = type("TestedWorker", (GroupWorker,), attributes)
    worker = kind(1, os.getppid(), [listener], None, arbiter_timeout, config, log)
    worker.wsgi = application
    worker.PIPE = os.pipe()
    os.set_blocking(worker.PIPE[0], False)
    return worker, listener.getsockname()


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode("latin-1"), b" ", body]


@pytest.fixture
def serve():
    """Start a worker for an application, or for one that echoes: `serve(app, body_limit=10, keepalive=1)`."""
    started = []

    def start(application=echo, log=None, arbiter_timeout=15.0, **options):
        attributes = {name: options.pop(name) for name in list(options) if hasattr(GroupWorker, name)}
        log = Recorder() if log is None else log
        worker, address = _build(application, attributes, options, log, arbiter_timeout)
        thread = threading.Thread(target=worker.run)
        thread.start()
        started.append(Served(worker, address, thread, log))
        return started[-1]

    yield start
    for served in started:
        for client in served.clients:
            client.close()
        served.stop()
        served.join()
        for end in served.worker.PIPE:
            os.close(end)
        served.worker.tmp.close()


class Gunicorn:
    """A real gunicorn with one module `app.py`."""

    def __init__(self, folder, source, *options, bind="127.0.0.1:0", env=None):
        (folder / "app.py").write_text(source)
        self.log_path = folder / "log.txt"
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "-k",
            "gateway.server.worker.GroupWorker",
            "--no-control-socket",
        ]
        binds = [f"--bind={address}" for address in bind.split()]
        variables = {**os.environ, "PYTHONPATH": f"{folder}:{REPOSITORY}", **(env or {})}
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *binds, *options, "app:app"], stdout=log, stderr=log, cwd=folder, env=variables
            )
        self.clients = []

    @property
    def log(self):
        return self.log_path.read_text()

    def wait_for(self, pattern, count=1):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = re.findall(pattern, self.log)
            if len(found) >= count:
                return found
            assert self.process.poll() is None or re.search(pattern, self.log), self.log
            time.sleep(0.02)
        raise AssertionError(self.log)

    @property
    def worker_pid(self):
        return int(self.wait_for(r"Booting worker with pid: (\d+)")[-1])

    @property
    def ports(self):
        listening = self.wait_for(r"Listening at: (.*)")[0]
        return [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", listening)]

    def client(self, address=None):
        self.wait_for("Booting worker")
        self.clients.append(Client(address or ("127.0.0.1", self.ports[0])))
        return self.clients[-1]

    def exit_code(self):
        return self.process.wait(PATIENCE)

    def close(self):
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def gunicorn(tmp_path):
    """Start a real gunicorn: `gunicorn(source, "--max-requests=3", bind=..., env=...)`."""
    running = []

    def start(source, *options, **settings):
        running.append(Gunicorn(tmp_path, source, *options, **settings))
        return running[-1]

    yield start
    for process in running:
        process.close()


class Diary:
    """An application whose bodies are deferred; it writes down calls and first iterations."""

    def __init__(self):
        self.lines = []
        self._gate = threading.Event()  # the body of /gate waits for it, as for a slow commit
        self._waiting = threading.Event()

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        self.lines.append(("call", path))
        return self._body(path, start_response)

    def _body(self, path, start_response):
        self.lines.append(("body", path))
        if path == "/gate":
            self._waiting.set()
            assert self._gate.wait(PATIENCE)
        start_response("200 OK", [("Content-Length", str(len(path)))])
        yield path.encode()

    @property
    def kinds(self):
        return "".join(kind[0] for kind, _ in self.lines)

    def paths(self, kind):
        return [path for found, path in self.lines if found == kind]

    def hold(self, client):
        """Have the worker stand in a commit."""
        client.send(b"GET /gate HTTP/1.1\r\nHost: test\r\n\r\n")
        assert self._waiting.wait(PATIENCE)

    def release(self):
        """End the commit, once all that was sent meanwhile lies in the worker's socket buffers."""
        time.sleep(0.1)
        self._gate.set()


@pytest.fixture
def diary():
    return Diary()


class Flood:
    """A body of 26 MB, more than all socket buffers hold; it counts how much of it was asked for."""

    pieces = 400
    size = pieces << 16

    def __init__(self):
        self.taken = 0
        self.closed = threading.Event()

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] != "/flood":
            start_response("200 OK", [])
            return [environ["PATH_INFO"].encode()]
        start_response("200 OK", [("Content-Length", str(self.size))])
        return self

    def __iter__(self):
        for _ in range(self.pieces):
            self.taken += 1
            yield bytes(1 << 16)

    def close(self):
        self.closed.set()


@pytest.fixture
def flood():
    return Flood()


@pytest.fixture
def quick(monkeypatch):
    """Look for late clients after every turn instead of every second."""
    monkeypatch.setattr("gateway.server.loop._TICK_SECONDS", 0.02)
