"""Writes docs/reference/settings.md: `python -m gateway.configuration.reference > docs/reference/settings.md`."""

import sys
from collections.abc import Iterable, Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.configuration.environment import variable_of
from gateway.configuration.faults import KeyPath, written
from gateway.configuration.kinds import is_list, is_table, members_of, model_of, toml
from gateway.configuration.schema import holds_secret, types_in
from gateway.providers.account import AccountSettings
from gateway.providers.registry import KINDS, settings_of
from gateway.settings import ProgramSettings, Settings

NAME = "NAME"  # stands for a name that the file chooses

_HEAD = """\
# Settings

Generated from the code by `make docs`. The same settings in the form of a file: \
[config/gateway.example.toml](../../config/gateway.example.toml).

**Where they come from.** The TOML file is the one that `--config` names, else `GATEWAY_CONFIG`, else \
`config/gateway.toml`; commands take `var/gateway.toml`, which the first `gateway serve` writes, when there is \
none of these. A variable of the environment overrides the file unless it is empty. In texts of the file \
`${NAME}` takes the value of a variable, and `$${` stands for a literal `${`.

**Variables.** Each setting names its own. In it `<NAME>` is the account's or program's name in capitals with \
`_` for `-`; accounts and programs must stand in the file. Lists are written as `a,b,c` or as JSON, tables as \
JSON.

**When they count.** They are read at the start: restart the web processes and the worker after a change. \
`gateway config check` explains every fault with its line.
"""


def reference() -> str:
    """Return the page: every setting under a heading of its own, with its help text."""
    lines = [_HEAD.rstrip("\n")]
    for name, field in Settings.model_fields.items():
        lines += _section(name, field)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page to standard output."""
    sys.stdout.write(reference())


def _section(name: str, field: FieldInfo) -> Iterator[str]:
    if name == "accounts":
        yield from _accounts((name, NAME), field)
    elif name == "programs":
        yield from _table((name, NAME), ProgramSettings, intro=field.description)
    else:
        yield from _table((name,), model_of(field.annotation))


def _accounts(path: KeyPath, field: FieldInfo) -> Iterator[str]:
    """Describe what all accounts have once, and each provider's own settings after it."""
    yield from _table(path, AccountSettings, intro=field.description)
    for kind in KINDS:
        model = settings_of(kind)
        own = [name for name in model.model_fields if name not in AccountSettings.model_fields]
        yield from _table(path, model, title=f" of {kind}", only=own)


def _table(
    path: KeyPath,
    model: type[BaseModel],
    *,
    intro: str | None = None,
    title: str = "",
    only: Iterable[str] = (),
) -> Iterator[str]:
    yield from ("", f"## `[{written(path)}]`{title}", "", intro or model.__doc__ or "")
    chosen = list(only) or list(model.model_fields)
    for name in chosen:
        yield from _setting((*path, name), model.model_fields[name], depth=3)


def _setting(path: KeyPath, field: FieldInfo, *, depth: int, is_inner: bool = False) -> Iterator[str]:
    """Describe a setting, and below it the settings of the tables that it holds."""
    if is_table(field.annotation):
        inner = model_of(field.annotation)
        if inner is field.annotation:
            yield from ("", f"{'#' * depth} `{written(path)}`", "", inner.__doc__ or "")
            yield from _fields(path, inner, depth=depth + 1, is_inner=is_inner)
            return
        yield from _entry(path, field, depth=depth, is_inner=is_inner)
        element = (*path, 0) if is_list(field.annotation) else (*path, NAME)
        yield from _fields(element, inner, depth=depth + 1, is_inner=True)
        return
    yield from _entry(path, field, depth=depth, is_inner=is_inner)


def _fields(path: KeyPath, model: type[BaseModel], *, depth: int, is_inner: bool) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield from _setting((*path, name), field, depth=depth, is_inner=is_inner)


def _entry(path: KeyPath, field: FieldInfo, *, depth: int, is_inner: bool) -> Iterator[str]:
    yield from ("", f"{'#' * depth} `{written(path)}`", "", field.description or "", "")
    facts = [_kind(field), *_bounds(field), _default(field)]
    if not is_inner:
        facts.append(f"`{variable_of(path).replace(f'_{NAME}_', f'_<{NAME}>_', 1)}`")
    yield " · ".join(facts)


def _kind(field: FieldInfo) -> str:
    """Say in a word what the setting takes."""
    types = list(types_in(field.annotation))
    if is_table(field.annotation):
        return "list of tables" if is_list(field.annotation) else "table of tables"
    if holds_secret(field):
        return "list of secret texts" if is_list(field.annotation) else "secret text"
    # The texts among the types are those of a `Literal`.
    if values := [*members_of(field.annotation), *(each for each in types if type(each) is str)]:
        return f"one of {', '.join(f'`{value}`' for value in values)}"
    if bool in types:
        return "true or false"
    if float in types:
        return "number"
    return "whole number" if int in types else ("list of texts" if is_list(field.annotation) else "text")


def _bounds(field: FieldInfo) -> Iterator[str]:
    """Tell the limits of a number, and the length of a text or list."""
    limits = {
        name: value
        for each in field.metadata
        for name in ("gt", "ge", "le", "min_length", "max_length")
        if (value := getattr(each, name, None)) is not None
    }
    if "gt" in limits:
        yield f"above {limits['gt']}, at most {limits['le']}"
    elif "ge" in limits or "le" in limits:
        yield f"{limits.get('ge', '')} to {limits['le']}" if "le" in limits else f"at least {limits['ge']}"
    if "max_length" in limits:
        yield f"at most {limits['max_length']} characters"
    elif "min_length" in limits:
        yield f"at least {limits['min_length']}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "no default"
    return f"default `{toml(value)}`" if value not in ((), [], {}) else "default: none"


if __name__ == "__main__":
    main()
