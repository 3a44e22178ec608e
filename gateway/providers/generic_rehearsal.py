"""A message as a provider of this mapping would deliver it, and a made-up account of such a provider."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from gateway.providers.base import Rehearsal, WebhookRequest
from gateway.providers.generic_paths import document
from gateway.providers.generic_proof import Proof
from gateway.providers.generic_settings import BodyForm, GenericSettings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_UNITS = {"unix": 1_000_000, "unix_ms": 1_000}


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return settings as in TOML, with fresh secrets; nobody but the two ends holds a key."""
    settings: dict[str, object] = {
        "provider": "generic",
        "body": "json",
        "hmac_secrets": [secrets.token_urlsafe(32)],
        "hmac": {
            "header": "X-Signature",
            "prefix": "sha256=",
            "signed": "{timestamp}.{body}",
            "timestamp_header": "X-Timestamp",
        },
        "message": {
            "elements": "messages[]",
            "message_id": ["id"],
            "person": "from",
            "sender": "to",
            "text": "text",
            "time": "sent_at",
        },
        "status": {"elements": "reports[]", "person": "to", "status": "status"},
    }
    return settings, None


def signed(settings: GenericSettings, proof: Proof, rehearsal: Rehearsal) -> WebhookRequest:
    """Return the request with all its proofs."""
    fields = _document(settings, rehearsal)
    url, body, headers, method = proof.signed_url(rehearsal.url), b"", {}, "POST"
    if settings.body is BodyForm.JSON:
        body, headers = json.dumps(fields).encode(), {"content-type": _JSON}
    else:
        form = urlencode(fields, encoding=settings.charset, errors="replace")
        if settings.body is BodyForm.FORM:
            body, headers = form.encode(), {"content-type": _FORM}
        else:
            url, method = f"{url}{'&' if '?' in url else '?'}{form}", "GET"
    headers |= proof.headers(method, url, body, rehearsal)
    return WebhookRequest(method, url, headers, body, rehearsal.at)


def _document(settings: GenericSettings, rehearsal: Rehearsal) -> Any:
    message = settings.message
    contents: dict[str, Any] = {message.person: rehearsal.origin, message.text: rehearsal.text}
    if message.sender:
        contents[message.sender] = rehearsal.sender
    if message.time:
        contents[message.time] = _time(message.time_format, rehearsal.at)
    if settings.kind:
        contents[settings.kind] = settings.message_kinds[0]
    for path in message.message_id:
        contents.setdefault(path, rehearsal.message_id)  # an id may be made of the other fields
    places = [(settings.path(path), value) for path, value in contents.items()]
    return document(settings.elements(message.elements), places)


def _time(written: str, at: int) -> int | str:
    if written in _UNITS:
        return at // _UNITS[written]
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.isoformat() if written == "iso8601" else moment.strftime(written)
