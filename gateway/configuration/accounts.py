"""The type of one account: the base settings, read by the model of the account's provider."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, SerializeAsAny, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from gateway.configuration.values import checked_public_url, wrong
from gateway.providers.account import AccountSettings
from gateway.providers.registry import KINDS, settings_of


def _fault_at(key: str, kind: PydanticCustomError | str) -> ValidationError:
    details = InitErrorDetails(type=kind, loc=(key,), input=None)
    return ValidationError.from_exception_data("account", [details], hide_input=True)


def _account(value: object) -> object:
    """Return the account in its provider's own model; other values are left to the base model to refuse."""
    if not isinstance(value, Mapping):
        return value
    if "provider" not in value:
        raise _fault_at("provider", "missing")
    kind = value["provider"]
    if kind not in KINDS:
        raise _fault_at("provider", wrong("is not a provider kind", f"Choose from: {', '.join(KINDS)}."))
    return _with_base_url(settings_of(kind).model_validate(value))


def _with_base_url(account: AccountSettings) -> AccountSettings:
    if account.public_url is None:
        return account
    try:
        url = checked_public_url(account.public_url)
    except PydanticCustomError as error:
        raise _fault_at("public_url", error) from None
    return account.model_copy(update={"public_url": url})


Account = Annotated[SerializeAsAny[AccountSettings], BeforeValidator(_account)]
