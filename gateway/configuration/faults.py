"""What is wrong with a configuration: each fault with its key, its place and its remedy."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import ConfigurationError

KeyPath = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def written(path: KeyPath) -> str:
    """Return a key path as one writes it in TOML: `programs.offers.senders[0]`; "" for the document."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_key(part)}"
    return text.removeprefix(".")


def _key(part: str) -> str:
    return part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the value at a key path, before its place is known."""

    path: KeyPath
    problem: str
    remedy: str
    variable: str | None = None  # the environment variable that brought the value


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where, what, and what to do. Holds no secret value.

    `line` is that of the key, or of its table's header when the key is missing; None when neither stands in
    the file. `variable` is set instead when the value came from the environment.
    """

    key: str
    problem: str
    remedy: str
    file: Path | None = None
    line: int | None = None
    variable: str | None = None

    def __str__(self) -> str:
        """Return `config/gateway.toml:12: programs.offers.name: is missing. Remedy: ...`."""
        subject = f"{self._place}: {self.key}" if self.key else self._place
        return f"{subject}: {self.problem}. Remedy: {self.remedy}"

    @property
    def _place(self) -> str:
        if self.variable:
            return f"environment variable {self.variable}"
        if self.file is None:
            return "no configuration file"
        return str(self.file) if self.line is None else f"{self.file}:{self.line}"


class SettingsError(ConfigurationError):
    """The settings cannot be used. `faults` has every fault that was found, in the order of the file."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))
