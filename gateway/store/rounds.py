"""Rounds of reads: what is asked for in the same turn of the server shares one statement.

Whoever first wants to know makes the read for all who asked before. Under a server that iterates response
bodies after a round of calls, one statement serves the round; under any other a round holds one question.
"""

import threading
from collections.abc import Callable, Mapping, Sequence

from gateway.errors import OurTroubleError
from gateway.store.reader import PersonRows

Read = Callable[[Sequence[bytes]], Mapping[bytes, PersonRows]]

_MOST = 256  # subjects a statement


class Round:
    """Subjects that are read together."""

    __slots__ = ("_found", "_read", "_subjects", "_trouble")

    def __init__(self, read: Read) -> None:
        self._read = read
        self._subjects: list[bytes] = []
        self._found: Mapping[bytes, PersonRows] | None = None
        self._trouble: OurTroubleError | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether it takes another subject."""
        return self._found is None and self._trouble is None and len(self._subjects) < _MOST

    def add(self, subject: bytes) -> None:
        """Read this subject too."""
        self._subjects.append(subject)

    def rows(self, subject: bytes) -> PersonRows | None:
        """Return what is known of a subject that was added. Raises `OurTroubleError`, to all of them."""
        if self._trouble is not None:
            raise self._trouble
        if self._found is None:
            self._found = self._read_all()
        return self._found.get(subject)

    def _read_all(self) -> Mapping[bytes, PersonRows]:
        try:
            return self._read(self._subjects)
        except OurTroubleError as trouble:
            self._trouble = trouble
            raise


class Rounds:
    """Gives each thread its open round."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._local = threading.local()

    def join(self, subject: bytes) -> Round:
        """Return the round in which the subject will be read, after this call."""
        now: Round | None = getattr(self._local, "round", None)
        if now is None or not now.is_open:
            now = self._local.round = Round(self._read)
        now.add(subject)
        return now
