"""Reads the settings: a TOML file, `${NAME}` in its values, and variables that override it."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from gateway.configuration.environment import PREFIX, Overrides
from gateway.configuration.faults import Fault, Finding, KeyPath, SettingsError, written
from gateway.configuration.languages import lexicons_of
from gateway.configuration.lines import key_lines
from gateway.configuration.problems import findings_of
from gateway.configuration.references import References
from gateway.configuration.schema import fields_of
from gateway.configuration.values import KNOWN_LANGUAGES, shipped_languages
from gateway.errors import ConfigurationError
from gateway.keywords.source import Source
from gateway.settings import SOURCE, Settings

CONFIG_VARIABLE = PREFIX + "CONFIG"
DEFAULT_FILE = Path("config/gateway.toml")

_POSITION = re.compile(r" \(at (?:line (?P<line>[0-9]+), column [0-9]+|end of document)\)$")


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of `path`, else of $GATEWAY_CONFIG, else of config/gateway.toml if there is one.

    Without a file the built-in defaults hold. Variables override the file; `environ` is that of the process
    unless given. Raises `SettingsError` with every fault, in which no secret is shown.
    """
    variables = os.environ if environ is None else environ
    source = _read(_chosen(path, variables))
    references = References(variables)
    data = references.table(source.data)
    overrides = Overrides(variables, references.used)
    overrides.apply(data)
    settings, findings = _validated(data, source)
    # A value that a variable replaces needs no reference; one that could not be read is not judged again.
    told = [each for each in references.findings if _setting(each.path) not in overrides.sources]
    told += overrides.findings
    judged = {_setting(each.path) for each in told if each.path}
    told += [each for each in findings if _setting(each.path) not in judged]
    if told or settings is None:
        raise SettingsError(source.located(told, overrides.sources))
    return settings


def _setting(path: KeyPath) -> KeyPath:
    """Return the path of the setting that a list element belongs to."""
    indexes = [at for at, part in enumerate(path) if isinstance(part, int)]
    return path[: indexes[0]] if indexes else path


def _validated(data: Mapping[str, object], source: "_Source") -> tuple[Settings | None, list[Finding]]:
    languages, findings = _languages(data)
    context = {SOURCE: source.words, KNOWN_LANGUAGES: languages}
    try:
        # An empty [keys] in place of none: the fault then names the key that is missing, not the table.
        return Settings.model_validate({"keys": {}} | dict(data), context=context), findings
    except ValidationError as error:
        told = findings_of(error, fields_of(data), data)
        if findings:  # the languages of files that cannot be read are unknown only for that
            told = [each for each in told if not _is_language(each.path)]
        return None, findings + told


def _languages(data: Mapping[str, object]) -> tuple[tuple[str, ...], list[Finding]]:
    """Return the tags of all languages, those of the deployment's own files among them."""
    table = data.get("interpreter")
    folder = table.get("languages") if isinstance(table, dict) else None
    if not isinstance(folder, str) or not folder:
        return shipped_languages(), []
    try:
        return tuple(sorted({lexicon.language for lexicon in lexicons_of(folder)})), []
    except ConfigurationError as error:
        remedy = "Mend the file; `gateway keywords lint FILE` tells more of it."
        return (), [Finding(("interpreter", "languages"), str(error), remedy)]


def _is_language(path: KeyPath) -> bool:
    return path[0] == "programs" and path[2:3] == ("languages",)


def _chosen(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    if path is not None:
        return path
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


@dataclass(frozen=True, slots=True)
class _Source:
    """What a file says, and where."""

    file: Path | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    words: Source | None = None  # the tables whose words the interpreter may object to

    def located(self, findings: Iterable[Finding], sources: Mapping[KeyPath, str]) -> list[Fault]:
        """Return the findings with their places, those of the file first and in its order."""
        faults = [self._fault(finding, sources) for finding in findings]
        return sorted(faults, key=lambda fault: (fault.variable or "", fault.line or 0))

    def _fault(self, finding: Finding, sources: Mapping[KeyPath, str]) -> Fault:
        key = written(finding.path)
        variable = finding.variable or _nearest(finding.path, sources)
        if variable:
            return Fault(key, finding.problem, finding.remedy, variable=variable)
        line = _nearest(finding.path, self.lines)
        return Fault(key, finding.problem, finding.remedy, file=self.file, line=line)


_Place = TypeVar("_Place")


def _nearest(path: KeyPath, places: Mapping[KeyPath, _Place]) -> _Place | None:
    """Return the place of a key or, when it has none, of the innermost table around it."""
    ends = range(len(path), 0, -1)
    return next((places[path[:end]] for end in ends if path[:end] in places), None)


def _read(file: Path | None) -> _Source:
    if file is None:
        return _Source()
    text = _text(file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fault = _syntax_fault(file, text, str(error))
    else:
        return _Source(file, data, key_lines(text), Source.of(str(file), text, tables=("programs",)))
    raise SettingsError([fault])


def _text(file: Path) -> str:
    try:
        # Windows editors put a byte order mark before UTF-8, which TOML does not know.
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        fault = Fault("", problem, "Name a readable file with --config or GATEWAY_CONFIG.", file=file)
    except UnicodeDecodeError as error:
        line = bytes(error.object[: error.start]).count(b"\n") + 1
        fault = Fault("", "is not UTF-8", "Save the file as UTF-8.", file=file, line=line)
    raise SettingsError([fault])


def _syntax_fault(file: Path, text: str, message: str) -> Fault:
    position = _POSITION.search(message)
    at = position["line"] if position else None
    line = int(at) if at else text.rstrip().count("\n") + 1
    problem = f"is not TOML: {_POSITION.sub('', message)}"
    return Fault("", problem, "Texts stand in double quotes; see https://toml.io.", file=file, line=line)
