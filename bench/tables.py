"""Tables in Markdown, for people and for the documentation."""

from collections.abc import Sequence

_SHORT = 60


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; each row has a cell for each name of the head."""
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def share(part: int, whole: int) -> str:
    """Return `97.5 % (39/40)`; with two decimals below one of a hundred."""
    if not whole:
        return "-"
    decimals = 2 if part * 100 < whole else 1
    return f"{part / whole * 100:.{decimals}f} % ({part:,}/{whole:,})"


def quoted(text: str) -> str:
    """Return the beginning of a text as code that a table can hold; what does not print is shown escaped."""
    shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    cut = shown if len(shown) <= _SHORT else shown[: _SHORT - 1] + "…"
    return f"`{cut.replace('`', chr(39)).replace('|', '/')}`"
