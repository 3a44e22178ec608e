"""Which settings there are, by key path: the fixed tables, and the accounts and programs of one configuration."""

from collections.abc import Iterator, Mapping
from typing import get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from gateway.configuration.faults import KeyPath
from gateway.providers.account import AccountSettings
from gateway.providers.registry import KINDS, settings_of
from gateway.settings import ProgramSettings, Settings

NAMED_TABLES = ("accounts", "programs")


def fields_of(data: Mapping[str, object]) -> dict[KeyPath, FieldInfo]:
    """Return every setting that `data` has or could have, without those of other accounts and programs."""
    found: dict[KeyPath, FieldInfo] = {}
    for table, field in Settings.model_fields.items():
        if table not in NAMED_TABLES:
            found.update(_leaves((table,), field))
    for path, model in named_models(data).items():
        found.update(leaves_of(path, model))
    return found


def named_models(data: Mapping[str, object]) -> dict[KeyPath, type[BaseModel]]:
    """Return the model of each account and program that stands in `data`."""
    models: dict[KeyPath, type[BaseModel]] = {}
    for table in NAMED_TABLES:
        entries = data.get(table)
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            models[table, name] = ProgramSettings if table == "programs" else account_model(entry)
    return models


def account_model(entry: object) -> type[AccountSettings]:
    """Return the model of an account; the base model when its provider is missing or unknown."""
    kind = entry.get("provider") if isinstance(entry, dict) else None
    return settings_of(kind) if kind in KINDS else AccountSettings


def leaves_of(path: KeyPath, model: type[BaseModel]) -> dict[KeyPath, FieldInfo]:
    """Return the settings of a table with the tables inside it, by their full path."""
    found: dict[KeyPath, FieldInfo] = {}
    for name, field in model.model_fields.items():
        found.update(_leaves((*path, name), field))
    return found


def _leaves(path: KeyPath, field: FieldInfo) -> dict[KeyPath, FieldInfo]:
    inner = field.annotation
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return leaves_of(path, inner)
    return {path: field}


def types_in(annotation: object) -> Iterator[object]:
    """Yield the annotation and every type inside it: of `tuple[str, ...] | None` the tuple and the text too."""
    yield annotation
    for inner in get_args(annotation):
        yield from types_in(inner)


def holds_secret(field: FieldInfo) -> bool:
    """Tell whether values of the setting are, or contain, secrets."""
    return any(_is_secret(each) for each in types_in(field.annotation))


def _is_secret(annotation: object) -> bool:
    if annotation is SecretStr:
        return True
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return False
    return any(holds_secret(field) for field in annotation.model_fields.values())
