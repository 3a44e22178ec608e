"""A TOML file whose structure is checked, and whose every fault is told with its line."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.errors import ConfigurationError
from gateway.keywords.source import Source


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file may hold: keys at the top, and tables with their keys (none: the file chooses them)."""

    top: tuple[str, ...]
    tables: Mapping[str, tuple[str, ...]]
    classes: str = ""  # the table whose keys are classes


@dataclass(frozen=True, slots=True)
class Document:
    """A file of the expected shape."""

    source: Source
    data: Mapping[str, object]

    @classmethod
    def of(cls, name: str, text: str, shape: Shape) -> "Document":
        """Return the checked file. Raises `ConfigurationError` for invalid TOML or another shape."""
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{name}: no valid TOML: {error}") from None
        document = cls(Source.of(name, text), data)
        for key, value in data.items():
            document._check(key, value, shape)
        return document

    def text(self, key: str) -> str:
        """Return the string at the top level."""
        value = self.data.get(key)
        if isinstance(value, str) and value:
            return value
        raise self.fault(f'give "{key}" as a string', "", key)

    def strings(self, table: str, key: str) -> tuple[str, ...]:
        """Return a list of strings, () when it is absent. The table "" is the top level."""
        value = (self.table(table) if table else self.data).get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise self.fault(f'"{key}" must be a list of strings', table, key)

    def pairs(self, table: str) -> Mapping[str, str]:
        """Return a table of strings, empty when it is absent."""
        found: dict[str, str] = {}
        for key, value in self.table(table).items():
            if not isinstance(value, str):
                raise self.fault(f'"{key}" must be a string', table, key)
            found[key] = value
        return found

    def table(self, name: str) -> Mapping[str, object]:
        """Return a table, empty when it is absent."""
        value = self.data.get(name)
        return value if isinstance(value, dict) else {}

    def fault(self, message: str, table: str, key: str = "", word: str = "") -> ConfigurationError:
        """Return the error with the place of the word, key or table before the message."""
        return ConfigurationError(f"{self.source.place(table, key=key, word=word)}: {message}")

    def _check(self, key: str, value: object, shape: Shape) -> None:
        if key in shape.top:
            return
        if key not in shape.tables:
            known = _listed((*shape.top, *shape.tables))
            table = key if isinstance(value, dict) else ""
            raise self.fault(f'unknown "{key}"; known are {known}', table, "" if table else key)
        if not isinstance(value, dict):
            raise self.fault(f'"{key}" must be a table, [{key}]', "", key)
        known_keys = shape.tables[key]
        for inner in value:
            if known_keys and inner not in known_keys:
                what = "class" if key == shape.classes else "key"
                raise self.fault(f'unknown {what} "{inner}"; known are {_listed(known_keys)}', key, inner)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
