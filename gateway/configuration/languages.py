"""The languages of one deployment: those that the gateway ships, and its own files."""

from collections.abc import Iterable
from pathlib import Path

from gateway.errors import ConfigurationError
from gateway.keywords.interpreter import Interpreter
from gateway.keywords.lexicon import Lexicon, read_lexicon, shipped_lexicons
from gateway.settings import Settings

_KEY = "interpreter.languages"


def interpreter_of(settings: Settings) -> Interpreter:
    """Return the interpreter of these settings. Raises `ConfigurationError`, with file and line."""
    folder = settings.interpreter.languages
    return Interpreter.shipped() if folder is None else Interpreter(lexicons_of(folder))


def lexicons_of(folder: str | None) -> tuple[Lexicon, ...]:
    """Return the shipped lexicons and, after them, those of the folder, in the order of their names.

    Raises `ConfigurationError` for a folder that is not there, and for a file that cannot be used.
    """
    shipped = shipped_lexicons()
    return shipped if folder is None else (*shipped, *_own(Path(folder), shipped))


def read_language_file(file: Path, known: Iterable[Lexicon]) -> Lexicon:
    """Return the lexicon of a file: an addition where its language is known, else one that stands alone.

    Raises `ConfigurationError`, with file and line.
    """
    text = language_text(file)
    lexicon = read_lexicon(str(file), text, is_addition=True)
    if any(lexicon.language == other.language for other in known):
        return lexicon
    return read_lexicon(str(file), text)


def language_text(file: Path) -> str:
    """Return what the file holds. Raises `ConfigurationError` for one that cannot be read."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = bytes(error.object[: error.start]).count(b"\n") + 1
        raise ConfigurationError(f"{file}:{line}: is not UTF-8: save the file as UTF-8") from None


def _own(folder: Path, shipped: Iterable[Lexicon]) -> list[Lexicon]:
    if not folder.is_dir():
        raise ConfigurationError(f"{_KEY}: there is no folder {folder}")
    known = list(shipped)
    own: list[Lexicon] = []
    for file in sorted(folder.glob("*.toml")):
        own.append(read_language_file(file, [*known, *own]))
    return own
