"""Settings of the generic provider: how its webhooks prove themselves, what stands where, how it is called.

Paths, patterns and templates are checked when the settings are read, so that a mistake shows at the start.
"""

from enum import StrEnum
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from gateway.providers import standard_webhooks
from gateway.providers.generic_paths import Path, document
from gateway.providers.generic_tables import (
    HEADER_NAME,
    AnswerSettings,
    HmacSettings,
    MessageSettings,
    SendSettings,
    StatusSettings,
    Values,
)
from gateway.providers.shared_secret import Secrets, SharedSecretSettings, revealed


class BodyForm(StrEnum):
    """How the fields of a webhook travel."""

    JSON = "json"
    FORM = "form"
    QUERY = "query"


class GenericSettings(SharedSecretSettings):
    """An account of a provider without a module of its own, described by settings."""

    proofs: ClassVar[tuple[str, ...]] = (
        "hmac_secrets",
        "webhook_secrets",
        "basic",
        "header_secrets",
        "url_secrets",
    )

    body: BodyForm = Field(
        default=BodyForm.JSON,
        description="How the fields travel: in a JSON body, in a form, or in the query of the URL.",
    )
    charset: Literal["utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"] = Field(
        default="utf-8", description="Character set of form and query. JSON is always UTF-8."
    )
    channel: Literal["sms", "whatsapp"] = Field(
        default="sms", description="Channel of the account's messages."
    )
    hmac_secrets: Secrets = Field(
        default_factory=list,
        description="Secret with which the provider signs; several while it is being changed.",
    )
    hmac: HmacSettings = Field(default_factory=HmacSettings, description="The signature.")
    webhook_secrets: Secrets = Field(
        default_factory=list,
        description=(
            "Secret whsec_... of a provider that signs by Standard Webhooks; several while it is being changed."
        ),
    )
    header_secrets: Secrets = Field(
        default_factory=list,
        description="Secret that the provider sends in a header; several while it is being changed.",
    )
    secret_header: str = Field(
        default="X-Api-Key", pattern=HEADER_NAME, description="Header that holds the secret."
    )
    tolerance_seconds: int = Field(
        default=300,
        ge=1,
        le=86_400,
        description="How far a signed time may be from our clock, before and after.",
    )
    kind: str | None = Field(
        default=None,
        description="Where messages and reports share a URL: the field that tells them apart.",
        examples=["type"],
    )
    message_kinds: Values = Field(
        default=(), description="Values of kind that are messages.", examples=[["inbound"]]
    )
    status_kinds: Values = Field(
        default=(),
        description="Values of kind that are delivery reports. All others are acknowledged and not read.",
        examples=[["report"]],
    )
    answered_words: Values = Field(
        default=(),
        description=(
            "Words that the provider answers by itself where provider_replies is auto and they are the whole "
            "message."
        ),
        examples=[["STOP", "HELP"]],
    )
    message: MessageSettings = Field(description="Inbound messages.")
    status: StatusSettings = Field(default_factory=StatusSettings, description="Delivery reports.")
    answer: AnswerSettings = Field(default_factory=AnswerSettings, description="Acknowledgement.")
    send: SendSettings = Field(default_factory=SendSettings, description="Replies.")

    @field_validator("webhook_secrets")
    @classmethod
    def _are_keys(cls, values: list[SecretStr]) -> list[SecretStr]:
        for value in revealed(values):
            standard_webhooks.key_of(value)
        return values

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.body is BodyForm.QUERY and (self.hmac_secrets or self.webhook_secrets):
            raise ValueError(
                "a signature over the body covers no query: use url_secrets, basic or header_secrets"
            )
        if bool(self.kind) != bool(self.message_kinds):
            raise ValueError("kind and message_kinds go together: give both or neither")
        if self.status_kinds and not self.status.person:
            raise ValueError("status_kinds need status.person: say where the person's number stands")
        if self.body is not BodyForm.JSON and (self.message.elements or self.status.elements):
            raise ValueError("elements are for JSON: a form or query holds one message")
        self._draw(self.message.elements, self.message.paths)
        self._draw(self.status.elements, self.status.paths)
        return self

    def path(self, text: str) -> Path:
        """Return the place that a setting names; raise `ValueError` for what is no path."""
        return Path.parse(text) if self.body is BodyForm.JSON else Path.name(text)

    def elements(self, text: str | None) -> Path:
        """Return the place of the list of messages or reports; without one, the document itself."""
        path = Path.parse(text or "")
        if text and None not in path.steps:
            raise ValueError(f"elements is {text!r}: it ends in the list with [], such as messages[]")
        return path

    def _draw(self, elements: str | None, paths: list[str]) -> None:
        """Raise `ValueError` unless all paths fit into one document."""
        kinds = [self.kind] if self.kind else []
        document(self.elements(elements), [(self.path(path), "x") for path in dict.fromkeys(paths + kinds)])
