"""The statements of the hot path, as text: they are the same on every engine but for the parameter mark.

Multi-row VALUES sorted by key is the form that is fast on PostgreSQL, distributes by subject, and cannot
deadlock with itself. Conflicts raise: a lost race on a subject's head would make `prior_seq` equal to
`last_seq`, an older word over a newer one would make `said_at` NULL, and a constraint refuses each. So the
commit can travel with the statements, without a look at row counts in between.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

EVENT_COLUMNS = (
    "subject",
    "account",
    "message_id",
    "seq",
    "klass",
    "choice",
    "scope",
    "sender",
    "source",
    "rule",
    "said_at",
    "received_at",
    "recorded_at",
    "actor",
    "reply",
    "text",
    "evidence",
    "salt",
    "digest",
    "chain",
)
STATE_COLUMNS = (
    "subject",
    "scope",
    "choice",
    "said_at",
    "seq",
    "weight",
    "last_seq",
    "prior_seq",
    "head",
    "channel",
    "address",
    "replies",
)
OUTBOX_COLUMNS = (
    "subject",
    "seq",
    "kind",
    "account",
    "sender",
    "payload",
    "state",
    "attempts",
    "due_at",
    "expires_at",
    "changed_at",
)

Row = tuple[Any, ...]

_STATE_CONFLICT = """
ON CONFLICT (subject, scope) DO UPDATE SET
  choice = excluded.choice,
  said_at = CASE
    WHEN (excluded.weight / 100, excluded.said_at, excluded.weight)
      >= (states.weight / 100, states.said_at, states.weight)
    THEN excluded.said_at END,
  seq = excluded.seq,
  weight = excluded.weight,
  last_seq = excluded.last_seq,
  prior_seq = CASE
    WHEN states.last_seq = excluded.prior_seq THEN excluded.prior_seq ELSE excluded.last_seq END,
  head = excluded.head,
  address = excluded.address,
  replies = excluded.replies
"""


def _tuples(rows: int, columns: int, mark: str) -> str:
    """Return the rows of a VALUES list. The mark "$" is numbered, as PostgreSQL wants it; "?" is not."""
    numbers = range(1, rows * columns + 1)
    marks = [f"${number}" for number in numbers] if mark == "$" else [mark] * len(numbers)
    cuts = range(0, len(marks), columns)
    return ", ".join(f"({', '.join(marks[start : start + columns])})" for start in cuts)


def _insert(table: str, columns: Sequence[str], *, rows: int, mark: str) -> str:
    values = _tuples(rows, len(columns), mark)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}"  # noqa: S608 - names and marks only


@lru_cache(maxsize=256)
def insert_events(rows: int, mark: str) -> str:
    """Insert events; a claim that is taken raises."""
    return _insert("events", EVENT_COLUMNS, rows=rows, mark=mark)


@lru_cache(maxsize=256)
def upsert_states(rows: int, mark: str) -> str:
    """Write states; a lost race, or an older word over a newer one, raises."""
    return _insert("states", STATE_COLUMNS, rows=rows, mark=mark) + _STATE_CONFLICT


@lru_cache(maxsize=256)
def insert_outbox(rows: int, mark: str) -> str:
    """Insert work for after the commit."""
    return _insert("outbox", OUTBOX_COLUMNS, rows=rows, mark=mark)


PERSON_COLUMNS = "subject, scope, choice, said_at, seq, last_seq, head, replies"


@lru_cache(maxsize=256)
def select_claims(claims: int, mark: str) -> str:
    """Select which of these (subject, account, message id) are taken."""
    wanted = _tuples(claims, 3, mark)
    # A join: SQLite does not use the index for a list of tuples behind IN.
    return (
        f"WITH wanted (subject, account, message_id) AS (VALUES {wanted}) "  # noqa: S608 - marks only
        "SELECT e.subject, e.account, e.message_id FROM wanted w JOIN events e "
        "ON e.subject = w.subject AND e.account = w.account AND e.message_id = w.message_id"
    )
