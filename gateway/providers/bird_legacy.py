"""MessageBird's REST API, the first generation: forms under a token or, older still, an HMAC.

Sources: MessageBird, "SMS API" (receive, status reports, error codes), "Verify HTTP requests".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode

from gateway.errors import CallerError
from gateway.net.outgoing import Call
from gateway.providers.base import (
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    Received,
    Rehearsal,
    WebhookRequest,
)
from gateway.providers.bird_settings import BirdSettings
from gateway.providers.bird_signature import (
    JWT_HEADER,
    sorted_query,
    token_headers,
    verify_hmac,
    verify_token,
)
from gateway.providers.numbers import business_end, person
from gateway.providers.payload import clean, found, read_object
from gateway.providers.rest import Attempt, json_call
from gateway.providers.shared_secret import revealed
from gateway.providers.times import from_iso

_SEND_URL = "https://rest.messagebird.com/messages"
_FORM = "application/x-www-form-urlencoded"
_OPTED_OUT = "103"  # the recipient has sent STOP
_COMPACT_TIME = len("20260101120000")

Fields = Mapping[str, Sequence[str]]  # all values of each name, whose case MessageBird does not keep


class Legacy:
    """One account of the first generation."""

    opt_out_code: ClassVar[str | None] = _OPTED_OUT

    def __init__(self, settings: BirdSettings) -> None:
        self._settings = settings
        self._keys = [key.encode() for key in revealed(settings.signing_keys)]

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the token proves the request; without one, the older HMAC must."""
        if JWT_HEADER in request.headers:
            verify_token(request, self._keys, self._settings.leeway_seconds)
        else:
            verify_hmac(request, self._keys, sorted_query, self._settings.tolerance_seconds)

    def parse(self, request: WebhookRequest) -> Received:
        """Return the message or the status report that a verified request holds; raises `CallerError`."""
        fields = _fields(request)
        if _first(fields, "status") and not _first(fields, "body", "message"):
            return Received(statuses=(_status(fields),))
        return Received(messages=(_message(fields),))

    def call(self, message: OutboundMessage, access_key: str) -> Call | None:
        """Return the call that sends a message."""
        document: dict[str, object] = {
            "recipients": [message.address.value.removeprefix("+")],
            "originator": message.sender.removeprefix("+"),
            "body": message.text,
            "datacoding": "auto",  # the default drops what GSM 03.38 does not have
        }
        if message.reference:
            document["reference"] = message.reference
        if self._settings.report_url:
            document["reportUrl"] = self._settings.report_url
        return json_call(_SEND_URL, document, headers={"authorization": f"AccessKey {access_key}"})

    def error_of(self, made: Attempt) -> str:
        """Return the error code of a refused send, "" where there is none."""
        return found(made.document, "errors", 0, "code")

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the form of an SMS, with its token."""
        fields = {
            "id": rehearsal.message_id,
            "recipient": rehearsal.sender.removeprefix("+"),
            "originator": rehearsal.origin.removeprefix("+"),
            "body": rehearsal.text,
        }
        body = urlencode(fields).encode()
        headers = token_headers(
            self._keys[0], url=rehearsal.url, body=body, at=rehearsal.at, token_id=rehearsal.message_id
        )
        return WebhookRequest("POST", rehearsal.url, {"content-type": _FORM, **headers}, body, rehearsal.at)


def _message(fields: Fields) -> InboundMessage:
    origin = _required(fields, "originator")
    return InboundMessage(
        message_id=_required(fields, "id", "mid"),
        address=person(origin),
        origin=origin,
        sender=business_end(_required(fields, "recipient", "receiver", "shortcode")),
        text=_first(fields, "body", "message"),
        said_at=_said_at(fields),
        media=sum(_urls(value) for value in fields.get("mediaurls", ())),
    )


def _status(fields: Fields) -> DeliveryStatus:
    code = _first(fields, "statuserrorcode")
    return DeliveryStatus(
        message_id=_required(fields, "id"),
        address=person(_required(fields, "recipient")),
        sender=business_end(_first(fields, "originator")),
        status=_first(fields, "status"),
        error_code=code if code not in {"", "0"} else None,
        opted_out=code == _OPTED_OUT,
    )


def _said_at(fields: Fields) -> int | None:
    compact = _first(fields, "receive_datetime")
    if len(compact) == _COMPACT_TIME:
        return from_iso(f"{compact[:8]}T{compact[8:]}")
    return from_iso(_first(fields, "createddatetime", "date_utc"))


def _urls(value: str) -> int:
    """Return how many media a value names: one URL, or several as a list in JSON."""
    try:
        urls = json.loads(value)
    except (ValueError, RecursionError):
        return 1 if value else 0
    return len(urls) if isinstance(urls, list) else 1


def _required(fields: Fields, *names: str) -> str:
    value = _first(fields, *names).strip()
    if not value:
        raise CallerError(f"{names[0]} is missing")
    return value


def _first(fields: Fields, *names: str) -> str:
    """Return the value of the first name that has one. Of a name that comes twice the last value counts."""
    return next((fields[name][-1] for name in names if fields.get(name)), "")


def _fields(request: WebhookRequest) -> Fields:
    fields: dict[str, list[str]] = {}
    for name, value in _pairs(request):
        if value:
            fields.setdefault(name.lower(), []).append(clean(value))
    return fields


def _pairs(request: WebhookRequest) -> Iterator[tuple[str, str]]:
    """Yield the parameters of the URL, then those of the body, which is a form, or JSON if Flow Builder is set so."""
    yield from _form(request.url.partition("#")[0].partition("?")[2])
    if request.content_type == "application/json":
        for name, value in read_object(request.body).items():
            for each in value if isinstance(value, list) else [value]:
                yield name, found(each)
    elif request.body:
        try:
            yield from _form(request.body.decode())
        except UnicodeDecodeError:
            raise CallerError("the form is not UTF-8") from None


def _form(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:
        raise CallerError("the form is not UTF-8") from None
