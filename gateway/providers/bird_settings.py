"""Settings of a Bird account, in any of the three generations of Bird's API."""

import re
from enum import StrEnum
from typing import Literal, Self

from pydantic import ConfigDict, Field, SecretStr, model_validator

from gateway.providers import standard_webhooks
from gateway.providers.account import AccountSettings
from gateway.providers.shared_secret import Secrets, revealed

_KEY_REGION = re.compile(r"b[km]_([a-z]{2}[0-9]+)_.+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")


class Generation(StrEnum):
    """Which of Bird's interfaces an account speaks."""

    LEGACY = "legacy"
    NOTIFICATIONS = "notifications"
    SMS = "sms"


class BirdSettings(AccountSettings):
    """A Bird (MessageBird) account."""

    model_config = ConfigDict(hide_input_in_errors=True)

    api: Generation = Field(
        description=(
            "Generation of Bird's interface: legacy (MessageBird's REST API and Flow Builder), notifications "
            "(Channels and Notifications API of Bird CRM) or sms (the SMS API with webhooks of the kind whsec_)."
        )
    )
    signing_keys: Secrets = Field(
        default_factory=list,
        description=(
            "Signing key of the webhooks, or several while it is being rotated; for api = sms the secrets that "
            "begin with whsec_. It is not the access key."
        ),
    )
    access_key: SecretStr | None = Field(
        default=None,
        description="Access key (legacy, notifications) or API key (sms) that sends. Without one the account only receives.",
    )
    workspace_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9-]+$",
        description="Workspace that sends, for api = notifications.",
    )
    channels: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "For api = notifications: the number or sender name of each SMS channel, by channel id. Bird's "
            "messages name the channel, not always the number."
        ),
    )
    region: str | None = Field(
        default=None,
        pattern=r"^[a-z]{2}[0-9]+$",
        description="Bird's region for api = sms, such as us1. Unset, the one in the access key.",
    )
    category: Literal["transactional", "marketing", "authentication", "service"] = Field(
        default="transactional", description="Bird's category of our replies, for api = sms."
    )
    report_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="For api = legacy: public URL of this account's /status path, to get reports for what is sent.",
    )
    tolerance_seconds: int = Field(
        default=standard_webhooks.TOLERANCE_SECONDS,
        ge=1,
        le=3600,
        description="How far the signed time of a webhook may be from ours. Tokens (JWT) say by themselves how long they hold.",
    )
    leeway_seconds: int = Field(
        default=1,
        ge=0,
        le=60,
        description="How far Bird's clock and ours may differ where a token (JWT) says how long it holds.",
    )

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        """Fail closed: without a key, or with an empty one, anybody could sign."""
        keys = revealed(self.signing_keys)
        if not keys or not all(key.strip() for key in keys):
            raise ValueError(
                "signing_keys is missing or has an empty entry: give the signing key of the webhooks"
            )
        if self.api is Generation.SMS:
            for key in keys:
                standard_webhooks.key_of(key)
        return self

    @model_validator(mode="after")
    def _can_send(self) -> Self:
        if self.access_key is None:
            return self
        if not _HEADER_VALUE.fullmatch(self.access_key.get_secret_value()):
            raise ValueError("access_key is empty or has blanks: give it as Bird shows it, or leave it out")
        if self.api is Generation.NOTIFICATIONS and self.workspace_id is None:
            raise ValueError("workspace_id is missing: sending needs the workspace")
        if self.api is Generation.SMS and self.host_region is None:
            raise ValueError("region is missing: the access key does not name it")
        return self

    @property
    def host_region(self) -> str | None:
        """Bird's region for `api = sms`, None when neither setting nor key names it."""
        named = _KEY_REGION.fullmatch(self.access_key.get_secret_value()) if self.access_key else None
        return self.region or (named and named.group(1))
