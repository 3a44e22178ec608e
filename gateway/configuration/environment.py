"""Environment variables that override the file: `GATEWAY_<TABLE>_<KEY>`."""

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import get_origin

from pydantic.fields import FieldInfo

from gateway.configuration.faults import Finding, KeyPath, written
from gateway.configuration.schema import NAMED_TABLES, fields_of, types_in
from gateway.providers.registry import KINDS

PREFIX = "GATEWAY_"
# Ours but no settings; and what Kubernetes puts into every pod beside a service that is named "gateway".
_FREE = re.compile(
    r"GATEWAY_(?:CONFIG|GROUP_LIMIT|BODY_LIMIT|TEST_.*|BENCH_.*|SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP).*)?)"
)


def variable_of(path: KeyPath) -> str:
    """Return the name of the variable that overrides a setting."""
    return PREFIX + "_".join(str(part).upper().replace("-", "_") for part in path)


class Overrides:
    """Puts values from the environment into the data of a file, and remembers which came from where."""

    def __init__(self, environ: Mapping[str, str], used: set[str]) -> None:
        """Take the variables of ours; an empty one counts as not set, as compose files pass them.

        `used` has the variables that the file names by `${NAME}`: they need not be settings.
        """
        self.sources: dict[KeyPath, str] = {}
        self.findings: list[Finding] = []
        self._environ = {
            name: value
            for name, value in environ.items()
            if value and name.startswith(PREFIX) and not _FREE.fullmatch(name)
        }
        self._used = used

    def apply(self, data: dict[str, object]) -> None:
        """Override the settings in `data`, in place."""
        # A first look for the providers alone: an account's provider decides which keys it has.
        for path, field in fields_of(data).items():
            if path[-1] == "provider":
                self._override(data, path, field)
        fields = fields_of(data)
        for path, field in fields.items():
            self._override(data, path, field)
        self._refuse_unknown(data, fields)

    def _override(self, data: dict[str, object], path: KeyPath, field: FieldInfo) -> None:
        variable = variable_of(path)
        if variable not in self._environ:
            return
        other = next((key for key, name in self.sources.items() if name == variable and key != path), None)
        if other:
            problem = f"could mean {written(other)} and {written(path)}"
            self.findings.append(Finding((), problem, "Set the key in the file instead.", variable))
            return
        self.sources[path] = variable
        try:
            _put(data, path, _value(self._environ[variable], field))
        except ValueError:
            remedy = "Give a JSON array or object, or for plain lists the elements with commas between."
            self.findings.append(Finding(path, "is not valid JSON", remedy, variable))

    def _refuse_unknown(self, data: Mapping[str, object], fields: Mapping[KeyPath, FieldInfo]) -> None:
        known = [variable_of(path) for path in fields]
        unclear = tuple(_accounts_of_unknown_kind(data))
        for name in sorted(self._environ.keys() - self._used - set(known)):
            if not name.startswith(unclear):
                problem = "is no setting of the gateway"
                self.findings.append(Finding((), problem, _suggestion(name, known), name))


def _accounts_of_unknown_kind(data: Mapping[str, object]) -> list[str]:
    """Return the prefixes under which any key may be right, once the account's provider is."""
    accounts = data.get("accounts")
    if not isinstance(accounts, dict):
        return []
    return [
        variable_of(("accounts", name)) + "_"
        for name, entry in accounts.items()
        if not (isinstance(entry, dict) and entry.get("provider") in KINDS)
    ]


def _suggestion(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.8)
    if close:
        return f"Did you mean {close[0]}?"
    if name.startswith(tuple(variable_of((table,)) + "_" for table in NAMED_TABLES)):
        return "Only accounts and programs that stand in the file can be overridden; else unset it."
    return "Unset it; config/gateway.example.toml has every setting."


def _value(text: str, field: FieldInfo) -> object:
    """Return the text as the setting's kind wants it. Numbers and truth values are left to the model."""
    origins = {get_origin(each) for each in types_in(field.annotation)}
    if not origins & {tuple, list, dict}:
        return text
    if text.lstrip().startswith(("[", "{")):
        return json.loads(text)
    return [item.strip() for item in text.split(",") if item.strip()]


def _put(data: dict[str, object], path: KeyPath, value: object) -> None:
    """Set a value. A parent that is no table is left alone: the model tells what is wrong with it."""
    table: object = data
    for part in path[:-1]:
        if not isinstance(table, dict):
            return
        table = table.setdefault(part, {})
    if isinstance(table, dict):
        table[path[-1]] = value
