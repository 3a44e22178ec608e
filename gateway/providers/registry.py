"""The providers that the gateway speaks, by kind."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import ConfigurationError
from gateway.net.outgoing import Outgoing
from gateway.providers import (
    aws,
    azure,
    bandwidth,
    bird,
    clickatell,
    generic,
    infobip,
    jasmin,
    kannel,
    plivo,
    sinch,
    telnyx,
    twilio,
    twilio_rehearsal,
    vonage,
)
from gateway.providers.account import AccountSettings
from gateway.providers.azure_settings import AzureSettings
from gateway.providers.base import Provider

# Settings of a made-up account, as in TOML, and the provider's private key where it signs with one.
RehearsalAccount = tuple[dict[str, object], str | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of provider: the settings of its accounts, and what speaks to it."""

    settings: type[AccountSettings]
    provider: Callable[..., Provider]  # of settings and what makes its outgoing calls
    rehearsal_account: Callable[[], RehearsalAccount]


_KINDS: dict[str, Kind] = {
    "aws": Kind(aws.AwsSettings, aws.Aws, aws.rehearsal_account),
    "azure": Kind(AzureSettings, azure.Azure, azure.rehearsal_account),
    "bandwidth": Kind(bandwidth.BandwidthSettings, bandwidth.Bandwidth, bandwidth.rehearsal_account),
    "bird": Kind(bird.BirdSettings, bird.Bird, bird.rehearsal_account),
    "clickatell": Kind(clickatell.ClickatellSettings, clickatell.Clickatell, clickatell.rehearsal_account),
    "generic": Kind(generic.GenericSettings, generic.Generic, generic.rehearsal_account),
    "infobip": Kind(infobip.InfobipSettings, infobip.Infobip, infobip.rehearsal_account),
    "jasmin": Kind(jasmin.JasminSettings, jasmin.Jasmin, jasmin.rehearsal_account),
    "kannel": Kind(kannel.KannelSettings, kannel.Kannel, kannel.rehearsal_account),
    "plivo": Kind(plivo.PlivoSettings, plivo.Plivo, plivo.rehearsal_account),
    "sinch": Kind(sinch.SinchSettings, sinch.Sinch, sinch.rehearsal_account),
    "telnyx": Kind(telnyx.TelnyxSettings, telnyx.Telnyx, telnyx.rehearsal_account),
    "twilio": Kind(twilio.TwilioSettings, twilio.Twilio, twilio_rehearsal.rehearsal_account),
    "vonage": Kind(vonage.VonageSettings, vonage.Vonage, vonage.rehearsal_account),
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


def rehearsal_account(kind: str) -> RehearsalAccount:
    """Return a made-up account of a provider kind; raise `ConfigurationError` for an unknown one."""
    settings_of(kind)
    return _KINDS[kind].rehearsal_account()
