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

SUPPRESSION_COLUMNS = ("subject", "reason", "since", "source")
SYNC_COLUMNS = ("subject", "account", "sender", "seq", "state", "attempts", "due_at", "changed_at")
FORWARD_COLUMNS = (
    "subject",
    "id",
    "account",
    "sender",
    "method",
    "url",
    "headers",
    "body",
    "events",
    "received_at",
    "state",
    "attempts",
    "due_at",
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


# One that is being told stays with its worker, which sees by the seq that there is news.
SYNC_CONFLICT = """
ON CONFLICT (subject, account, sender) DO UPDATE SET
  seq = excluded.seq,
  state = CASE WHEN syncs.state = 'sending' THEN 'sending' ELSE 'due' END,
  attempts = CASE WHEN syncs.state = 'sending' THEN syncs.attempts ELSE 0 END,
  due_at = excluded.due_at,
  changed_at = CASE WHEN syncs.state = 'sending' THEN syncs.changed_at ELSE excluded.changed_at END
"""


def _tuples(rows: int, columns: int, mark: str) -> str:
    """Return the rows of a VALUES list. The mark "$" is numbered, as PostgreSQL wants it; "?" is not."""
    numbers = range(1, rows * columns + 1)
    marks = [f"${number}" for number in numbers] if mark == "$" else [mark] * len(numbers)
    cuts = range(0, len(marks), columns)
    return ", ".join(f"({', '.join(marks[start : start + columns])})" for start in cuts)


def insert(table: str, columns: Sequence[str], *, rows: int, mark: str) -> str:
    """Return an INSERT of so many rows."""
    values = _tuples(rows, len(columns), mark)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}"  # noqa: S608 - names and marks only


@lru_cache(maxsize=256)
def insert_events(rows: int, mark: str) -> str:
    """Insert events; a claim that is taken raises."""
    return insert("events", EVENT_COLUMNS, rows=rows, mark=mark)


@lru_cache(maxsize=256)
def upsert_states(rows: int, mark: str) -> str:
    """Write states; a lost race, or an older word over a newer one, raises."""
    return insert("states", STATE_COLUMNS, rows=rows, mark=mark) + _STATE_CONFLICT


@lru_cache(maxsize=256)
def insert_outbox(rows: int, mark: str) -> str:
    """Insert work for after the commit."""
    return insert("outbox", OUTBOX_COLUMNS, rows=rows, mark=mark)


@lru_cache(maxsize=256)
def insert_suppressions(rows: int, mark: str) -> str:
    """Insert suppressions; one that is there already stays as it is."""
    return (
        insert("suppressions", SUPPRESSION_COLUMNS, rows=rows, mark=mark)
        + " ON CONFLICT (subject, reason) DO NOTHING"
    )


def lift_wrong_number(mark: str) -> str:
    """Delete the suppression of a wrong number that is older than a word of the person who has it now."""
    subject, said_at = (f"{mark}1", f"{mark}2") if mark == "$" else (mark, mark)
    return f"DELETE FROM suppressions WHERE subject = {subject} AND reason = 'wrong_number' AND since < {said_at}"  # noqa: S608 - marks only


@lru_cache(maxsize=256)
def upsert_syncs(rows: int, mark: str) -> str:
    """Ask for providers to be told of persons, also of those that were told of before."""
    return insert("syncs", SYNC_COLUMNS, rows=rows, mark=mark) + SYNC_CONFLICT


@lru_cache(maxsize=256)
def insert_forwards(rows: int, mark: str) -> str:
    """Insert forwards; one that is there already stays as it is."""
    return insert("forwards", FORWARD_COLUMNS, rows=rows, mark=mark) + " ON CONFLICT (subject, id) DO NOTHING"


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
