"""On which line each key of a TOML document stands. `tomllib` gives the values but not their places."""

import re
import tomllib

from gateway.configuration.faults import KeyPath

_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# A text over several lines may end in up to two quotes of its own, before the closing three.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, of every key, table and list element of a document that `tomllib` accepts.

    A table has the line of its header or, without one, of the first key that implies it.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    """Walks over a valid document; says nothing about invalid ones."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._counts: dict[KeyPath, int] = {}  # elements so far of each [[list of tables]]

    def document(self) -> None:
        table: KeyPath = ()
        self._skip()
        while self._at < len(self._text):
            if self._sees("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip()

    def _header(self) -> KeyPath:
        line = self._line()
        brackets = 2 if self._sees("[[") else 1
        self._at += brackets
        self._skip()
        key = self._key()
        self._at += brackets
        path = self._resolve(key[:-1]) + key[-1:]
        if brackets == len("[["):
            path = self._next_element(path, line)
        self._note(path, line)
        return path

    def _resolve(self, key: KeyPath) -> KeyPath:
        """Return the path of a header's parents: of a list of tables, the last element so far is meant."""
        path: KeyPath = ()
        for part in key:
            path += (part,)
            if path in self._counts:
                path += (self._counts[path] - 1,)
        return path

    def _next_element(self, path: KeyPath, line: int) -> KeyPath:
        index = self._counts.get(path, 0)
        self._counts[path] = index + 1
        self.lines.setdefault(path, line)
        return (*path, index)

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = table + self._key()
        self._note(path, line)
        self._at += len("=")
        self._value(path)

    def _key(self) -> KeyPath:
        parts = [self._part()]
        while self._sees("."):
            self._at += len(".")
            self._skip()
            parts.append(self._part())
        return tuple(parts)

    def _part(self) -> str:
        quoted = self._sees('"') or self._sees("'")
        raw = self._take(_STRING if quoted else _BARE)
        self._skip()
        return str(tomllib.loads(f"key = {raw}")["key"]) if quoted else raw

    def _value(self, path: KeyPath) -> None:
        self._skip()
        if self._sees("["):
            self._list(path)
        elif self._sees("{"):
            self._inline_table(path)
        else:
            self._take(_STRING if self._sees('"') or self._sees("'") else _SCALAR)
        self._skip()

    def _list(self, path: KeyPath) -> None:
        index = 0
        self._open()
        while not self._sees("]"):
            self._note((*path, index), self._line())
            self._value((*path, index))
            self._separator()
            index += 1
        self._at += len("]")

    def _inline_table(self, path: KeyPath) -> None:
        self._open()
        while not self._sees("}"):
            self._pair(path)
            self._separator()
        self._at += len("}")

    def _open(self) -> None:
        self._at += 1
        self._skip()

    def _separator(self) -> None:
        if self._sees(","):
            self._open()

    def _note(self, path: KeyPath, line: int) -> None:
        for end in range(1, len(path)):
            self.lines.setdefault(path[:end], line)
        self.lines[path] = line

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError("not a valid TOML document")
        self._at = match.end()
        return match.group()

    def _skip(self) -> None:
        match = _GAP.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _sees(self, mark: str) -> bool:
        return self._text.startswith(mark, self._at)

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1
