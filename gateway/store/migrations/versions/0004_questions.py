"""Clarifying questions are found by the time at which they were asked."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ASKED = sa.text("reply = 'clarify'")


def upgrade() -> None:
    """Create the index. It holds the questions only, so other events pay nothing for it."""
    op.create_index(
        "ix_events_questions",
        "events",
        ["received_at"],
        unique=False,
        sqlite_where=_ASKED,
        postgresql_where=_ASKED,
    )
