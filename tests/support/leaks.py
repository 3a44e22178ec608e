"""Values that must never appear where they do not belong, and requests that carry them in every place there is."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from support.server import AUTH_TOKEN, MASTER
from support.twilio_requests import inbound
from twilio.request_validator import RequestValidator

LINK_SECRET = "sentinel-link-secret-" + "k" * 32
PASSWORD = "sentinel-database-password"
NUMBER = "+15550107777"
MAILBOX = "sentinel.person@example.org"
TEXT = "sentinel words of a person"
IP = "198.51.100.77"
AGENT = "SentinelAgent/7.7"
KEYS = f'[[keys.links]]\nid = "k1"\nsecret = "{LINK_SECRET}"\n'

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


@dataclass(frozen=True)
class Credentials:
    """What opens the doors of one gateway."""

    bearer: str
    link: str  # its path

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown at all: parts are as bad as the whole."""
        sealed = self.link.rpartition(".")[2]
        return (AUTH_TOKEN, MASTER, LINK_SECRET, PASSWORD, self.bearer.split("_", 2)[2], sealed[4:-4])


# The number also without its plus or escaped, the mailbox also escaped.
PERSONAL = (NUMBER[1:], MAILBOX.partition("@")[0], "sentinel words", "sentinel+words", IP, AGENT)


def found_in(text: str, credentials: Credentials, *, personal: bool = True) -> list[str]:
    """Return the sentinels that a text shows."""
    sentinels = (*credentials.secrets, *(PERSONAL if personal else ()))
    return [sentinel for sentinel in sentinels if sentinel in text]


@dataclass(frozen=True)
class Request:
    """One request."""

    name: str
    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def requests_with_everything(base: str, own: Credentials) -> Iterator[Request]:
    """Yield good, refused and malformed requests; each has personal data or secrets in some place."""
    yield from _webhooks(base)
    yield from _links(own)
    yield from _api(own)
    for path in (
        f"/nothing/{NUMBER}",
        f"/u/{MAILBOX}",
        f"/sms/{NUMBER}",
        f"/v1/{quote(MAILBOX)}/{AUTH_TOKEN}",
    ):
        for method in ("GET", "POST", "DELETE"):
            yield Request(f"{method} of no route", method, path, TEXT.encode(), {"Content-Type": _FORM})


def _webhooks(base: str) -> Iterator[Request]:
    for text in ("STOP", "START", "HELP", TEXT):
        message = inbound(base, text, number=NUMBER)
        yield Request(f"message {text}", "POST", "/sms/acme", _form(message.fields), _typed(message.headers))
    forged = inbound(base, TEXT, number=NUMBER, token="wrong")
    yield Request("forged", "POST", "/sms/acme", _form(forged.fields), _typed(forged.headers))
    yield Request("unsigned", "POST", "/sms/acme", _form(forged.fields), _typed({}))
    target = f"/sms/acme?{urlencode(forged.fields)}"
    yield Request("forged, by GET", "GET", target, headers=forged.headers)
    report = {
        "MessageSid": "SMreport",
        "MessageStatus": "failed",
        "ErrorCode": "21610",
        "To": NUMBER,
        "From": NUMBER,
    }
    odd: list[tuple[str, str, dict[str, str]]] = [
        ("report", "/sms/acme/status", report),
        ("no id", "/sms/acme", {"From": NUMBER, "To": NUMBER, "Body": TEXT}),
        ("no ends", "/sms/acme", {"MessageSid": "SMx", "Body": TEXT}),
        ("no number", "/sms/acme", {"MessageSid": MAILBOX, "From": MAILBOX, "To": TEXT, "Body": TEXT}),
        (
            "half of a pair",
            "/sms/acme",
            {"MessageSid": "SMy", "From": NUMBER, "To": "1", "Body": f"{TEXT}\0"},
        ),
    ]
    for name, path, fields in odd:
        signature = RequestValidator(AUTH_TOKEN).compute_signature(base + path, fields)
        yield Request(name, "POST", path, _form(fields), _typed({"X-Twilio-Signature": signature}))
    yield Request("not UTF-8", "POST", "/sms/acme", b"Body=%ff" + TEXT.encode(), _typed(forged.headers))
    yield Request("too large", "POST", "/sms/acme", TEXT.encode() * 3000, _typed(forged.headers))


def _links(own: Credentials) -> Iterator[Request]:
    altered = own.link[:-6] + "AAAAAA"
    for path in (own.link, altered, f"{own.link}?address={quote(MAILBOX)}"):
        yield Request("page", "GET", path)
        for body in (b"List-Unsubscribe=One-Click", b"", b"confirm=1", b"undo=1", MAILBOX.encode()):
            yield Request(f"post {body!r}", "POST", path, body, _typed({}))


def _api(own: Credentials) -> Iterator[Request]:
    good = {"Authorization": f"Bearer {own.bearer}", "Content-Type": _JSON}
    bodies: list[tuple[str, object]] = [
        ("/v1/check", {"channel": "sms", "program": "offers", "addresses": [NUMBER, TEXT]}),
        ("/v1/check", {"channel": NUMBER, "program": TEXT, "addresses": [MAILBOX]}),
        ("/v1/check", {"channel": "sms", "program": "offers", "addresses": MAILBOX, NUMBER: TEXT}),
        ("/v1/unsubscribe-links", {"program": "offers", "recipients": [MAILBOX], "message": TEXT}),
        ("/v1/unsubscribe-links", {"program": TEXT, "recipients": [MAILBOX]}),
        ("/v1/interpret", {"text": TEXT, "program": "offers"}),
        ("/v1/interpret", {"text": TEXT, "sender": NUMBER, "program": MAILBOX}),
        ("/v1/interpret", [TEXT]),
    ]
    bad = {**good, "Authorization": f"Bearer {own.bearer[:-3]}xyz"}
    for headers in (good, bad, {"Content-Type": _JSON}):
        for path, body in bodies:
            yield Request(f"{path} {body}", "POST", path, json.dumps(body).encode(), headers)
        yield Request("no JSON", "POST", "/v1/check", f'{{"{NUMBER}": {TEXT}'.encode(), headers)
        yield Request("no JSON type", "POST", "/v1/check", TEXT.encode(), {**headers, "Content-Type": _FORM})
        for address in (NUMBER, quote(NUMBER, safe=""), MAILBOX, quote(TEXT)):
            for tail in ("", "/events", f"?program={quote(TEXT)}", f"/events?before={NUMBER}"):
                yield Request("lookup", "GET", f"/v1/consents/sms/{address}{tail}", headers=headers)
        yield Request("another channel", "GET", f"/v1/consents/{NUMBER}/{MAILBOX}", headers=headers)
        yield Request("metrics", "GET", "/metrics", headers=headers)


def _form(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()


def _typed(headers: dict[str, str]) -> dict[str, str]:
    return {"Content-Type": _FORM, **headers}
