"""`gateway keywords explain`: why a text is read as it is."""

from pathlib import Path
from typing import Any

import click

from gateway.cli.interpret import asked, in_context, interpretation_document, print_interpretation
from gateway.cli.output import as_json, print_json
from gateway.cli.trial import in_trial, trial_of
from gateway.flows.interpret import interpret_and_explain
from gateway.keywords.explain import Explanation, SeenPhrase, Step
from gateway.keywords.reading import Reading


@click.command("explain")
@click.argument("text")
@in_trial
@in_context
@as_json
@click.pass_context
def explain_text(
    context: click.Context,
    /,
    text: str,
    *,
    languages: tuple[str, ...],
    files: tuple[Path, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Show how TEXT is read: the stages, the phrases found with their places, and what held them back."""
    book, chosen = trial_of(context, languages, files, options)
    found, explanation = interpret_and_explain(book, asked(text, chosen))
    if as_json:
        print_json(interpretation_document(found) | _document(explanation, text))
        return
    print_interpretation(found, text)
    for line in [*_steps(explanation), *_phrases(explanation, text)]:
        click.echo(line)


def _steps(explanation: Explanation) -> list[str]:
    lines = ["", "stages:"]
    for step in explanation.steps:
        lines.append(f"  {step.stage}: {' '.join(step.keys) or '(no words)'}")
        lines.append(f"    -> {_outcome(step)}")
    return lines


def _outcome(step: Step) -> str:
    told = "nothing" if step.reading is None else _told(step.reading)
    if step.left is None:
        return told
    without = f"the rest: {' '.join(step.left) or '(no words)'}"
    return without if step.reading is None else f"{without}; if that says nothing: {told}"


def _told(reading: Reading) -> str:
    return f"{reading.klass}, {reading.band} ({reading.rule})"


def _phrases(explanation: Explanation, text: str) -> list[str]:
    lines = ["", "phrases:"] if explanation.phrases else []
    for phrase in explanation.phrases:
        start, end = phrase.span
        lines += [
            f"  {text}".replace("\n", " "),
            f"  {' ' * start}{'^' * (end - start)} {phrase.kind}, {_fate(phrase)}",
            f"    {phrase.place}: {phrase.text}",
        ]
        if phrase.held_by:
            lines.append(f"    held back by {phrase.held_by.place}: {phrase.held_by.text}")
    return lines


def _fate(phrase: SeenPhrase) -> str:
    if phrase.decided:
        return "decided"
    if phrase.held_by:
        return "held back"
    return "not needed" if phrase.counts else "counts as a reply to advertising only"


def _document(explanation: Explanation, text: str) -> dict[str, object]:
    return {
        "steps": [
            {
                "stage": step.stage,
                "words": list(step.keys),
                "left": None if step.left is None else list(step.left),
                "reading": None
                if step.reading is None
                else {"class": step.reading.klass, "band": step.reading.band, "rule": step.reading.rule},
            }
            for step in explanation.steps
        ],
        "phrases": [_phrase_document(phrase, text) for phrase in explanation.phrases],
    }


def _phrase_document(phrase: SeenPhrase, text: str) -> dict[str, object]:
    start, end = phrase.span
    guard = phrase.held_by
    return {
        "kind": phrase.kind,
        "phrase": phrase.text,
        "place": phrase.place,
        "language": phrase.language,
        "span": [start, end],
        "text": text[start:end],
        "held_by": None if guard is None else {"phrase": guard.text, "place": guard.place},
        "counts": phrase.counts,
        "decided": phrase.decided,
    }
