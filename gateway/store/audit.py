"""What operators did, one row each, in the transaction of the deed: either both are there or neither."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection, insert

from gateway.store.tables import audit


def record(
    connection: Connection,
    actor: str,
    action: str,
    *,
    at: int,
    subject: bytes | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write down that `actor` did `action` at `at` (microseconds UTC).

    `detail` is kept as JSON and must hold no secret and nothing personal: a person is named by `subject`.
    """
    text = None if detail is None else json.dumps(detail, separators=(",", ":"), ensure_ascii=False)
    connection.execute(insert(audit).values(at=at, actor=actor, action=action, subject=subject, detail=text))
