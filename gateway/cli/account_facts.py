"""What can be told of an account from its settings alone."""

from collections.abc import Iterator

from gateway.cli.shop import NoCalls
from gateway.configuration.schema import holds_secret
from gateway.consent.address import Address, Channel
from gateway.providers.account import AccountSettings
from gateway.providers.base import OutboundMessage
from gateway.providers.registry import build
from gateway.providers.shared_secret import SharedSecret, SharedSecretSettings
from gateway.settings import Settings

_SENDER = "+15550100100"
_PERSON = Address(Channel.SMS, "+15550100199")
_NO_CREDENTIALS = "no_credentials"
# What verifies and is no secret: a public key, a certificate, the topic that may post.
_PUBLIC_PROOFS = ("public_keys", "certificates", "topics")


def base_url(settings: Settings, name: str) -> str:
    """Return the public base URL that the provider of an account calls."""
    return settings.accounts[name].public_url or settings.server.public_url


def webhook_url(settings: Settings, name: str) -> str:
    """Return the URL of inbound messages, without a secret."""
    return f"{base_url(settings, name)}/sms/{name}"


def status_url(settings: Settings, name: str) -> str:
    """Return the URL of delivery reports, without a secret."""
    return f"{webhook_url(settings, name)}/status"


def entered(account: AccountSettings, url: str) -> str:
    """Return the URL as it is entered at the provider: with its secret, where one stands in it."""
    return SharedSecret(account).signed_url(url) if isinstance(account, SharedSecretSettings) else url


def proofs(account: AccountSettings) -> list[str]:
    """Return the names of the settings by which webhooks are proved, the lists of secrets that are filled."""
    return list(_proofs(account))


def can_send(account: AccountSettings) -> bool:
    """Tell whether the account has what it needs to send; no call is made."""
    message = OutboundMessage(_PERSON, _SENDER, "test", reference="test")
    return build(account, NoCalls()).send(message).error_code != _NO_CREDENTIALS


def _proofs(account: AccountSettings) -> Iterator[str]:
    for name, field in type(account).model_fields.items():
        value = getattr(account, name)
        is_proof = name in _PUBLIC_PROOFS or (holds_secret(field) and isinstance(value, list | tuple | dict))
        if is_proof and value and name not in AccountSettings.model_fields:
            yield name
