"""Writes config/gateway.example.toml: `python -m gateway.configuration.example > config/gateway.example.toml`."""

import json
import sys
import textwrap
from collections.abc import Iterator
from enum import Enum
from typing import get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from gateway.configuration.schema import holds_secret, types_in
from gateway.providers.account import AccountSettings
from gateway.providers.registry import KINDS, settings_of
from gateway.settings import ProgramSettings, Settings

_WIDTH = 100
_HEAD = """\
Settings of the gateway, generated from gateway/settings.py. Copy to config/gateway.toml and edit.

A line that begins with # and no blank is a setting with its default or, where it has none, an
example. ${NAME} in a text takes the value from the environment; write $${ for a literal ${.

The variable GATEWAY_<TABLE>_<KEY> overrides a setting, if it is not empty: GATEWAY_DATABASE_URL,
GATEWAY_PROGRAMS_OFFERS_CONTACT. Lists are written as a,b,c or as JSON. Accounts and programs must
stand in the file. `gateway config check` explains every fault with its line.
"""
_SHOWN_KIND = "twilio"
_OTHER_KINDS = """\
An account of Twilio. The other kinds are {kinds}: docs/providers shows an account of each, docs/reference/settings.md
all of their settings.
"""


def example() -> str:
    """Return a configuration that shows every setting with its help; what is required is set."""
    lines = [*_comment(_HEAD)]
    for name, field in Settings.model_fields.items():
        lines += _section(name, field)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the example to standard output."""
    sys.stdout.write(example())


def _section(name: str, field: FieldInfo) -> Iterator[str]:
    if name == "accounts":
        yield ""
        yield from _comment(
            _OTHER_KINDS.format(kinds=", ".join(kind for kind in KINDS if kind != _SHOWN_KIND))
        )
        yield from _Table(f"{name}.acme-{_SHOWN_KIND}", _SHOWN_KIND).of(settings_of(_SHOWN_KIND))
    elif name == "programs":
        yield from _Table(f"{name}.offers").of(ProgramSettings)
    else:
        yield from _Table(name).of(_model(field.annotation))


class _Table:
    """One table of the example. `kind` is the provider of an account, `optional` a table to uncomment."""

    def __init__(self, path: str, kind: str = "", *, optional: bool = False) -> None:
        self._path = path
        self._kind = kind
        self._optional = optional

    def of(self, model: type[BaseModel], *, intro: str = "", brackets: str = "[]") -> Iterator[str]:
        yield ""
        yield from _comment(f"{intro}\n{model.__doc__ or ''}")
        half = len(brackets) // 2
        yield f"{'#' * self._optional}{brackets[:half]}{self._path}{brackets[half:]}"
        inner = []
        for name, field in model.model_fields.items():
            if _is_table(field.annotation):
                inner.append((name, field))
                continue
            yield from self._setting(name, field, is_set=self._is_set(model, name))
        for name, field in inner:
            yield from self._inner(name, field)

    def _is_set(self, model: type[BaseModel], name: str) -> bool:
        """Tell whether the setting is shown set: no account works without a secret, so its first one is."""
        common = AccountSettings.model_fields
        secrets = [
            each for each, field in model.model_fields.items() if holds_secret(field) and each not in common
        ]
        is_needed = bool(self._kind) and name in secrets[:1]
        return not self._optional and (model.model_fields[name].is_required() or is_needed)

    def _setting(self, name: str, field: FieldInfo, *, is_set: bool) -> Iterator[str]:
        required = "Required. " * is_set
        yield from _comment(f"{required}{field.description or ''}{_choices(field.annotation)}")
        yield f"{'#' * (not is_set)}{name} = {self._shown(name, field)}"

    def _shown(self, name: str, field: FieldInfo) -> str:
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        if default not in (None, [], ()):
            return _toml(default)
        if field.examples:
            return _toml(field.examples[0])
        if name == "provider":
            return _toml(self._kind)
        if members := _members(field.annotation):
            return _toml(members[0])
        is_list = get_origin(field.annotation) in {list, tuple}
        reference = f"${{{(self._kind + '_' + name).upper().removesuffix('S' * is_list)}}}"
        return _toml([reference] if is_list else reference)

    def _inner(self, name: str, field: FieldInfo) -> Iterator[str]:
        """Show a table inside this one; of a list or a dictionary of tables, one element."""
        model = _model(field.annotation)
        if model is field.annotation:
            yield from _Table(f"{self._path}.{name}", self._kind).of(model)
            return
        is_list = get_origin(field.annotation) in {list, tuple}
        path = f"{self._path}.{name}" if is_list else f"{self._path}.{name}.NAME"
        table = _Table(path, f"{self._kind}_{name}".removeprefix("_"), optional=True)
        yield from table.of(model, intro=field.description or "", brackets="[[]]" if is_list else "[]")


def _comment(text: str) -> Iterator[str]:
    for line in text.strip().splitlines():
        yield from textwrap.wrap(line, _WIDTH, initial_indent="# ", subsequent_indent="# ") or ["#"]


def _is_table(annotation: object) -> bool:
    return any(isinstance(each, type) and issubclass(each, BaseModel) for each in types_in(annotation))


def _model(annotation: object) -> type[BaseModel]:
    return next(
        each for each in types_in(annotation) if isinstance(each, type) and issubclass(each, BaseModel)
    )


def _choices(annotation: object) -> str:
    """Return " One of: a, b." for settings with few values."""
    values = _members(annotation)
    return f" One of: {', '.join(values)}." if values else ""


def _members(annotation: object) -> list[str]:
    values: list[str] = []
    for each in types_in(annotation):
        if isinstance(each, type) and issubclass(each, Enum):
            values += [str(member.value) for member in each]
        if isinstance(each, Enum):
            values.append(str(each.value))
    return values


def _toml(value: object) -> str:
    """Return a value as TOML. JSON's texts are TOML's basic strings."""
    if isinstance(value, SecretStr):
        return _toml(value.get_secret_value())
    if isinstance(value, Enum):
        return _toml(value.value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
