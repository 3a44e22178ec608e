"""One made-up account of every provider, the requests that it delivers, and ways to spoil them."""

import base64
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from gateway.net.outgoing import Call, NothingSentError, Outgoing, Returned
from gateway.providers.account import AccountSettings
from gateway.providers.base import Provider, Rehearsal, WebhookRequest
from gateway.providers.registry import build, rehearsal_account, settings_of

BASE = "https://sms.example.com"
SENDER = "+15550100100"
NOW = 1_800_000_000_000_000

Change = Callable[[str], str | None]  # None takes the value away


class NoNetwork(Outgoing):
    """What verifies by secrets of its own makes no call."""

    def call(self, call: Call) -> Returned:
        raise NothingSentError(f"a call to {call.url} from a test")


@dataclass(frozen=True)
class Case:
    """One kind of account. `settings` are as in TOML."""

    name: str
    settings: dict[str, Any] = field(repr=False)
    signing_key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, name: str) -> "Case":
        """Make an account up. The name of a variant has a hyphen after the kind: sinch-conversation."""
        kind, _, variant = name.partition("-")
        settings, key = rehearsal_account(kind)
        changes = _VARIANTS[name]() if variant else _SETTINGS.get(name, {})
        kept = {**settings, **changes}
        return cls(name, {name: value for name, value in kept.items() if value is not None}, key)

    @property
    def kind(self) -> str:
        return self.name.partition("-")[0]

    def with_settings(self, **changes: Any) -> "Case":
        return replace(self, settings={**self.settings, **changes})

    def model(self) -> AccountSettings:
        return settings_of(self.kind).model_validate(self.settings)

    def provider(self) -> Provider:
        return build(self.model(), NoNetwork())

    def url(self, base: str = BASE) -> str:
        return f"{base}/sms/{self.name}"

    def request(
        self,
        text: str = "STOP",
        *,
        origin: str = "+15550100123",
        message_id: str | None = None,
        at: int = NOW,
        base: str = BASE,
    ) -> WebhookRequest:
        """Return what the provider would deliver; the message id is fresh unless given."""
        fresh = fresh_id() if message_id is None else message_id
        rehearsal = Rehearsal(self.url(base), origin, SENDER, text, fresh, at, self.signing_key)
        request = self.provider().rehearse(rehearsal)
        dropped = _DROPPED.get(self.name, ())
        kept = {name: value for name, value in request.headers.items() if name not in dropped}
        return replace(request, headers=kept)


# Further generations of a vendor's API, which are accounts of their own.
_VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "bird-legacy": lambda: {"api": "legacy", "signing_keys": [secrets.token_urlsafe(24)]},
    "bird-notifications": lambda: {"api": "notifications", "signing_keys": [secrets.token_urlsafe(24)]},
    "generic-webhooks": lambda: {
        "hmac": None,
        "hmac_secrets": None,
        "webhook_secrets": [base64.b64encode(secrets.token_bytes(24)).decode()],
    },
    "plivo-v3": dict,
    "sinch-conversation": lambda: {"api": "conversation"},
    "vonage-sms": lambda: {"api": "sms", "signature_method": "sha256"},
}
VARIANTS = tuple(_VARIANTS)

# What is off unless it is set.
_SETTINGS: dict[str, dict[str, Any]] = {"aws": {"maximum_age_seconds": 3600}}

# Plivo's rehearsals carry both of its signatures, of which either would do.
_DROPPED = {
    "plivo": ("x-plivo-signature-v3", "x-plivo-signature-v3-nonce"),
    "plivo-v3": ("x-plivo-signature-v2", "x-plivo-signature-v2-nonce"),
}


def fresh_id() -> str:
    return secrets.token_hex(16)


def now() -> int:
    return time.time_ns() // 1_000


# -- spoiling --------------------------------------------------------------------------------------------


def spoiled(request: WebhookRequest, place: str, change: Change) -> WebhookRequest:
    """Change one value: `header NAME`, `query NAME`, `form NAME` or `json NAME`."""
    where, _, name = place.partition(" ")
    return _SPOILERS[where](request, name, change)


def _header(request: WebhookRequest, name: str, change: Change) -> WebhookRequest:
    headers = dict(request.headers)
    value = change(headers.pop(name))
    return replace(request, headers=headers if value is None else {**headers, name: value})


def _query(request: WebhookRequest, name: str, change: Change) -> WebhookRequest:
    path, _, query = request.url.partition("?")
    changed = _pairs(query, name, change)
    return replace(request, url=f"{path}?{changed}" if changed else path)


def _form(request: WebhookRequest, name: str, change: Change) -> WebhookRequest:
    return replace(request, body=_pairs(request.body.decode(), name, change).encode())


def _json(request: WebhookRequest, name: str, change: Change) -> WebhookRequest:
    document = json.loads(request.body)
    value = change(document.pop(name))
    return replace(
        request, body=json.dumps(document if value is None else {**document, name: value}).encode()
    )


_SPOILERS = {"header": _header, "query": _query, "form": _form, "json": _json}


def _pairs(written: str, name: str, change: Change) -> str:
    pairs = parse_qsl(written, keep_blank_values=True)
    assert name in dict(pairs), f"there is no {name}"
    changed = [(key, change(value) if key == name else value) for key, value in pairs]
    return urlencode([pair for pair in changed if pair[1] is not None], quote_via=quote)


def other_text(request: WebhookRequest, text: str, other: str) -> WebhookRequest:
    """Let the person say something else, of the same length, and leave the proof as it is."""
    assert len(text) == len(other)
    body, url = request.body, request.url
    for old, new in ((text, other), (text.encode().hex(), other.encode().hex())):
        body, url = body.replace(old.encode(), new.encode()), url.replace(old, new)
    changed = replace(request, body=body, url=url)
    assert changed != request, "the text is not in the request"
    return changed
