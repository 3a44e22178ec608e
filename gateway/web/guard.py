"""Every route says who may call it. A route without a guard does not start."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask

from gateway.errors import ConfigurationError

View = TypeVar("View", bound=Callable[..., Any])
_ATTRIBUTE = "gateway_guard"


class Guard(StrEnum):
    """By what a caller is let in."""

    PUBLIC = "public"  # says nothing about anybody
    PROVIDER = "provider"  # the provider's signature, checked on the raw request
    LINK = "link"  # the encrypted token in the path
    BEARER = "bearer"  # an operator token with a scope


class TokenScope(StrEnum):
    """What a bearer token may do."""

    READ = "read"  # status, events, checks, interpret
    LINKS = "links"  # mint unsubscribe links
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Guarding:
    """The guard of one route."""

    guard: Guard
    scope: TokenScope | None = None


def guarded(guard: Guard, scope: TokenScope | None = None) -> Callable[[View], View]:
    """Return a decorator that states the guard of a view."""

    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, Guarding(guard, scope))
        return view

    return mark


def guard_of(app: Flask, endpoint: str) -> Guarding:
    """Return the guard of an endpoint; raise `ConfigurationError` when it states none."""
    found = getattr(app.view_functions[endpoint], _ATTRIBUTE, None)
    if not isinstance(found, Guarding):
        raise ConfigurationError(f"the route {endpoint} states no guard")
    return found


def require_guards(app: Flask) -> None:
    """Refuse an application with an unguarded route."""
    for rule in app.url_map.iter_rules():
        guard_of(app, rule.endpoint)
