"""The suites by which the interpreter is judged: what people write, and what a reasonable reader makes of it.

`tests/suites/README.md` tells how a suite is written.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, Reading, ReadingClass

FOLDER = Path(__file__).parents[1] / "suites"
LANGUAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.tsv")))
TRAPS = frozenset(
    {ReadingClass.OTHER, ReadingClass.REACTION, ReadingClass.HELP, ReadingClass.AUTO_REPLY},
)
CONTEXTS = ("marketing", "chat")

_COLUMNS = "class\tkind\tcontext\ttext"
_LAST_SENT = "# last_sent\t"
_ESCAPE = re.compile(r"\\(?:n|u([0-9a-fA-F]{4}))")


@dataclass(frozen=True, slots=True)
class Line:
    """One message and its label."""

    number: int  # in the file, from 1
    klass: ReadingClass
    kind: str
    contexts: tuple[str, ...]  # in each of them the label holds
    text: str

    @property
    def is_trap(self) -> bool:
        return self.klass in TRAPS


@dataclass(frozen=True, slots=True)
class Suite:
    """The lines of one language, and the advertisement that they answer in the context `marketing`."""

    language: str
    last_sent: str
    lines: tuple[Line, ...]

    @property
    def opt_outs(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.klass is ReadingClass.OPT_OUT)

    @property
    def traps(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.is_trap)

    def readings(self, reader: Reader, line: Line) -> list[Reading]:
        """Read a line in each of its contexts."""
        return [reader.read(line.text, self.context(name)) for name in line.contexts]

    def context(self, name: str) -> Context:
        if name == "chat":
            return Context()
        return Context(marketing=True, last_sent=self.last_sent)


def read_suite(language: str) -> Suite:
    """Read a suite. Raises `ValueError` for a malformed line, with its number."""
    rows = (FOLDER / f"{language}.tsv").read_text(encoding="utf-8").rstrip("\n").split("\n")
    if not rows[0].startswith(_LAST_SENT) or rows[1] != _COLUMNS:
        raise ValueError(f"{language}.tsv: begins with neither {_LAST_SENT!r} nor the names of the columns")
    lines = tuple(_line(language, number, row) for number, row in enumerate(rows[2:], start=3))
    return Suite(language, rows[0].removeprefix(_LAST_SENT), lines)


def reader_of(interpreter: Interpreter, language: str) -> Reader:
    """Return a reader that knows one language and the program of the suites."""
    return interpreter.for_programs([ProgramWords("offers", "Acme", (language,))])


def is_withdrawn(readings: Iterable[Reading]) -> list[bool]:
    """Tell of each reading whether it ends the consent without a question."""
    return [
        reading.klass is ReadingClass.OPT_OUT and reading.band is not Band.UNCLEAR for reading in readings
    ]


def _line(language: str, number: int, row: str) -> Line:
    fields = row.split("\t")
    if len(fields) != 4 or fields[2] not in {*CONTEXTS, "any"}:
        raise ValueError(f"{language}.tsv:{number}: not class, kind, context and text: {row!r}")
    klass, kind, context, text = fields
    contexts = CONTEXTS if context == "any" else (context,)
    return Line(number, ReadingClass(klass), kind, contexts, _ESCAPE.sub(_character, text))


def _character(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else "\n"
