"""Inbound messages as Twilio posts them, signed by the official SDK."""

import itertools
from dataclasses import dataclass

import requests
from support.server import AUTH_TOKEN, SENDER
from twilio.request_validator import RequestValidator

_numbers = itertools.count()


@dataclass(frozen=True)
class Inbound:
    """One message, ready to be posted to `<base>/sms/<account>`."""

    url: str
    fields: dict[str, str]
    headers: dict[str, str]

    def post(self, session: requests.Session | None = None, **options) -> requests.Response:
        return (session or requests).post(
            self.url, data=self.fields, headers=self.headers, timeout=20, **options
        )

    @property
    def message_id(self) -> str:
        return self.fields["MessageSid"]


def inbound(
    base: str,
    text: str = "STOP",
    *,
    number: str = "+15550100001",
    message_id: str | None = None,
    account: str = "acme",
    token: str = AUTH_TOKEN,
    **extra: str,
) -> Inbound:
    """Return a signed message. `extra` are further fields, None leaves one out."""
    sid = message_id or f"SM{next(_numbers):032x}"
    fields = {
        "ToCountry": "US",
        "ToState": "",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": sid,
        "SmsStatus": "received",
        "Body": text,
        "FromCountry": "US",
        "To": SENDER,
        "NumSegments": "1",
        "MessageSid": sid,
        "AccountSid": "ACtest",
        "From": number,
        "ApiVersion": "2010-04-01",
        **extra,
    }
    url = f"{base}/sms/{account}"
    signature = RequestValidator(token).compute_signature(url, fields)
    return Inbound(url, fields, {"X-Twilio-Signature": signature})
