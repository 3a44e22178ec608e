"""What comes in and is not yet in the ledger: dead letters, nonces and the parts of long messages."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _dead_letters()
    _nonces()
    _message_parts()


def _dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("repeated_at", sa.BigInteger(), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("handled_at", sa.BigInteger(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('inbound', 'status')", name=op.f("ck_dead_letters_kind")),
        sa.CheckConstraint(
            "deliveries > 0 AND received_at <= repeated_at", name=op.f("ck_dead_letters_deliveries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
    )
    op.create_index("ix_dead_letters_received_at", "dead_letters", ["received_at"], unique=False)


def _nonces() -> None:
    op.create_table(
        "nonces",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=32), nullable=False),
        sa.Column("request", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "nonce", name=op.f("pk_nonces")),
    )
    op.create_index("ix_nonces_seen_at", "nonces", ["seen_at"], unique=False)


def _message_parts() -> None:
    op.create_table(
        "message_parts",
        sa.Column("subject", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "number BETWEEN 1 AND total AND total BETWEEN 2 AND 255", name=op.f("ck_message_parts_number")
        ),
        sa.CheckConstraint("state IN ('waiting', 'joined', 'alone')", name=op.f("ck_message_parts_state")),
        sa.CheckConstraint("(state = 'joined') = (lead IS NOT NULL)", name=op.f("ck_message_parts_lead")),
        sa.CheckConstraint(
            "state <> 'waiting' OR message IS NOT NULL", name=op.f("ck_message_parts_waiting")
        ),
        sa.PrimaryKeyConstraint("subject", "account", "message_id", "number", name=op.f("pk_message_parts")),
    )
    op.create_index("ix_message_parts_received_at", "message_parts", ["received_at"], unique=False)
    op.create_index(
        "ix_message_parts_unread",
        "message_parts",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("message IS NOT NULL"),
        postgresql_where=sa.text("message IS NOT NULL"),
    )
