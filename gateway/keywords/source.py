"""Where in a TOML file a word stands, for messages that a person can act on."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_HEADER = re.compile(r"\s*\[+([^\[\]]+)\]+")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=""")
_STRING_OR_COMMENT = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|#.*""")


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    table: str
    key: str
    strings: tuple[str, ...]

    def is_in(self, table: str, key: str) -> bool:
        """Tell whether the line belongs to the table (or one below it) and, where given, to the key, dotted or not."""
        in_table = self.table == table or self.table.startswith(f"{table}.")
        return in_table and key in ("", self.key, self.key.rpartition(".")[2])


@dataclass(frozen=True, slots=True)
class Source:
    """A TOML file: its name as the reader of a message knows it, and what stands on its lines."""

    name: str
    lines: tuple[_Line, ...]
    by_string: Mapping[str, tuple[_Line, ...]]  # the lines on which a string stands

    @classmethod
    def of(cls, name: str, text: str, *, tables: Iterable[str] = ()) -> "Source":
        """Return the source of `text`, which need not be valid TOML.

        With `tables` it keeps these alone, with those below them: the others may hold secrets.
        """
        wanted = tuple(tables)
        lines = _lines(text)
        kept = [line for line in lines if not wanted or any(line.is_in(table, "") for table in wanted)]
        return cls(name, tuple(kept), _by_string(kept))

    def place(self, table: str, *, key: str = "", word: str = "") -> str:
        """Return "file:line" of the word, else of its key, else of its table, else the file's name."""
        named = self.by_string.get(word, ()) if word else ()
        exact = (line for line in named if line.is_in(table, key))
        inside = (line for line in self.lines if line.is_in(table, key))
        near = (line for line in self.lines if line.is_in(table, ""))
        found = next(exact, None) or next(inside, None) or next(near, None)
        return f"{self.name}:{found.number}" if found else self.name


def _by_string(lines: Iterable[_Line]) -> Mapping[str, tuple[_Line, ...]]:
    found: dict[str, list[_Line]] = {}
    for line in lines:
        for string in line.strings:
            found.setdefault(string, []).append(line)
    return {string: tuple(places) for string, places in found.items()}


def _lines(text: str) -> Iterator[_Line]:
    """Read line by line: tomllib tells no positions. Multi-line strings are not followed."""
    table = key = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table, key = header.group(1).replace('"', "").replace("'", "").strip(), ""
        elif found := _KEY.match(line):
            key = found.group(1).strip("\"'")
        yield _Line(number, table, key, tuple(_strings(line)))


def _strings(line: str) -> Iterator[str]:
    for found in _STRING_OR_COMMENT.findall(line):
        if not found.startswith("#"):
            yield found[1:-1]
