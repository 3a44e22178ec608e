"""What a setting takes, and how a value of it is written: for what describes the settings."""

import json
from collections.abc import Iterator
from enum import Enum
from typing import get_origin

from pydantic import BaseModel, SecretStr

from gateway.configuration.schema import types_in


def is_table(annotation: object) -> bool:
    """Tell whether the setting holds a table, or several."""
    return any(_models(annotation))


def model_of(annotation: object) -> type[BaseModel]:
    """Return the model of the tables that the setting holds."""
    return next(_models(annotation))


def is_list(annotation: object) -> bool:
    """Tell whether the setting takes a list, of tables or of anything else."""
    return any(get_origin(each) in {list, tuple} for each in types_in(annotation))


def members_of(annotation: object) -> list[str]:
    """Return the values of a setting that takes the members of an enumeration."""
    values: list[str] = []
    for each in types_in(annotation):
        if isinstance(each, type) and issubclass(each, Enum):
            values += [str(member.value) for member in each]
        elif isinstance(each, Enum):
            values.append(str(each.value))
    return values


def toml(value: object) -> str:
    """Return a value as TOML. JSON's texts are TOML's basic strings."""
    if isinstance(value, SecretStr):
        return toml(value.get_secret_value())
    if isinstance(value, Enum):
        return toml(value.value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    for each in types_in(annotation):
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each
