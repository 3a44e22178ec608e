"""Where in a TOML file a word stands, for messages that a person can act on."""

import re
from collections.abc import Iterator
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
    """A TOML file: its name as the reader of a message knows it, and its text."""

    name: str
    text: str
    lines: tuple[_Line, ...]

    @classmethod
    def of(cls, name: str, text: str) -> "Source":
        """Return the source of `text`, which need not be valid TOML."""
        return cls(name, text, tuple(_lines(text)))

    def place(self, table: str, *, key: str = "", word: str = "") -> str:
        """Return "file:line" of the word, else of its key, else of its table, else the file's name."""
        inside = [line for line in self.lines if line.is_in(table, key)]
        exact = [line for line in inside if word in line.strings]
        near = exact or inside or [line for line in self.lines if line.is_in(table, "")]
        return f"{self.name}:{near[0].number}" if near else self.name


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
