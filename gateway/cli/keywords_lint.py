"""`gateway keywords lint`: what is wrong with language files."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from gateway.cli.output import as_json, print_json, settings_of
from gateway.configuration.languages import language_text, read_language_file
from gateway.flows.segments import segments
from gateway.keywords.lexicon import Lexicon, read_lexicon, shipped_files, shipped_lexicons
from gateway.keywords.lint import Grade, Remark, lint


@click.command("lint")
@click.argument("files", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@as_json
@click.pass_context
def lint_files(context: click.Context, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Check language FILES; without any, the shipped ones and those of the settings.

    A fault makes a file unusable, and the exit code 1. A note tells of what does nothing, or less than it seems to.
    """
    remarks = _on_files(files) if files else _on_all(settings_of(context).interpreter.languages)
    faults = sum(remark.grade is Grade.FAULT for remark in remarks)
    if as_json:
        print_json([{"grade": each.grade, "place": each.place, "message": each.message} for each in remarks])
    else:
        for each in remarks:
            click.echo(f"{each.place}: {each.grade}: {each.message}")
        click.echo(f"{faults} faults, {len(remarks) - faults} notes")
    sys.exit(1 if faults else 0)


def _on_all(folder: str | None) -> list[Remark]:
    own = sorted(Path(folder).glob("*.toml")) if folder else ()
    return [*_on_shipped(), *_on_files(own)]


def _on_shipped() -> Iterable[Remark]:
    texts = dict(shipped_files())
    lexicons = {name: read_lexicon(name, text) for name, text in texts.items()}
    for name, text in texts.items():
        yield from lint(name, text, [lexicons[other] for other in texts if other != name], segments)


def _on_files(files: Iterable[Path]) -> list[Remark]:
    known = list(shipped_lexicons())
    return [remark for file in files for remark in _on_file(file, known)]


def _on_file(file: Path, known: list[Lexicon]) -> list[Remark]:
    """Return the remarks on a file. Where it can be used, the later ones know it."""
    remarks = lint(str(file), language_text(file), known, segments)
    if not any(remark.grade is Grade.FAULT for remark in remarks):
        known.append(read_language_file(file, known))
    return remarks
