"""The providers that the gateway speaks, by kind."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import ConfigurationError
from gateway.net.outgoing import Outgoing
from gateway.providers import twilio
from gateway.providers.account import AccountSettings
from gateway.providers.base import Provider


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of provider: the settings of its accounts, and what speaks to it."""

    settings: type[AccountSettings]
    provider: Callable[..., Provider]  # of settings and what makes its outgoing calls


_KINDS: dict[str, Kind] = {
    "twilio": Kind(twilio.TwilioSettings, twilio.Twilio),
}

KINDS = tuple(sorted(_KINDS))


def settings_of(kind: str) -> type[AccountSettings]:
    """Return the settings model of a provider kind; raise `ConfigurationError` for an unknown one."""
    if kind not in _KINDS:
        raise ConfigurationError(f"unknown provider {kind!r}: choose one of {', '.join(KINDS)}")
    return _KINDS[kind].settings


def build(settings: AccountSettings, net: Outgoing) -> Provider:
    """Return the provider of an account, which makes its outgoing calls through `net`."""
    return _KINDS[settings.provider].provider(settings, net)
