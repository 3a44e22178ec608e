"""What a word covers: everything, one sender, or one program. A scope is the second half of a state's key.

`*` is all programs, `@+15550100` every program of that sender, now and later, and `offers` the program of
that slug. A withdrawal is kept as broad as it was said, so that a program which joins the sender tomorrow
is bound by yesterday's STOP. A consent is kept for the programs that were there when it was given.
"""

from collections.abc import Iterable

ALL = "*"
_SENDER_MARK = "@"


def of_sender(sender: str) -> str:
    """Return the scope of a sender in normal form."""
    return _SENDER_MARK + sender


def is_broad(scope: str) -> bool:
    """Tell whether the scope reaches over programs."""
    return scope == ALL or scope.startswith(_SENDER_MARK)


def join(scopes: Iterable[str]) -> str:
    """Return the scopes of one event as they stand in its row: sorted, one blank between."""
    return " ".join(sorted(set(scopes)))


def split(text: str) -> tuple[str, ...]:
    """Undo `join`."""
    return tuple(text.split(" ")) if text else ()
