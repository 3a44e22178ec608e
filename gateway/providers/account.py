"""Settings that every account has, whatever its provider. Each provider adds its own credentials."""

from enum import StrEnum
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from gateway.providers import standard_webhooks
from gateway.providers.base import ProviderReplies

# Standard Webhooks 1.0, "Signature scheme": a secret has 24 to 64 random bytes.
_SECRET_BYTES = range(24, 65)
_MAKE_ONE = "python3 -c 'import base64, secrets; print(\"whsec_\" + base64.b64encode(secrets.token_bytes(32)).decode())'"


class Forwarded(StrEnum):
    """Which webhooks are forwarded: all genuine ones, or those with something that we did not act on."""

    ALL = "all"
    OTHER = "other"


class Sync(StrEnum):
    """Which way opt-outs go between the ledger and the provider's own list."""

    OFF = "off"
    PUSH = "push"
    PULL = "pull"
    BOTH = "both"

    @property
    def pushes(self) -> bool:
        """Whether the provider is told what was said to us."""
        return self in {Sync.PUSH, Sync.BOTH}

    @property
    def pulls(self) -> bool:
        """Whether its list is taken over."""
        return self in {Sync.PULL, Sync.BOTH}


def checked_target(value: str | None) -> str | None:
    """Return the URL of an application as it is; raise `ValueError` unless webhooks can be posted there."""
    if value is None:
        return None
    remedy = "give a URL like https://app.example.com/sms, without fragment and credentials"
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        raise ValueError(f"is not a URL: {remedy}") from None
    if not (usable and parts.hostname and value.isascii() and value.isprintable()) or {" ", "#"} & set(value):
        raise ValueError(f"is not a URL to forward to: {remedy}")
    return value


class SenderSettings(BaseModel):
    """What differs for one sender of an account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider_replies: ProviderReplies | None = Field(
        default=None, description="Overrides the account's provider_replies for this sender."
    )
    forward_to: str | None = Field(
        default=None,
        description="Overrides the account's forward_to for this sender.",
        examples=["https://shop.example.com/sms"],
    )

    _target_is_usable = field_validator("forward_to")(checked_target)


class AccountSettings(BaseModel):
    """One configured connection to an SMS provider, named in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = Field(description="The provider kind: twilio.")
    provider_replies: ProviderReplies = Field(
        default=ProviderReplies.AUTO,
        description=(
            "Who answers STOP, START and HELP: auto (the provider, as it does by default), "
            "marker (the provider, only where it marks the message), none (we answer)."
        ),
    )
    reply_by: Literal["inline", "api"] = Field(
        default="inline",
        description=(
            "How our replies travel: inline in the answer to the webhook, where the provider takes them so, "
            "or api by a call of the worker."
        ),
    )
    public_url: str | None = Field(
        default=None,
        description="Public base URL as entered at the provider, if it differs from server.public_url.",
    )
    senders: dict[str, SenderSettings] = Field(
        default_factory=dict, description="Exceptions for single senders, keyed by number or short code."
    )
    rate_per_second: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description=(
            "Most messages a second that are sent for this account, by all workers together. Without it as many as "
            "the provider takes."
        ),
        examples=[10],
    )
    forward_to: str | None = Field(
        default=None,
        description=(
            "URL of your application: it gets every genuine webhook as the provider sent it, after it was recorded. "
            "https, or http to a host that outgoing.allow names."
        ),
        examples=["https://app.example.com/sms"],
    )
    forward: Forwarded = Field(
        default=Forwarded.ALL,
        description=(
            "Which webhooks are forwarded: all, delivery reports too, or other: those with a message that was not "
            "taken for an opt-out, an opt-in or a call for help."
        ),
    )
    forward_secret: list[SecretStr] = Field(
        default_factory=list,
        description=(
            "Secret that signs what is forwarded, whsec_ and base64 of 24 to 64 bytes, or several while one is being "
            "rotated: each signs. Required with forward_to."
        ),
    )
    sync: Sync = Field(
        default=Sync.OFF,
        description=(
            "Keeps the provider's own list of opt-outs in step: push tells it of opt-outs said to us, pull takes over "
            "those that it has, both does both. Where it has an interface for it."
        ),
    )
    sync_opt_ins: bool = Field(
        default=False,
        description=(
            "Tell the provider of opt-ins too: only of those that the ledger has a record of, said after the opt-out."
        ),
    )
    sync_hours: int = Field(
        default=24, ge=1, le=720, description="Hours between two pulls of the provider's list."
    )

    _target_is_usable = field_validator("forward_to")(checked_target)

    @field_validator("forward_secret", mode="before")
    @classmethod
    def _one_forward_secret_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str | SecretStr) else value

    @field_validator("forward_secret")
    @classmethod
    def _secrets_are_keys(cls, secrets: list[SecretStr]) -> list[SecretStr]:
        for secret in secrets:
            if len(standard_webhooks.key_of(secret.get_secret_value())) not in _SECRET_BYTES:
                raise ValueError(f"a secret has not 24 to 64 bytes. Make one: {_MAKE_ONE}")
        return secrets

    @model_validator(mode="after")
    def _forwards_are_signed(self) -> Self:
        """Fail closed: an application could not tell an unsigned webhook from anybody's."""
        targets = [self.forward_to, *(sender.forward_to for sender in self.senders.values())]
        if any(targets) and not self.forward_secret:
            raise ValueError(f"forward_secret is missing. Make one: {_MAKE_ONE}")
        return self
