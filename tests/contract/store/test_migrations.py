"""The migrations make the schema that the code declares, to the last constraint, on both engines."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from support.databases import Postgres

from gateway.store.engine import open_engine
from gateway.store.migrate import current, newest, upgrade
from gateway.store.tables import metadata

_COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version' ORDER BY 1, 2
"""
_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2
"""
_INDEXES = """
SELECT tablename, indexname, indexdef FROM pg_indexes
WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1, 2
"""
_OPTIONS = (
    "SELECT relname, reloptions FROM pg_class WHERE reloptions IS NOT NULL AND relkind = 'r' ORDER BY 1"
)
_SQLITE = """
SELECT type, name, sql FROM sqlite_master
WHERE name NOT LIKE '%alembic%' AND name NOT LIKE 'sqlite_%' ORDER BY 1, 2
"""


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def postgres_schema(engine: Engine) -> list[list[tuple]]:
    with engine.connect() as connection:
        queries = (_COLUMNS, _CONSTRAINTS, _INDEXES, _OPTIONS)
        return [[tuple(row) for row in connection.execute(text(query))] for query in queries]


def sqlite_schema(engine: Engine) -> list[tuple]:
    with engine.connect() as connection:
        return [
            (kind, name, sorted(line.strip(" \t,") for line in str(made).splitlines()))
            for kind, name, made in connection.execute(text(_SQLITE))
        ]


def test_on_sqlite_the_migrations_make_what_the_tables_say(tmp_path: Path):
    with (
        opened(f"sqlite:///{tmp_path}/migrated.sqlite3") as migrated,
        opened(f"sqlite:///{tmp_path}/declared.sqlite3") as declared,
    ):
        upgrade(migrated)
        metadata.create_all(declared)
        assert sqlite_schema(migrated) == sqlite_schema(declared)
        assert current(migrated) == newest()


def test_on_postgresql_too(postgres: Postgres):
    with (
        postgres.database() as one,
        postgres.database() as other,
        opened(one) as migrated,
        opened(other) as declared,
    ):
        upgrade(migrated)
        metadata.create_all(declared)
        assert postgres_schema(migrated) == postgres_schema(declared)


@pytest.mark.parametrize("times", [2, 3])
def test_an_upgrade_can_be_repeated(engine: Engine, times: int):
    for _ in range(times):
        upgrade(engine)
    assert current(engine) == newest()
