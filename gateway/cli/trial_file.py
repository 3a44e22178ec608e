"""Files of texts for `gateway keywords try`: a text a line, or columns by name in TSV or CSV."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.configuration.languages import language_text
from gateway.errors import ConfigurationError
from gateway.keywords.reading import Band, Reading, ReadingClass

UNCLEAR = "unclear"  # expected of a text upon which the gateway shall ask
_COLUMNS = frozenset({"text", "class", "context"})
_CONTEXTS = {"": (None,), "marketing": (True,), "chat": (False,), "any": (True, False)}
_EXPECTED = frozenset({"", UNCLEAR, *ReadingClass})
_LAST_SENT = "# last_sent\t"
_ESCAPE = re.compile(r"\\(?:n|t|u([0-9a-fA-F]{4}))")


@dataclass(frozen=True, slots=True)
class Trial:
    """One text to read. `expected` is "" where the file does not say; `marketing` None likewise."""

    line: int
    text: str
    expected: str = ""
    marketing: bool | None = None
    last_sent: str = ""

    def agrees(self, reading: Reading) -> bool:
        """Tell whether the reading is the expected one. An opt-out upon which we only ask is none yet."""
        if self.expected in ("", UNCLEAR):
            return not self.expected or reading.band is Band.UNCLEAR
        asks = reading.klass is ReadingClass.OPT_OUT and reading.band is Band.UNCLEAR
        return reading.klass == self.expected and not asks


def read_trials(file: Path) -> list[Trial]:
    r"""Return the texts of a file.

    Columns are known by their names in the first row: text, class, context; others are left alone. A TSV has
    `\n`, `\t` and `\uXXXX` for what it cannot hold, and may begin with "# last_sent", a tab and the message
    that its texts answer. Raises `ConfigurationError`, with the line, for what does not fit.
    """
    lines = language_text(file).splitlines()
    last_sent = ""
    first = 0
    while first < len(lines) and lines[first].startswith("# "):
        if lines[first].startswith(_LAST_SENT):
            last_sent = lines[first].removeprefix(_LAST_SENT)
        first += 1
    separator = "," if file.suffix.lower() == ".csv" else "\t"
    names = [name.strip().lower() for name in lines[first].split(separator)] if first < len(lines) else []
    if "text" not in names or not set(names) & _COLUMNS:
        return [Trial(at, text) for at, text in enumerate(lines, start=1) if text.strip() and at > first]
    rows = _csv(lines[first:]) if separator == "," else _tsv(lines[first:])
    return [trial for line, row in rows for trial in _trials(file, first + line, row, last_sent)]


def _tsv(lines: list[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    names = [name.strip().lower() for name in lines[0].split("\t")]
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            cells = [_ESCAPE.sub(_character, cell) for cell in line.split("\t")]
            yield number, dict(zip(names, cells, strict=False))


def _csv(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(f"{line}\n" for line in lines)
    names = [name.strip().lower() for name in next(reader)]
    for row in reader:
        if row:
            yield reader.line_num, dict(zip(names, row, strict=False))


def _trials(file: Path, line: int, row: Mapping[str, str], last_sent: str) -> Iterator[Trial]:
    expected, context = row.get("class", "").strip(), row.get("context", "").strip()
    if "text" not in row:
        raise ConfigurationError(f"{file}:{line}: has no text")
    if expected not in _EXPECTED:
        known = ", ".join(sorted(_EXPECTED - {""}))
        raise ConfigurationError(f'{file}:{line}: unknown class "{expected}"; known are {known}')
    if context not in _CONTEXTS:
        raise ConfigurationError(
            f'{file}:{line}: unknown context "{context}"; known are marketing, chat, any'
        )
    for marketing in _CONTEXTS[context]:
        yield Trial(line, row["text"], expected, marketing, "" if marketing is False else last_sent)


def _character(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return "\t" if match[0] == "\\t" else "\n"
