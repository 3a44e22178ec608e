"""Whether a row holds what its columns are for. SQLite lets a changed row hold values of any type."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import Table

from gateway.store.statements import Row


@dataclass(frozen=True, slots=True)
class RowKinds:
    """The Python types of some columns of a table."""

    columns: tuple[str, ...]
    kinds: tuple[type, ...]

    @classmethod
    def of(cls, table: Table, columns: tuple[str, ...]) -> Self:
        """Take the types from the schema."""
        return cls(columns, tuple(table.c[name].type.python_type for name in columns))

    def misfits(self, row: Row) -> list[str]:
        """Return the columns whose value has another type, or is no text at all. NULL fits everywhere."""
        pairs = zip(self.columns, self.kinds, row, strict=True)
        return [name for name, kind, value in pairs if value is not None and not _fits(value, kind)]


def _fits(value: object, kind: type) -> bool:
    return type(value) is kind and (not isinstance(value, str) or value.isascii() or _is_text(value))


def _is_text(value: str) -> bool:
    """Tell whether the database held UTF-8: what was not was read as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
