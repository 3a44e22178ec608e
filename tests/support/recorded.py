"""The recorded requests of one provider as the cases of a test, and whether each is judged as its author says."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from support.vectors import FOLDER, Vector, account_of

from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers import registry
from gateway.providers.base import Provider, WebhookRequest


def cases(name: str, which: Callable[[Vector], object] = bool) -> list[Any]:
    """Return a case for each vector of a file of which `which` holds; a skipped one where it is absent."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        reason = pytest.mark.skip(reason=f"no recorded requests: {path} is absent")
        return [pytest.param(None, marks=reason, id="absent")]
    vectors = json.loads(path.read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["id"]) for vector in vectors if which(vector)]


def is_valid(vector: Vector) -> bool:
    return vector["valid"]


def is_forged(vector: Vector) -> bool:
    return not vector["valid"]


def has_expectation(vector: Vector) -> bool:
    return bool(vector.get("expect"))


def provider_of(vector: Vector) -> Provider:
    """Return the provider of the account that an operator would configure."""
    account = account_of(vector)
    return registry.build(registry.settings_of(account["provider"]).model_validate(account), Web())


def assert_judged(provider: Provider, request: WebhookRequest, *, valid: bool) -> None:
    """Check that a valid request is taken, and that another is refused and not read either."""
    if valid:
        provider.verify(request)
        return
    for call in (provider.verify, provider.receive):
        with pytest.raises(NotAuthenticError):
            call(request)
