"""A message as Twilio would deliver it, for the demo and for an account's own test."""

import secrets
from urllib.parse import urlencode

from gateway.providers.base import Rehearsal, WebhookRequest
from gateway.providers.twilio_signature import FORM_TYPE, Verifier, read_form


def rehearsal_account() -> tuple[dict[str, object], str | None]:
    """Return settings of a made-up account, as in TOML; its auth token signs."""
    sid, token = "AC" + secrets.token_hex(16), secrets.token_hex(16)
    return {"provider": "twilio", "account_sid": sid, "auth_tokens": [token]}, None


def signed(account_sid: str, verifier: Verifier, rehearsal: Rehearsal) -> WebhookRequest:
    """Return the signed form of an SMS ("Messaging webhooks")."""
    fields = {
        "MessageSid": rehearsal.message_id,
        "SmsSid": rehearsal.message_id,
        "SmsMessageSid": rehearsal.message_id,
        "AccountSid": account_sid,
        "From": rehearsal.origin,
        "To": rehearsal.sender,
        "Body": rehearsal.text,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    }
    body = urlencode(fields).encode()
    headers = {"content-type": FORM_TYPE, **verifier.signature_headers(rehearsal.url, read_form(body))}
    return WebhookRequest("POST", rehearsal.url, headers, body, rehearsal.at)
