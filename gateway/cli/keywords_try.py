"""`gateway keywords try`: how the texts of a file are read, and whether that is what the file expects."""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from gateway.cli.interpret import asked, in_context
from gateway.cli.output import as_json, console, print_json
from gateway.cli.trial import in_trial, trial_of
from gateway.cli.trial_file import Trial, read_trials
from gateway.flows.interpret import Interpretation, Question, interpret


@dataclass(frozen=True, slots=True)
class _Result:
    trial: Trial
    found: Interpretation

    @property
    def agrees(self) -> bool:
        return self.trial.agrees(self.found.reading)


@click.command("try")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@in_trial
@in_context
@click.option("--wrong", is_flag=True, help="Show only what is not as expected.")
@as_json
@click.pass_context
def try_file(
    context: click.Context,
    /,
    file: Path,
    *,
    languages: tuple[str, ...],
    files: tuple[Path, ...],
    wrong: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Read every text of FILE: a text a line, or TSV or CSV with a column text, and maybe class and context.

    Where the file expects a class, the exit code is 1 if any text is read otherwise.
    """
    book, chosen = trial_of(context, languages, files, options)
    results = [_Result(trial, interpret(book, _question(trial, chosen))) for trial in read_trials(file)]
    shown = [result for result in results if not (wrong and result.agrees)]
    if as_json:
        print_json({"texts": [_document(result) for result in shown], "summary": _summary(results)})
    else:
        _print(shown, results)
    sys.exit(0 if all(result.agrees for result in results) else 1)


def _question(trial: Trial, options: Mapping[str, Any]) -> Question:
    marketing = options["marketing"] if trial.marketing is None else trial.marketing
    last_sent = options["last_sent"] or trial.last_sent
    return replace(asked(trial.text, options), marketing=marketing, last_sent=last_sent)


def _classes(results: list[_Result]) -> dict[str, int]:
    return dict(sorted(Counter(str(result.found.reading.klass) for result in results).items()))


def _summary(results: list[_Result]) -> dict[str, object]:
    judged = [result for result in results if result.trial.expected]
    return {
        "texts": len(results),
        "expected": len(judged),
        "agreed": sum(result.agrees for result in judged),
        "classes": _classes(results),
    }


def _print(shown: list[_Result], results: list[_Result]) -> None:
    table = Table(box=None, header_style="bold")
    for name in ("line", "", "class", "band", "rule", "expected", "text"):
        table.add_column(name, overflow="fold")
    for result in shown:
        reading, trial = result.found.reading, result.trial
        mark = "" if not trial.expected else "[green]ok[/]" if result.agrees else "[red]no[/]"
        cells = (reading.klass, reading.band, reading.rule, trial.expected, trial.text)
        table.add_row(str(trial.line), mark, *map(escape, cells))
    console().print(table)
    summary = _summary(results)
    click.echo(", ".join(f"{number} {name}" for name, number in _classes(results).items()))
    if summary["expected"]:
        click.echo(f"{summary['agreed']} of {summary['expected']} as expected")


def _document(result: _Result) -> dict[str, object]:
    reading, trial = result.found.reading, result.trial
    return {
        "line": trial.line,
        "text": trial.text,
        "expected": trial.expected or None,
        "agrees": result.agrees if trial.expected else None,
        "marketing": result.found.marketing,
        "class": reading.klass,
        "band": reading.band,
        "rule": reading.rule,
        "keyword": reading.keyword or None,
    }
