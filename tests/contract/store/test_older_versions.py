"""A database of an older version keeps what it holds."""

from pathlib import Path

from alembic import command
from sqlalchemy import text
from support.outgoing import forward

from gateway.store.engine import open_engine, writing
from gateway.store.migrate import _config, current, newest, upgrade


def test_a_database_of_an_older_version_keeps_what_waits_in_its_outbox(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path}/old.sqlite3")
    with writing(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(
            text(
                "INSERT INTO outbox VALUES (:subject, 1, 'reply', 'acme', '+1', 'text', 'due', 0, 1, NULL, 1, NULL)"
            ),
            {"subject": forward().subject},
        )
    upgrade(engine)
    assert current(engine) == newest()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT payload FROM outbox")).scalars().all() == ["text"]
    engine.dispose()
