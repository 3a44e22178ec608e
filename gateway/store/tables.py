"""The schema. Times are microseconds since 1970 UTC; everything about a person is keyed by subject first.

There is no table of persons: the state of scope `*` exists for everyone who has an event, and carries the
address and the head of the ledger. So a message costs one event, the row of `*` and the row of its scope,
which lie side by side.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    case,
    column,
    literal,
)

from gateway.consent.choice import EFFECTS

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_CHOICES = ", ".join(f"'{choice}'" for choice in EFFECTS)
_WEIGHTS = case(
    *(
        (column("choice") == literal(str(choice)), literal(effect.weight))
        for choice, effect in EFFECTS.items()
    ),
    else_=literal(0),
)

events = Table(
    "events",
    metadata,
    Column("subject", LargeBinary(16), nullable=False),
    Column("account", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("klass", Text, nullable=False),
    Column("choice", Text),
    Column("scope", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("said_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("actor", Text),
    Column("reply", Text),
    Column("text", Text),
    Column("evidence", Text),
    Column("salt", LargeBinary(16)),
    Column("digest", LargeBinary(32), nullable=False),
    Column("chain", LargeBinary(32), nullable=False),
    # The claim: one message makes one event, however often it is delivered.
    PrimaryKeyConstraint("subject", "account", "message_id"),
    CheckConstraint("seq > 0", name="seq"),
    CheckConstraint(f"choice IN ({_CHOICES})", name="choice"),
    CheckConstraint("choice IS NULL OR scope <> ''", name="choice_has_scope"),
    CheckConstraint("said_at <= received_at AND received_at <= recorded_at", name="times"),
    Index(None, "recorded_at"),
)

states = Table(
    "states",
    metadata,
    Column("subject", LargeBinary(16), nullable=False),
    Column("scope", Text, nullable=False),
    Column("choice", Text),
    Column("said_at", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("weight", SmallInteger, nullable=False),
    # The row of scope `*` only:
    Column("last_seq", BigInteger),  # seq of the subject's newest event
    Column("prior_seq", BigInteger),  # last_seq before the newest write: the compare of its compare-and-set
    Column("head", LargeBinary(32)),
    Column("channel", Text),
    Column("address", Text),
    Column("replies", Text),  # automatic replies of the last day, for the loop guard
    PrimaryKeyConstraint("subject", "scope"),
    CheckConstraint("length(subject) = 16", name="subject"),
    CheckConstraint("(scope = '*') = (last_seq IS NOT NULL)", name="head_scope"),
    CheckConstraint("(scope = '*') = (head IS NOT NULL AND channel IS NOT NULL)", name="head_complete"),
    CheckConstraint("last_seq > prior_seq", name="forward"),
    CheckConstraint("(choice IS NULL) = (seq = 0)", name="choice_has_event"),
    CheckConstraint(column("weight") == _WEIGHTS, name="weight"),
    sqlite_with_rowid=False,
    # Room on each page for the next version of a row (PostgreSQL: heap-only tuples).
    postgresql_with={"fillfactor": 80},
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("subject", LargeBinary(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("note", Text),
    PrimaryKeyConstraint("subject", "reason"),
    CheckConstraint(
        "reason IN ('hard_bounce', 'complaint', 'wrong_number', 'deactivated', 'manual')", name="reason"
    ),
)

outbox = Table(
    "outbox",
    metadata,
    Column("subject", LargeBinary(16), nullable=False),
    Column("seq", BigInteger, nullable=False),  # of the event that caused it
    Column("kind", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("changed_at", BigInteger, nullable=False),
    Column("result", Text),  # the provider's message id, or its error code
    PrimaryKeyConstraint("subject", "seq", "kind"),
    CheckConstraint("kind IN ('reply')", name="kind"),
    CheckConstraint("state IN ('due', 'sending', 'done', 'dropped', 'dead')", name="state"),
    CheckConstraint("attempts >= 0", name="attempts"),
)
Index(
    "ix_outbox_due",
    outbox.c.due_at,
    sqlite_where=outbox.c.state.in_(["due", "sending"]),
    postgresql_where=outbox.c.state.in_(["due", "sending"]),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed_at", BigInteger, nullable=False),
    Column("from_at", BigInteger, nullable=False),  # events recorded after this time
    Column("until_at", BigInteger, nullable=False),  # up to and with this time
    Column("events", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("seal", LargeBinary(32), nullable=False),
    CheckConstraint("number > 0 AND from_at < until_at AND until_at < sealed_at", name="times"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    CheckConstraint("length(secret_hash) = 32", name="secret_hash"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", LargeBinary(16)),
    Column("detail", Text),
)

probes = Table(
    "probes",
    metadata,
    Column("name", Text, primary_key=True),  # "ready": the readiness check; "worker": its last turn
    Column("at", BigInteger, nullable=False),
)
