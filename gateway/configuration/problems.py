"""What pydantic finds wrong, in the words of one who writes a configuration file."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from gateway.configuration.environment import variable_of
from gateway.configuration.faults import Finding, KeyPath
from gateway.configuration.schema import NAMED_TABLES, holds_secret
from gateway.configuration.values import OURS

_KEY_MARK = "[key]"  # pydantic's mark for a fault in a name itself, not in its value
_PROBLEMS = {
    "missing": "is missing",
    "extra_forbidden": "is no setting",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be a text in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} elements",
    "string_pattern_mismatch": "does not have the right form",
}
_NAME_REMEDY = "Use 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit."


def findings_of(
    error: ValidationError, fields: Mapping[KeyPath, FieldInfo], data: Mapping[str, object]
) -> list[Finding]:
    """Return the findings of a failed validation of `data`. No text holds the value of a secret."""
    secrets = _secrets_in(data, fields)
    return [_finding(details, fields, secrets) for details in error.errors(include_url=False)]


def _secrets_in(data: Mapping[str, object], fields: Mapping[KeyPath, FieldInfo]) -> set[str]:
    paths = (path for path, field in fields.items() if holds_secret(field))
    return {text for path in paths for text in _texts(_value_at(data, path)) if text}


def _value_at(data: object, path: KeyPath) -> object:
    for part in path:
        data = data.get(part) if isinstance(data, Mapping) else None
    return data


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _finding(details: ErrorDetails, fields: Mapping[KeyPath, FieldInfo], secrets: set[str]) -> Finding:
    path = details["loc"]
    if path and path[-1] == _KEY_MARK:
        return Finding(path[:-1], "is no valid name", _NAME_REMEDY)
    return Finding(path, _problem(details, secrets), _remedy(details, path, fields))


def _field_at(path: KeyPath, fields: Mapping[KeyPath, FieldInfo]) -> FieldInfo | None:
    """Return the setting at the path, or the one that the path leads into."""
    ends = range(len(path), 0, -1)
    return next((fields[path[:end]] for end in ends if path[:end] in fields), None)


def _problem(details: ErrorDetails, secrets: set[str]) -> str:
    template = _PROBLEMS.get(details["type"])
    if template:
        return template.format(**details.get("ctx", {}))
    text = details["msg"].removeprefix("Value error, ")
    # Ours never quote a value. A provider's validators word their messages themselves.
    if details["type"] != OURS and any(secret in text for secret in secrets):
        return "is not valid"
    return text


def _remedy(details: ErrorDetails, path: KeyPath, fields: Mapping[KeyPath, FieldInfo]) -> str:
    context = details.get("ctx", {})
    if "remedy" in context:
        return str(context["remedy"])
    if details["type"] == "extra_forbidden":
        return _nearest(path, fields)
    field = _field_at(path, fields)
    help_text = (field.description if field else None) or "See config/gateway.example.toml."
    if details["type"] == "missing":
        also = f", or set {variable_of(path)}" if path in fields else ""
        return f"Add it{also}. {help_text}"
    return help_text


def _nearest(path: KeyPath, fields: Mapping[KeyPath, FieldInfo]) -> str:
    depth = len(path) - 1
    known = {str(key[depth]) for key in fields if len(key) > depth and key[:depth] == path[:depth]}
    close = get_close_matches(str(path[-1]), known | set(NAMED_TABLES if depth == 0 else ()), n=1)
    return f"Did you mean {close[0]}?" if close else "Remove it."
