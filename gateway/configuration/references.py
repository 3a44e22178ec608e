"""`${NAME}` in the values of a configuration file: the value is taken from the environment."""

import re
from collections.abc import Mapping

from gateway.configuration.faults import Finding, KeyPath

# One pass from left to right: `$${` is an escaped `${`; a reference that never closes is a fault.
_REFERENCE = re.compile(r"\$(?P<escape>\$?)\{(?P<name>[^{}]*)(?P<close>\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class References:
    """Expands references and remembers the variables it used and the faults it found.

    Values from the environment are taken as they are: a `${` inside them is not expanded again.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.used: set[str] = set()
        self.findings: list[Finding] = []
        self._environ = environ

    def table(self, values: Mapping[str, object], path: KeyPath = ()) -> dict[str, object]:
        """Return a deep copy of a table with its references expanded; a faulty one stays as it is."""
        return {key: self._expanded(value, (*path, key)) for key, value in values.items()}

    def _expanded(self, value: object, path: KeyPath) -> object:
        if isinstance(value, dict):
            return self.table(value, path)
        if isinstance(value, list):
            return [self._expanded(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str):
            return _REFERENCE.sub(lambda match: self._one(match, path), value)
        return value

    def _one(self, match: re.Match[str], path: KeyPath) -> str:
        if match["escape"]:
            return match.group()[1:]
        name = match["name"]
        if not (match["close"] and _NAME.fullmatch(name)):
            self._complain(path, "has a malformed ${NAME}", "Close the brace, or write $${ for a literal ${.")
            return match.group()
        self.used.add(name)
        # Empty counts as missing: compose files pass unset variables as empty ones, and an empty secret
        # would verify anything.
        if not self._environ.get(name):
            problem = f"needs the environment variable {name}, which is not set or empty"
            self._complain(path, problem, f"Set {name}, or write $${{ for a literal ${{.")
            return match.group()
        return self._environ[name]

    def _complain(self, path: KeyPath, problem: str, remedy: str) -> None:
        self.findings.append(Finding(path, problem, remedy))
