"""The form of every table of settings."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """Frozen and strict; its errors show no values, which may be secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)
