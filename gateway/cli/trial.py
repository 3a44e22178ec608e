"""Which interpreter the commands `gateway keywords explain` and `try` ask: the configured one, or one for a trial."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gateway.cli.output import Command, house_of
from gateway.configuration.languages import read_language_file
from gateway.configuration.values import KNOWN_LANGUAGES, known_as
from gateway.keywords.interpreter import Interpreter
from gateway.keywords.lexicon import shipped_lexicons
from gateway.programs import ProgramBook
from gateway.settings import ProgramSettings

_TRIAL = "example"
# A marketing program, as most that people answer; its sender is a number that nobody has.
_PROGRAM = {
    "name": "Example",
    "purpose": "marketing",
    "default_choice": "n",
    "senders": ["+15550100100"],
    "contact": "help@example.com",
}
_OPTIONS = (
    click.option(
        "--language",
        "languages",
        multiple=True,
        metavar="TAG",
        help="Read this language, not those of the settings. Repeatable.",
    ),
    click.option(
        "--file",
        "files",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Read this language file too, without the settings. Repeatable.",
    ),
)


def in_trial(command: Command) -> Command:
    """Give a command the options that try languages without any settings."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def trial_of(
    context: click.Context, languages: Sequence[str], files: Sequence[Path], options: Mapping[str, Any]
) -> tuple[ProgramBook, Mapping[str, Any]]:
    """Return the programs to ask, and the options with the one that stands for the trial.

    Without languages and files these are the configured programs. Raises `ConfigurationError` for a wrong file
    or setting.
    """
    if not languages and not files:
        return house_of(context).book, options
    lexicons = list(shipped_lexicons())
    for file in files:
        lexicons.append(read_language_file(file, lexicons))
    tags = languages or [lexicon.language for lexicon in lexicons[-len(files) :]]
    return _book(tuple(dict.fromkeys(tags)), Interpreter(lexicons)), {**options, "program": _TRIAL}


def _book(tags: Sequence[str], interpreter: Interpreter) -> ProgramBook:
    for tag in tags:
        if known_as(tag, interpreter.languages) is None:
            raise click.BadParameter(
                f'unknown language "{tag}"; known are {", ".join(interpreter.languages)}'
            )
    program = ProgramSettings.model_validate(
        {**_PROGRAM, "languages": tags}, context={KNOWN_LANGUAGES: interpreter.languages}
    )
    return ProgramBook({_TRIAL: program}, interpreter)
