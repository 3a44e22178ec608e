"""Where a value stands in a webhook: `data.items[].id`, `to[0]`, `"a.b".c`; in a form simply the field's name.

`[]` stands for every element of a list, `[0]` for the first; `$.` begins at the whole document instead of
at the single message.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

ROOT = "$"

_STEP = re.compile(r'\[(?P<index>[0-9]{0,3})\]|(?P<dot>\.)?(?:"(?P<quoted>[^"]+)"|(?P<name>[^.\[\]"]+))')

Step = str | int | None  # None: every element


@dataclass(frozen=True, slots=True)
class Path:
    """A way into a document; the empty one leads to the document itself."""

    steps: tuple[Step, ...] = ()
    is_absolute: bool = False  # from the whole document, not from the single message

    @classmethod
    def parse(cls, text: str) -> "Path":
        """Read a path as it is written in the settings; raise `ValueError` for what is none."""
        is_absolute = text == ROOT or text.startswith((ROOT + ".", ROOT + "["))
        return cls(tuple(_steps(text.removeprefix(ROOT) if is_absolute else text, text)), is_absolute)

    @classmethod
    def name(cls, text: str) -> "Path":
        """Return the path of a form's field, whose name may hold any character."""
        return cls((text,))

    def values(self, document: Any) -> Iterator[Any]:
        """Yield every value that the path leads to, None among them; nothing where it leads nowhere."""
        return _walk(document, self.steps)

    def first(self, document: Any) -> Any:
        """Return the first value, None where there is none."""
        if None in self.steps:
            return next(self.values(document), None)
        for step in self.steps:
            document = _next(document, step)
        return document

    def has_list(self, document: Any) -> bool:
        """Tell whether the lists of the path are there, be it without elements."""
        return _has_list(document, self.steps)

    def put(self, document: Any, value: Any) -> Any:
        """Return the document with the value at the path, made on the way; lists get one element.

        Raises `ValueError` where something else stands in the way.
        """
        return _put(document, self.steps, value)


def document(elements: Path, contents: Iterable[tuple[Path, Any]]) -> Any:
    """Return a document whose one element, at `elements`, holds the contents.

    Raises `ValueError` where two of the paths contradict each other.
    """
    relative: Any = None
    absolute = []
    for path, value in contents:
        if path.is_absolute:
            absolute.append((path, value))
        else:
            relative = path.put(relative, value)
    whole = elements.put(None, relative)
    for path, value in absolute:
        whole = path.put(whole, value)
    return whole


def _steps(text: str, whole: str) -> Iterator[Step]:
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        # A name follows a dot unless it begins the path.
        if match is None or (match["index"] is None and bool(match["dot"]) == (at == 0 and text is whole)):
            raise ValueError(f"{whole!r} is no path: write it like data.items[].id")
        at = match.end()
        if match["index"] is not None:
            yield int(match["index"]) if match["index"] else None
        else:
            yield match["quoted"] or match["name"]


def _walk(value: Any, steps: tuple[Step, ...]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if step is None:
        for element in value if isinstance(value, list) else ():
            yield from _walk(element, rest)
    elif isinstance(step, int):
        if isinstance(value, list) and step < len(value):
            yield from _walk(value[step], rest)
    elif isinstance(value, dict) and step in value:
        yield from _walk(value[step], rest)


def _next(value: Any, step: Step) -> Any:
    """Return what one step leads to, None where it leads nowhere."""
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    return value[step] if isinstance(value, list) and step is not None and step < len(value) else None


def _has_list(value: Any, steps: tuple[Step, ...]) -> bool:
    if None not in steps:
        return True
    step, rest = steps[0], steps[1:]
    if step is None:
        return isinstance(value, list) and all(_has_list(element, rest) for element in value)
    return any(_has_list(inner, rest) for inner in _walk(value, (step,)))


def _put(document: Any, steps: tuple[Step, ...], value: Any) -> Any:
    if not steps:
        if document is not None:
            raise ValueError("two of the paths contradict each other: one ends where the other goes on")
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        table = _made(document, dict)
        return {**table, step: _put(table.get(step), rest, value)}
    index = step or 0
    items = [*_made(document, list)]
    items += [None] * (index + 1 - len(items))
    items[index] = _put(items[index], rest, value)
    return items


def _made(document: Any, kind: type[Any]) -> Any:
    if document is None:
        return kind()
    if not isinstance(document, kind):
        raise ValueError("two of the paths contradict each other: one wants a list or value, one a table")  # noqa: TRY004 - a setting is wrong, not a type of ours
    return document
