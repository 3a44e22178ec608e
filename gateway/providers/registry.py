"""The providers that the gateway speaks, by kind."""

from collections.abc import Callable

from gateway.errors import ConfigurationError
from gateway.providers import twilio
from gateway.providers.account import AccountSettings
from gateway.providers.base import Provider

_KINDS: dict[str, tuple[type[AccountSettings], Callable[..., Provider]]] = {
    "twilio": (twilio.TwilioSettings, twilio.Twilio),
}

KINDS = tuple(sorted(_KINDS))


def settings_of(kind: str) -> type[AccountSettings]:
    """Return the settings model of a provider kind; raise `ConfigurationError` for an unknown one."""
    if kind not in _KINDS:
        raise ConfigurationError(f"unknown provider {kind!r}: choose one of {', '.join(KINDS)}")
    return _KINDS[kind][0]


def build(settings: AccountSettings) -> Provider:
    """Return the provider of an account."""
    return _KINDS[settings.provider][1](settings)
