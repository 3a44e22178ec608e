"""Keywords that regulators and providers publish: each of them must be read as its publisher means it."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.tables import quoted, share, table
from gateway.errors import ConfigurationError
from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Context, ReadingClass
from tests.support.suites import is_withdrawn

# Nobody vouches for these rows, so they bind nobody.
_UNVOUCHED = ("UNSOURCED", "Adobe Journey Optimizer localised docs")
# NO answers questions too; it opts out only where a program names it (ACMA's example, Adobe's list).
_BY_PROGRAM = frozenset({"no", "n0"})
_PENDING = Context(pending_opt_in=True)

_MAPPING = """Which reading is right for which meaning:

- `opt_out`, `opt_out_phrase`: class `opt_out`, certain or probable. `opt_out_network` is the same word where the network blocks it.
- `opt_out_scoped`: likewise, with the program's word `offers` in the place of `<word>`.
- `opt_in`: class `opt_in`; for words that also answer questions (YES, GO, JOIN) `opt_in_confirm` while a double opt-in is pending.
- `opt_in_network`: class `opt_in`. `opt_in_confirm`: that class, while a double opt-in is pending.
- `help`: class `help`.
- NO and N0 are read with the word among the program's own keywords; no language has them by itself.

A row is read in its own language, a regional one (`fr-CA`) in its region. Rows that nobody vouches for are left out: suggestions
without a source, and a vendor's machine-translated list whose product matches the English words only."""


@dataclass(frozen=True, slots=True)
class Row:
    """One published keyword."""

    keyword: str
    meaning: str
    language: str
    source: str


def published(interpreter: Interpreter, path: Path) -> str:
    """Return the table of all languages, and every keyword that is read otherwise."""
    found: defaultdict[str, list[tuple[Row, bool]]] = defaultdict(list)
    missing: defaultdict[str, list[Row]] = defaultdict(list)
    for row in _rows(path):
        reader = _reader(interpreter, row)
        if reader is None:
            missing[row.language].append(row)
        else:
            found[row.language].append((row, _is_right(reader, row)))
    return "\n\n".join([_MAPPING, _summary(found, missing), *_misses(found)])


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for each in csv.DictReader(file):
            if not each["source"].startswith(_UNVOUCHED):
                yield Row(each["keyword"], each["meaning"], each["language"], each["source"])


def _reader(interpreter: Interpreter, row: Row) -> Reader | None:
    added = {"opt_out": (row.keyword,)} if row.keyword.lower() in _BY_PROGRAM else {}
    try:
        return interpreter.for_programs([ProgramWords("offers", "Acme", (row.language,), added)])
    except ConfigurationError:  # the language is not shipped
        return None


def _is_right(reader: Reader, row: Row) -> bool:
    text = row.keyword.replace("<word>", "offers")
    plain, pending = reader.read(text), reader.read(text, _PENDING)
    is_confirmed = pending.klass is ReadingClass.OPT_IN_CONFIRM
    if row.meaning.startswith("opt_out"):
        return is_withdrawn([plain]) == [True]
    if row.meaning == "opt_in":
        return plain.klass is ReadingClass.OPT_IN or is_confirmed
    if row.meaning == "opt_in_confirm":
        return is_confirmed
    return plain.klass is ReadingClass(row.meaning.removesuffix("_network"))


def _summary(found: defaultdict[str, list[tuple[Row, bool]]], missing: defaultdict[str, list[Row]]) -> str:
    rows = [
        [language, share(sum(right for _, right in results), len(results))]
        for language, results in sorted(found.items())
    ]
    rights = [right for results in found.values() for _, right in results]
    rows.append(["**all that are shipped**", f"**{share(sum(rights), len(rights))}**"])
    unread = ", ".join(f"{language} ({len(rows)})" for language, rows in sorted(missing.items()))
    note = f"\n\nRows in languages that are not shipped, and so not counted: {unread}." if unread else ""
    return table(["language", "read as published"], rows) + note


def _misses(found: defaultdict[str, list[tuple[Row, bool]]]) -> list[str]:
    rows = [
        [row.language, row.meaning, quoted(row.keyword), row.source]
        for _, results in sorted(found.items())
        for row, right in results
        if not right
    ]
    return [table(["language", "meaning", "read otherwise", "source"], rows)] if rows else []
