"""The real server for tests: gunicorn with its configuration file, as the Procfile starts it."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil
import requests

ROOT = Path(__file__).parents[2]
AUTH_TOKEN = "test_auth_token_0000000000000000"
SENDER = "+15555550199"
MASTER = "test-master-secret-" + "m" * 32

_TEMPLATE = """
[server]
bind = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
workers = {workers}

[database]
url = "{database}"

[keys]
master = "{master}"

[accounts.acme]
provider = "twilio"
account_sid = "ACtest"
auth_tokens = ["{token}"]
provider_replies = "none"

[programs.offers]
name = "Acme Offers"
purpose = "marketing"
default_choice = "y"
senders = ["{sender}"]
contact = "help@example.com"
"""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """A gateway in a folder. The database must be migrated."""

    folder: Path
    database: str
    worker_class: str | None = None  # gunicorn's -k; None: our own
    workers: int = 2
    extra: str = ""  # further settings
    options: tuple[str, ...] = ()  # further options of gunicorn
    variables: dict[str, str] = field(default_factory=dict)  # settings by environment
    application: str = "gateway.app:create_app()"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        return self.folder / f"gateway-{self.port}.toml"

    @property
    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_") and k != "PORT"}
        # What a killed master cannot remove any more goes with the test's folder.
        own = {"GATEWAY_CONFIG": str(self.config), "TMPDIR": str(self.folder)}
        return {**clean, **own, **self.variables}

    def start(self) -> Self:
        """Start and wait until it is ready."""
        self.launch()
        self.wait_ready()
        return self

    def launch(self) -> None:
        """Start, and wait for nothing."""
        text = _TEMPLATE.format(
            port=self.port,
            workers=self.workers,
            database=self.database,
            master=MASTER,
            token=AUTH_TOKEN,
            sender=SENDER,
        )
        self.config.write_text(text + self.extra)
        options = ["-c", str(ROOT / "config/gunicorn.conf.py"), *self.options]
        if self.worker_class:
            options += ["-k", self.worker_class]
        command = [sys.executable, "-m", "gunicorn", *options, self.application]
        log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )
        log.close()

    def wait_ready(self, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                break
            try:
                if requests.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the server did not become ready:\n{self.log()}")

    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def worker_pids(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def kill(self) -> None:
        """SIGKILL to master and workers at once: they are a process group."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and wait for the clean end."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.terminate()
        return self.process.wait(60)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
