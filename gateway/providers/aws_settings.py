"""Settings of an AWS account, and the reading of its pinned certificates."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from gateway.providers.account import AccountSettings
from gateway.providers.aws_certificates import key_of, leaf_of

TopicArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\.fifo)?$")
]


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


class AwsSettings(AccountSettings):
    """An AWS account with AWS End User Messaging SMS."""

    model_config = ConfigDict(hide_input_in_errors=True)

    topics: Annotated[list[TopicArn], BeforeValidator(_one_or_many)] = Field(
        min_length=1,
        description=(
            "ARN of the SNS topic to which the numbers send their messages, or several. AWS signs everybody's "
            "topics: messages of any other are refused."
        ),
    )
    certificates: Annotated[list[str], BeforeValidator(_one_or_many)] = Field(
        default_factory=list,
        description=(
            "Signing certificates of SNS, as paths of PEM files or as PEM text. With one, no certificate is ever "
            "fetched and these alone count: for a gateway that may not call out. AWS changes them once a year."
        ),
    )
    maximum_age_seconds: int | None = Field(
        default=None,
        ge=1,
        description=(
            "Age from which on a signed message is refused. Unset, age does not matter: a repetition is known by "
            "its id. SNS itself retries for up to an hour."
        ),
    )
    access_key_id: str | None = Field(
        default=None,
        pattern=r"^[\x21-\x7e]+$",
        description="Access key that may send and write the opt-out list. Without one the account only receives.",
    )
    secret_access_key: SecretStr | None = Field(default=None, description="Secret of access_key_id.")
    session_token: SecretStr | None = Field(
        default=None, description="Session token of access_key_id, if it is a temporary one."
    )
    region: str | None = Field(
        default=None,
        pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]+$",
        description="AWS region of the numbers, such as us-east-1. Unset, that of the first topic.",
    )
    message_type: Literal["TRANSACTIONAL", "PROMOTIONAL"] = Field(
        default="TRANSACTIONAL", description="AWS's kind of message for our replies."
    )
    configuration_set: str | None = Field(
        default=None, description="Configuration set for what is sent, to get its delivery events."
    )
    opt_out_list: str = Field(
        default="Default",
        pattern=r"^[A-Za-z0-9_:/-]{1,256}$",
        description="Name or ARN of the opt-out list of the numbers.",
    )
    opt_out_keywords: list[str] = Field(
        default_factory=list,
        description="Keywords of your own to which you have given the action Opt-out at AWS.",
    )

    @field_validator("certificates")
    @classmethod
    def _read_certificates(cls, values: list[str]) -> list[str]:
        return [_pem(value) for value in values]

    @model_validator(mode="after")
    def _has_whole_key(self) -> Self:
        secret = self.secret_access_key.get_secret_value() if self.secret_access_key else ""
        if bool(self.access_key_id) != bool(secret.strip()):
            raise ValueError("access_key_id and secret_access_key go together: give both or neither")
        return self

    @property
    def numbers_region(self) -> str:
        """The region of the numbers."""
        return self.region or self.topics[0].split(":")[3]


def _pem(value: str) -> str:
    """Return PEM text, from the file when it is a path; raise `ValueError` for what is no certificate."""
    pem = value
    if not value.lstrip().startswith("-----BEGIN"):
        try:
            pem = Path(value).read_text(encoding="ascii")
        except (OSError, ValueError):
            raise ValueError(
                "a certificate cannot be read: give the path of a PEM file, or its text"
            ) from None
    key_of(leaf_of(pem.encode()))
    return pem
