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
# The questions only: other events pay nothing for it.
_ASKED = events.c.reply == "clarify"
Index("ix_events_questions", events.c.received_at, sqlite_where=_ASKED, postgresql_where=_ASKED)

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


def _queue_indexes(table: Table) -> None:
    """Index what a worker looks for: what is due, account by account, and what is dead."""
    waits, dead = table.c.state.in_(["due", "sending"]), table.c.state == "dead"
    name = table.name
    Index(f"ix_{name}_due", table.c.account, table.c.due_at, sqlite_where=waits, postgresql_where=waits)
    Index(f"ix_{name}_dead", table.c.account, sqlite_where=dead, postgresql_where=dead)


_queue_indexes(outbox)

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

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Text, primary_key=True),  # digest of what came: repeated deliveries are one letter
    Column("account", Text, nullable=False),
    Column("kind", Text, nullable=False),  # the path: of messages or of delivery reports
    Column("reason", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("repeated_at", BigInteger, nullable=False),  # its newest delivery
    Column("deliveries", Integer, nullable=False),
    Column("handled_at", BigInteger),
    Column("method", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    CheckConstraint("kind IN ('inbound', 'status')", name="kind"),
    CheckConstraint("deliveries > 0 AND received_at <= repeated_at", name="deliveries"),
    Index(None, "received_at"),
)

nonces = Table(
    "nonces",
    metadata,
    Column("account", Text, nullable=False),
    Column("nonce", LargeBinary(32), nullable=False),  # its digest: of bounded length
    Column("request", LargeBinary(32), nullable=False),  # digest of what it came with
    Column("seen_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account", "nonce"),
    Index(None, "seen_at"),
)

message_parts = Table(
    "message_parts",
    metadata,
    Column("subject", LargeBinary(16), nullable=False),
    Column("account", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("sender", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("lead", Text),  # message id of the first part, once the parts are joined
    Column("message", Text),  # goes once the ledger has it; the row stays a while, to know repeats by
    PrimaryKeyConstraint("subject", "account", "message_id", "number"),
    CheckConstraint("number BETWEEN 1 AND total AND total BETWEEN 2 AND 255", name="number"),
    CheckConstraint("state IN ('waiting', 'joined', 'alone')", name="state"),
    CheckConstraint("(state = 'joined') = (lead IS NOT NULL)", name="lead"),
    CheckConstraint("state <> 'waiting' OR message IS NOT NULL", name="waiting"),
    Index(None, "received_at"),
)
Index(
    "ix_message_parts_unread",
    message_parts.c.received_at,
    sqlite_where=message_parts.c.message.is_not(None),
    postgresql_where=message_parts.c.message.is_not(None),
)

forwards = Table(
    "forwards",
    metadata,
    Column("subject", LargeBinary(16), nullable=False),
    Column("id", LargeBinary(16), nullable=False),  # the same however often the webhook is delivered
    Column("account", Text, nullable=False),
    Column("sender", Text, nullable=False),  # whose application it is for; "": the account's
    Column("method", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("events", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("result", Text),  # the status of the answer, or what went wrong
    PrimaryKeyConstraint("subject", "id"),
    CheckConstraint("length(subject) = 16 AND length(id) = 16", name="key"),
    CheckConstraint("state IN ('due', 'sending', 'done', 'dropped', 'dead')", name="state"),
    CheckConstraint("attempts >= 0", name="attempts"),
)
_queue_indexes(forwards)

syncs = Table(
    "syncs",
    metadata,
    Column("subject", LargeBinary(16), nullable=False),
    Column("account", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),  # of the newest event about it
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("result", Text),  # what was told, or the provider's error code
    PrimaryKeyConstraint("subject", "account", "sender"),
    CheckConstraint("state IN ('due', 'sending', 'done', 'dropped', 'dead')", name="state"),
    CheckConstraint("attempts >= 0", name="attempts"),
)
_queue_indexes(syncs)

rates = Table(
    "rates",
    metadata,
    Column("account", Text, primary_key=True),
    Column("spent_until", BigInteger, nullable=False),  # sends are spent up to this time
)
