"""Language tags (BCP 47)."""

from collections.abc import Iterator


def broader(tag: str) -> Iterator[str]:
    """Yield the tag and what it is part of, the narrowest first: "zh-hant-tw", "zh-hant", "zh" (RFC 4647 3.4)."""
    parts = tag.lower().split("-")
    for size in range(len(parts), 0, -1):
        yield "-".join(parts[:size])
