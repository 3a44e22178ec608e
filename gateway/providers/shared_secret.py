"""Proof for providers that do not sign: Basic credentials, and a secret in the webhook's URL.

Either proves who calls, neither covers what is said. Where both are configured a request needs both.
"""

import base64
import hmac
import secrets
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self
from urllib.parse import quote, unquote_to_bytes

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from gateway.errors import NotAuthenticError
from gateway.providers.account import AccountSettings
from gateway.providers.base import Answer, WebhookRequest

# RFC 7235 section 3.1: a client that waits to be asked sends its credentials after this.
_CHALLENGE = Answer(
    401, "text/plain; charset=utf-8", b"", (("WWW-Authenticate", 'Basic realm="webhooks", charset="UTF-8"'),)
)
_FORBIDDEN = Answer(403, "text/plain; charset=utf-8", b"")


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str | SecretStr) else value


Secrets = Annotated[list[SecretStr], BeforeValidator(_one_or_many)]


def revealed(values: Sequence[SecretStr]) -> list[str]:
    """Return the secrets themselves."""
    return [value.get_secret_value() for value in values]


class SharedSecretSettings(AccountSettings):
    """An account whose provider proves itself by Basic credentials or by a secret in the URL."""

    model_config = ConfigDict(hide_input_in_errors=True)

    # Names of the fields of which one at least must be filled; a provider that can sign adds its own.
    proofs: ClassVar[tuple[str, ...]] = ("basic", "url_secrets")

    basic: Secrets = Field(
        default_factory=list,
        description=(
            "HTTP Basic credentials that the provider sends with its webhooks, as user:password; several while "
            "they are being changed."
        ),
    )
    url_secrets: Secrets = Field(
        default_factory=list,
        description=(
            "Secret that stands in the webhook's URL as entered at the provider, as ?key=SECRET; several while "
            "it is being changed. Where basic is set too, a request needs both."
        ),
    )
    secret_parameter: str = Field(
        default="key",
        pattern=r"^[A-Za-z0-9_.~-]+$",
        description="Name of the URL's parameter that holds the secret.",
    )

    @model_validator(mode="after")
    def _has_proof(self) -> Self:
        """Fail closed: without a secret, or with an empty one, anybody could call."""
        given = [name for name in self.proofs if getattr(self, name)]
        if not given:
            raise ValueError(f"no secret proves the webhooks: give {' or '.join(self.proofs)}")
        for name in given:
            if not all(secret.strip() for secret in revealed(getattr(self, name))):
                raise ValueError(f"an entry of {name} is empty: give its secret or remove it")
        if not all(all(pair.partition(":")[::2]) for pair in revealed(self.basic)):
            raise ValueError("an entry of basic is not user:password: give both, with a colon between")
        return self


class SharedSecret:
    """Checks the Basic credentials and the URL secret of an account, in constant time."""

    __slots__ = ("_basic", "_parameter", "_secrets")

    def __init__(self, settings: SharedSecretSettings) -> None:
        self._basic = [base64.b64encode(pair.encode()) for pair in revealed(settings.basic)]
        self._secrets = [secret.encode() for secret in revealed(settings.url_secrets)]
        self._parameter = settings.secret_parameter

    @property
    def is_set(self) -> bool:
        """Whether there is anything to check."""
        return bool(self._basic or self._secrets)

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request carries all that is configured."""
        if self._basic and not _is_among(_credentials(request), self._basic):
            raise NotAuthenticError("the Basic credentials are missing or wrong")
        if self._secrets and not self._has_secret(request.url):
            raise NotAuthenticError("the secret in the URL is missing or wrong")

    def refusal(self) -> Answer:
        """Return the answer to a request without proof: with Basic the challenge, else 403."""
        return _CHALLENGE if self._basic else _FORBIDDEN

    def signed_url(self, url: str) -> str:
        """Return the URL as entered at the provider: with the first secret."""
        if not self._secrets:
            return url
        return f"{url}{'&' if '?' in url else '?'}{self._parameter}={quote(self._secrets[0], safe='')}"

    def headers(self) -> dict[str, str]:
        """Return the header with which the provider proves itself, by the first credentials."""
        return {"authorization": f"Basic {self._basic[0].decode()}"} if self._basic else {}

    def _has_secret(self, url: str) -> bool:
        value = self._value(url)
        # Nobody agrees whether a plus in a URL is a blank.
        readings = (unquote_to_bytes(value), unquote_to_bytes(value.replace("+", " ")))
        return any(_is_among(reading, self._secrets) for reading in readings)

    def _value(self, url: str) -> str:
        """Return the first value of the parameter, undecoded: one guess a request."""
        for pair in url.partition("#")[0].partition("?")[2].split("&"):
            name, _, value = pair.partition("=")
            if name == self._parameter:
                return value
        return ""


def made_up_credentials() -> str:
    """Return fresh random Basic credentials, for accounts of demos and tests."""
    return f"gateway:{secrets.token_urlsafe(24)}"


def _credentials(request: WebhookRequest) -> bytes:
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    return token.strip().encode("utf-8", "replace") if scheme.lower() == "basic" else b""


def _is_among(value: bytes, expected: Sequence[bytes]) -> bool:
    return any(hmac.compare_digest(value, each) for each in expected)
