"""Settings that every account has, whatever its provider. Each provider adds its own credentials."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.providers.base import ProviderReplies


class SenderSettings(BaseModel):
    """What differs for one sender of an account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider_replies: ProviderReplies | None = Field(
        default=None, description="Overrides the account's provider_replies for this sender."
    )


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
