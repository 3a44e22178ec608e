"""The reading statements that run often, as text, for both engines but for the parameter mark."""

from functools import cache, lru_cache

from gateway.store.statements import EVENT_COLUMNS

# One statement, so one round trip and one moment for all of it. In the suppressions' rows the scope is NULL.
# Where no word stands there is no event to look for: nothing equals NULL, so the engine does not look.
_PERSONS = """
SELECT s.subject, s.scope, s.choice, s.said_at, s.seq,
       e.klass, e.source, e.rule, e.account, e.message_id, e.received_at,
       s.last_seq, s.channel, s.address
FROM states s LEFT JOIN events e
  ON e.subject = CASE WHEN s.seq > 0 THEN s.subject END AND e.seq = s.seq
WHERE s.subject {subjects}
UNION ALL
SELECT subject, NULL, reason, since, NULL, source, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM suppressions WHERE subject {subjects}
"""
_EVENTS = f"SELECT {', '.join(EVENT_COLUMNS)} FROM events WHERE subject = "  # noqa: S608 - column names only


@lru_cache(maxsize=256)
def select_persons(subjects: str) -> str:
    """Select the states of many subjects with the events that decided them, and their suppressions.

    `subjects` is the condition, with its parameters numbered, since it stands there twice: "IN (?1,?2)".
    """
    return _PERSONS.format(subjects=subjects)


@cache
def select_events(mark: str, *, before: bool) -> str:
    """Select a subject's newest events, from before a seq on where one is given."""
    older = f" AND seq < {mark}" if before else ""
    return f"{_EVENTS}{mark}{older} ORDER BY seq DESC LIMIT {mark}"


def select_words(subjects: str) -> str:
    """Select the words that stand for many subjects; `subjects` is the condition: "IN (?,?)"."""
    return f"SELECT subject, scope, choice, said_at, seq FROM states WHERE subject {subjects} AND seq > 0"  # noqa: S608 - marks only


def select_suppressions(subjects: str) -> str:
    """Select the suppressions of many subjects."""
    return f"SELECT subject, reason, since, source FROM suppressions WHERE subject {subjects}"  # noqa: S608 - marks only


def select_token(mark: str) -> str:
    """Select an operator token by its id."""
    return (
        "SELECT id, name, secret_hash, scopes, created_at, expires_at, revoked_at "  # noqa: S608 - a mark only
        f"FROM tokens WHERE id = {mark}"
    )
