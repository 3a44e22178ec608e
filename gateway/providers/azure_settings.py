"""Settings of an Azure account: what proves its webhooks, and what sends."""

import base64
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from gateway.providers.azure_entra import PUBLIC_AUTHORITY
from gateway.providers.shared_secret import Secrets, SharedSecretSettings

_EVENT_GRID = "4962773b-9cdb-44cf-a8bf-237846a00ab7"  # Event Grid's application, the same in every tenant
_GUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _decodes(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


class AzureSettings(SharedSecretSettings):
    """A Communication Services resource with an Event Grid subscription."""

    model_config = ConfigDict(hide_input_in_errors=True)

    proofs: ClassVar[tuple[str, ...]] = ("url_secrets", "header_secrets", "basic")

    secret_parameter: str = Field(
        default="code",
        pattern=r"^[A-Za-z0-9_.~-]+$",
        description="Name of the URL's parameter that holds the secret.",
    )
    header_secrets: Secrets = Field(
        default_factory=list,
        description=(
            "Secret that the subscription's delivery properties put in a header; several while it is being changed."
        ),
    )
    secret_header: str = Field(
        default="X-Gateway-Secret",
        pattern=r"^[A-Za-z0-9-]+$",
        description="Name of the header that holds the secret.",
    )
    tenant_id: str | None = Field(
        default=None,
        pattern=_GUID,
        description="Microsoft Entra tenant whose tokens Event Grid sends; with it a token is required.",
    )
    audiences: Annotated[list[str], BeforeValidator(_one_or_many)] = Field(
        default_factory=list,
        description="Application id or id URI that the subscription names for Entra authentication.",
    )
    sender_app_id: str = Field(
        default=_EVENT_GRID,
        pattern=_GUID,
        description="Application that the tokens are issued to: Event Grid's own, unless an identity delivers.",
    )
    authority: Literal[
        "https://login.microsoftonline.com",
        "https://login.microsoftonline.us",
        "https://login.partner.microsoftonline.cn",
    ] = Field(default=PUBLIC_AUTHORITY, description="Login host of the cloud that the tenant is in.")
    endpoint: str | None = Field(
        default=None,
        pattern=r"^https://[A-Za-z0-9.-]+/?$",
        description="Endpoint of the resource, such as https://acme.communication.azure.com, to send replies.",
    )
    access_key: SecretStr | None = Field(default=None, description="Access key of the resource, base64.")
    opt_out_api: bool = Field(
        default=False,
        description="Write opt-outs to Azure's list: a preview that Microsoft must open for the resource.",
    )

    @field_validator("access_key")
    @classmethod
    def _is_base64(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _decodes(value.get_secret_value()):
            raise ValueError("access_key is not base64: copy a key from the resource's page Keys")
        return value

    @model_validator(mode="after")
    def _has_proof(self) -> Self:
        """Fail closed: a token proves as well as a secret; without either anybody could call."""
        if self.tenant_id and not any(getattr(self, name) for name in self.proofs):
            return self
        if not any(getattr(self, name) for name in self.proofs):
            raise ValueError(
                "no secret proves the webhooks: give url_secrets, header_secrets, or tenant_id and audiences"
            )
        checked: Self = super()._has_proof()  # type: ignore[operator]  # pydantic unwraps its decorator
        return checked

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if bool(self.tenant_id) != bool(self.audiences) or not all(name.strip() for name in self.audiences):
            raise ValueError("tenant_id and audiences go together: give both or neither")
        if (self.endpoint is None) != (self.access_key is None):
            raise ValueError("endpoint and access_key go together: give both or neither")
        if self.opt_out_api and self.endpoint is None:
            raise ValueError("opt_out_api needs endpoint and access_key: give them or leave it out")
        return self
