"""The suites of seven languages: how many opt-outs are found, and how many traps withdraw."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.matchers import MATCHERS
from bench.tables import quoted, share, table
from gateway.keywords.interpreter import Interpreter
from gateway.keywords.reading import Reading, ReadingClass
from tests.support.suites import Line, Suite, is_withdrawn, reader_of

_HEAD = """Lines of the kinds that people send ([how they came about](../../tests/suites/README.md)). What the
interpreter once read wrongly in them has been mended, so the table shows that nothing known has come back; lines that
nobody had read before are told apart there. Each language is read with its own words only. An opt-out counts when it is
read as certain or probable in every context in which its label holds; a trap has fallen when it is so read in any."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A line of a suite, and what it was read as, context by context."""

    language: str
    line: Line
    readings: tuple[Reading, ...]

    @property
    def is_found(self) -> bool:
        return all(is_withdrawn(self.readings))

    @property
    def is_fallen(self) -> bool:
        return any(is_withdrawn(self.readings))

    @property
    def is_asked(self) -> bool:
        return not self.is_found and all(each.klass is ReadingClass.OPT_OUT for each in self.readings)

    @property
    def is_as_labelled(self) -> bool:
        return all(each.klass is self.line.klass for each in self.readings)


def judged(interpreter: Interpreter, suites: Sequence[Suite]) -> str:
    """Return the tables by language and by kind, those of the other matchers, and what went wrong."""
    shipped = [suite for suite in suites if suite.language in interpreter.languages]
    all_lines = [each for suite in shipped for each in _judge(interpreter, suite)]
    opt_outs = [each for each in all_lines if each.line.klass is ReadingClass.OPT_OUT]
    traps = [each for each in all_lines if each.line.is_trap]
    missing = ", ".join(suite.language for suite in suites if suite not in shipped)
    parts = [
        _HEAD,
        *([f"Not shipped, and so not judged: {missing}."] if missing else []),
        _by_language(opt_outs, traps),
        "Opt-outs found, by kind:",
        _by_kind(opt_outs, wanted=True),
        "Traps that withdrew, by kind:",
        _by_kind(traps, wanted=False),
        "Read as the label says, by class, whatever the band:",
        _by_class(all_lines),
        "The other matchers on the same lines; their keywords are English:",
        _others(opt_outs, traps),
        *_wrong(opt_outs, traps),
    ]
    return "\n\n".join(parts)


def _judge(interpreter: Interpreter, suite: Suite) -> list[Judged]:
    reader = reader_of(interpreter, suite.language)
    return [Judged(suite.language, line, tuple(suite.readings(reader, line))) for line in suite.lines]


def _by_language(opt_outs: Sequence[Judged], traps: Sequence[Judged]) -> str:
    languages = _languages(opt_outs)
    rows = [_row(name, _of(opt_outs, name), _of(traps, name)) for name in languages]
    rows.append(_row("**all**", opt_outs, traps))
    return table(["language", "opt-outs found", "asked", "missed", "traps withdrawn"], rows)


def _row(name: str, opt_outs: Sequence[Judged], traps: Sequence[Judged]) -> list[object]:
    found, asked = (
        sum(each.is_found for each in opt_outs),
        sum(each.is_asked for each in opt_outs),
    )
    fallen = sum(each.is_fallen for each in traps)
    missed = len(opt_outs) - found - asked
    return [name, share(found, len(opt_outs)), asked, missed, share(fallen, len(traps))]


def _by_kind(lines: Sequence[Judged], *, wanted: bool) -> str:
    """Count, of each kind and language, the lines that withdrew; `wanted` also shows kinds where none did."""
    languages = _languages(lines)
    kinds = Counter(each.line.kind for each in lines)
    rows = []
    for kind in kinds:
        cells = [[each for each in _of(lines, name) if each.line.kind == kind] for name in languages]
        counts = [sum(each.is_found if wanted else each.is_fallen for each in cell) for cell in cells]
        shown = [f"{count}/{len(cell)}" if cell else "" for count, cell in zip(counts, cells, strict=True)]
        rows.append([kind, *shown, f"{sum(counts)}/{kinds[kind]}"])
    return table(["kind", *languages, "all"], rows)


def _by_class(lines: Sequence[Judged]) -> str:
    languages = _languages(lines)
    rows = [
        [klass, *(_labelled(_of(lines, name), klass) for name in languages), _labelled(lines, klass)]
        for klass in sorted({each.line.klass for each in lines})
    ]
    return table(["class", *languages, "all"], rows)


def _labelled(lines: Iterable[Judged], klass: ReadingClass) -> str:
    own = [each for each in lines if each.line.klass is klass]
    return f"{sum(each.is_as_labelled for each in own)}/{len(own)}"


def _others(opt_outs: Sequence[Judged], traps: Sequence[Judged]) -> str:
    rows: list[list[object]] = []
    for name, matcher in MATCHERS.items():
        for title, english in ((name, True), (f"{name}, other languages", False)):
            wanted = [matcher(each.line.text) for each in opt_outs if (each.language == "en") is english]
            fallen = [matcher(each.line.text) for each in traps if (each.language == "en") is english]
            if wanted:
                rows.append([title, share(sum(wanted), len(wanted)), share(sum(fallen), len(fallen))])
    return table(["matcher", "opt-outs found", "traps withdrawn"], rows)


def _wrong(opt_outs: Sequence[Judged], traps: Sequence[Judged]) -> list[str]:
    missed = [_told(each) for each in opt_outs if not each.is_found]
    fallen = [_told(each) for each in traps if each.is_fallen]
    head = ["line", "kind", "read as", "rule", "text"]
    parts: Mapping[str, list[list[str]]] = {
        "Opt-outs that were not found:": missed,
        "Traps that withdrew:": fallen,
    }
    return [f"{title}\n\n{table(head, rows)}" for title, rows in parts.items() if rows]


def _told(each: Judged) -> list[str]:
    wrong = [is_withdrawn([reading]) == [each.line.is_trap] for reading in each.readings]
    reading = each.readings[wrong.index(True)]
    name = each.line.contexts[wrong.index(True)]
    place = f"{each.language}:{each.line.number}"
    return [
        place,
        f"{each.line.kind}, {name}",
        f"{reading.klass}, {reading.band}",
        reading.rule,
        quoted(each.line.text),
    ]


def _of(lines: Iterable[Judged], language: str) -> list[Judged]:
    return [each for each in lines if each.language == language]


def _languages(lines: Iterable[Judged]) -> list[str]:
    return sorted({each.language for each in lines})
