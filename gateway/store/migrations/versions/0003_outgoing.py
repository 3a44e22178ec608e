"""What goes out: forwards of webhooks, providers' lists, rates; the outbox is searched account by account."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WAITS = sa.text("state IN ('due', 'sending')")
_DEAD = sa.text("state = 'dead'")


def upgrade() -> None:
    """Create the tables and the indexes."""
    op.drop_index("ix_outbox_due", table_name="outbox")
    _indexes("outbox")
    _forwards()
    _syncs()
    op.create_table(
        "rates",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("spent_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_rates")),
    )


def _indexes(table: str) -> None:
    op.create_index(
        f"ix_{table}_due",
        table,
        ["account", "due_at"],
        unique=False,
        sqlite_where=_WAITS,
        postgresql_where=_WAITS,
    )
    op.create_index(
        f"ix_{table}_dead", table, ["account"], unique=False, sqlite_where=_DEAD, postgresql_where=_DEAD
    )


def _forwards() -> None:
    op.create_table(
        "forwards",
        sa.Column("subject", sa.LargeBinary(length=16), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.CheckConstraint("length(subject) = 16 AND length(id) = 16", name=op.f("ck_forwards_key")),
        sa.CheckConstraint(
            "state IN ('due', 'sending', 'done', 'dropped', 'dead')", name=op.f("ck_forwards_state")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_forwards_attempts")),
        sa.PrimaryKeyConstraint("subject", "id", name=op.f("pk_forwards")),
    )
    _indexes("forwards")


def _syncs() -> None:
    op.create_table(
        "syncs",
        sa.Column("subject", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('due', 'sending', 'done', 'dropped', 'dead')", name=op.f("ck_syncs_state")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_syncs_attempts")),
        sa.PrimaryKeyConstraint("subject", "account", "sender", name=op.f("pk_syncs")),
    )
    _indexes("syncs")
