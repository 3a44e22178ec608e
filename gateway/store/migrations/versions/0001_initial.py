"""Initial schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables."""
    _audit()
    _checkpoints()
    _events()
    _outbox()
    _states()
    _probes()
    _suppressions()
    _tokens()


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=16), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )


def _checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(
            "number > 0 AND from_at < until_at AND until_at < sealed_at", name=op.f("ck_checkpoints_times")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_checkpoints")),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("subject", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("klass", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("chain", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(
            "choice IN ('n', 'p', 'y', 'dn', 'u', 'CT', 'CP', 'VI', 'PI', 'LI', 'dy')",
            name=op.f("ck_events_choice"),
        ),
        sa.CheckConstraint("choice IS NULL OR scope <> ''", name=op.f("ck_events_choice_has_scope")),
        sa.CheckConstraint(
            "said_at <= received_at AND received_at <= recorded_at", name=op.f("ck_events_times")
        ),
        sa.CheckConstraint("seq > 0", name=op.f("ck_events_seq")),
        sa.PrimaryKeyConstraint("subject", "account", "message_id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_recorded_at", "events", ["recorded_at"], unique=False)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("subject", sa.LargeBinary(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('reply')", name=op.f("ck_outbox_kind")),
        sa.CheckConstraint(
            "state IN ('due', 'sending', 'done', 'dropped', 'dead')", name=op.f("ck_outbox_state")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_outbox_attempts")),
        sa.PrimaryKeyConstraint("subject", "seq", "kind", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('due', 'sending')"),
        postgresql_where=sa.text("state IN ('due', 'sending')"),
    )


def _states() -> None:
    op.create_table(
        "states",
        sa.Column("subject", sa.LargeBinary(length=16), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=True),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.SmallInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=True),
        sa.Column("prior_seq", sa.BigInteger(), nullable=True),
        sa.Column("head", sa.LargeBinary(length=32), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("replies", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(scope = '*') = (head IS NOT NULL AND channel IS NOT NULL)", name=op.f("ck_states_head_complete")
        ),
        sa.CheckConstraint("(scope = '*') = (last_seq IS NOT NULL)", name=op.f("ck_states_head_scope")),
        sa.CheckConstraint(
            "weight = CASE WHEN (choice = 'n') THEN 109 WHEN (choice = 'p') THEN 105 WHEN (choice = 'y') THEN 101 WHEN (choice = 'dn') THEN 9 WHEN (choice = 'u') THEN 8 WHEN (choice = 'CT') THEN 7 WHEN (choice = 'CP') THEN 6 WHEN (choice = 'VI') THEN 5 WHEN (choice = 'PI') THEN 4 WHEN (choice = 'LI') THEN 3 WHEN (choice = 'dy') THEN 2 ELSE 0 END",
            name=op.f("ck_states_weight"),
        ),
        sa.CheckConstraint("(choice IS NULL) = (seq = 0)", name=op.f("ck_states_choice_has_event")),
        sa.CheckConstraint("last_seq > prior_seq", name=op.f("ck_states_forward")),
        sa.CheckConstraint("length(subject) = 16", name=op.f("ck_states_subject")),
        sa.PrimaryKeyConstraint("subject", "scope", name=op.f("pk_states")),
        postgresql_with={"fillfactor": 80},
        sqlite_with_rowid=False,
    )


def _probes() -> None:
    op.create_table(
        "probes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_probes")),
    )


def _suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("subject", sa.LargeBinary(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('hard_bounce', 'complaint', 'wrong_number', 'deactivated', 'manual')",
            name=op.f("ck_suppressions_reason"),
        ),
        sa.PrimaryKeyConstraint("subject", "reason", name=op.f("pk_suppressions")),
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(secret_hash) = 32", name=op.f("ck_tokens_secret_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
    )
