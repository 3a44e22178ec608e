"""Fixtures for every test: databases of both kinds, and nothing that calls out of this machine."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).parent))

from support.databases import Postgres, clean, sqlite_url

from gateway.store.engine import open_engine
from gateway.store.migrate import upgrade

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real test data that is not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("the folder with real test data is not beside the project")
    return SHARED / "data"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL for this run: GATEWAY_TEST_POSTGRES_URL, or one of our own from a wheel."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # one server for all workers
    # Not below pytest's own folder: that one is closed to the user whom the server runs as.
    name = f"gateway-postgres-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    with Postgres.open(Path(tempfile.gettempdir()) / name) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A migrated database of this test process."""
    with postgres.database() as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated database, once on each engine."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    url: str = request.getfixturevalue("postgres_url")
    clean(url)
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The engine of `database_url`."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty, migrated SQLite database."""
    engine = open_engine(sqlite_url(tmp_path))
    yield engine
    engine.dispose()
