"""Writes config/gateway.example.toml: `python -m gateway.configuration.example > config/gateway.example.toml`."""

import sys
import textwrap
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.configuration.kinds import is_list, is_table, members_of, model_of, toml
from gateway.configuration.schema import holds_secret
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
        yield from _Table(name).of(model_of(field.annotation))


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
            if is_table(field.annotation):
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
            return toml(default)
        if field.examples:
            return toml(field.examples[0])
        if name == "provider":
            return toml(self._kind)
        if members := members_of(field.annotation):
            return toml(members[0])
        several = is_list(field.annotation)
        reference = f"${{{(self._kind + '_' + name).upper().removesuffix('S' * several)}}}"
        return toml([reference] if several else reference)

    def _inner(self, name: str, field: FieldInfo) -> Iterator[str]:
        """Show a table inside this one; of a list or a dictionary of tables, one element."""
        model = model_of(field.annotation)
        if model is field.annotation:
            yield from _Table(f"{self._path}.{name}", self._kind).of(model)
            return
        several = is_list(field.annotation)
        path = f"{self._path}.{name}" if several else f"{self._path}.{name}.NAME"
        table = _Table(path, f"{self._kind}_{name}".removeprefix("_"), optional=True)
        yield from table.of(model, intro=field.description or "", brackets="[[]]" if several else "[]")


def _comment(text: str) -> Iterator[str]:
    for line in text.strip().splitlines():
        yield from textwrap.wrap(line, _WIDTH, initial_indent="# ", subsequent_indent="# ") or ["#"]


def _choices(annotation: object) -> str:
    """Return " One of: a, b." for settings with few values."""
    values = members_of(annotation)
    return f" One of: {', '.join(values)}." if values else ""


if __name__ == "__main__":
    main()
