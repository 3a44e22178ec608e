"""What it costs to prove and read one webhook, microseconds, beside the provider's official library.

    .venv/bin/python bench/providers.py [provider ...]

Each request is the one that `gateway demo` delivers. Ours and the library's take turns within one run. The
ratio is of verifying alone; where the library loads the JSON as well, that is said.
"""

import argparse
import base64
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import parse_qsl

from messagebird.request_validator import RequestValidator as MessageBird
from plivo.utils import validate_v3_signature
from sinch.domains.authentication.sinch_events.v1.authentication_validation import (
    validate_sinch_event_signature_with_nonce,
)
from standardwebhooks.webhooks import Webhook
from telnyx import Telnyx
from twilio.request_validator import RequestValidator
from vonage_http_client.auth import Auth
from vonage_jwt import verify_signature

from gateway.net.outgoing import Call, NothingSentError, Outgoing, Returned
from gateway.providers.base import Rehearsal, WebhookRequest
from gateway.providers.registry import KINDS, build, rehearsal_account, settings_of

_ROUNDS = 15
_BATCH_SECONDS = 0.02
_URL = "https://sms.example.com/sms/acme"

Settings = dict[str, Any]
Judge = Callable[[Settings, WebhookRequest], Callable[[], object]]


class NoCalls(Outgoing):
    """Nothing that is measured here calls anybody."""

    def call(self, call: Call) -> Returned:
        raise NothingSentError(call.method)


@dataclass(frozen=True)
class Library:
    """An official library. `reads`: whether it loads the JSON of the body as well."""

    name: str
    judge: Judge
    reads: bool = False


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("provider", nargs="*", choices=[*KINDS, []], default=[])
    chosen = parser.parse_args().provider or KINDS
    print("| provider | verify | verify and parse | official library | its verify | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind in chosen:
        for name, changes, library in _VARIANTS.get(kind, [(kind, {}, None)]):
            print(_row(kind, name, changes, library))


def _row(kind: str, name: str, changes: Settings, library: Library | None) -> str:
    made, key = rehearsal_account(kind)
    settings = {**made, **changes}
    provider = build(settings_of(kind).model_validate(settings), NoCalls())
    rehearsal = Rehearsal(
        _URL, "+15550100123", "+15550100100", "STOP", secrets.token_hex(16), time.time_ns() // 1_000, key
    )
    request = provider.rehearse(rehearsal)
    assert provider.receive(request).messages
    calls: list[Callable[[], object]] = [
        lambda: provider.verify(request),
        lambda: provider.receive(request),
    ]
    if library is not None:
        calls.append(library.judge(settings, request))
    verify, receive, *theirs = _microseconds(calls)
    ours = f"| {name} | {verify:.1f} | {receive:.1f} |"
    if library is None:
        return f"{ours} none | | |"
    said = f"{library.name}, loads the JSON too" if library.reads else library.name
    return f"{ours} {said} | {theirs[0]:.1f} | {theirs[0] / verify:.1f} |"


def _microseconds(calls: list[Callable[[], object]]) -> list[float]:
    """Return the median cost of each call; they take turns, so that a busy machine hurts all alike."""
    numbers = [_number(call) for call in calls]
    rounds = [
        [_batch(call, number) for call, number in zip(calls, numbers, strict=True)] for _ in range(_ROUNDS)
    ]
    return [median(column) for column in zip(*rounds, strict=True)]


def _number(call: Callable[[], object]) -> int:
    """Return how often to call for one batch."""
    call()
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < _BATCH_SECONDS:
        call()
        done += 1
    return max(done, 1)


def _batch(call: Callable[[], object], number: int) -> float:
    began = time.perf_counter()
    for _ in range(number):
        call()
    return (time.perf_counter() - began) / number * 1e6


# -- the official libraries ------------------------------------------------------------------------------


def _twilio(settings: Settings, request: WebhookRequest) -> Callable[[], object]:
    validator = RequestValidator(settings["auth_tokens"][0])
    signature = request.headers["x-twilio-signature"]

    def judge() -> None:
        fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        assert validator.validate(request.url, fields, signature)

    return judge


def _plivo(settings: Settings, request: WebhookRequest) -> Callable[[], object]:
    token, headers = settings["auth_tokens"][0], request.headers
    nonce, signature = headers["x-plivo-signature-v3-nonce"], headers["x-plivo-signature-v3"]

    def judge() -> None:
        fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        assert validate_v3_signature("POST", request.url, nonce, token, signature, fields)

    return judge


def _telnyx(settings: Settings, request: WebhookRequest) -> Callable[[], object]:
    library = Telnyx(api_key="unused", public_key=settings["public_keys"][0])
    return lambda: library.webhooks.unwrap(request.body.decode(), headers=dict(request.headers))


def _sinch(settings: Settings, request: WebhookRequest) -> Callable[[], object]:
    secret, headers = settings["webhook_secrets"][0], dict(request.headers)

    def judge() -> None:
        assert validate_sinch_event_signature_with_nonce(secret, headers, request.body.decode())

    return judge


def _vonage_messages(settings: Settings, request: WebhookRequest) -> Callable[[], object]:
    token, secret = request.headers["authorization"].removeprefix("Bearer "), settings["signature_secrets"][0]

    def judge() -> None:
        assert verify_signature(token, secret)

    return judge


def _vonage_sms(settings: Settings, request: WebhookRequest) -> Callable[[], object]:
    library = Auth(
        api_key=settings["api_key"],
        signature_secret=settings["signature_secrets"][0],
        signature_method=settings["signature_method"],
    )

    def judge() -> None:
        fields = dict(parse_qsl(request.url.partition("?")[2], keep_blank_values=True))
        assert library.check_signature(fields)

    return judge


def _messagebird(settings: Settings, request: WebhookRequest) -> Callable[[], object]:
    validator = MessageBird(settings["signing_keys"][0])
    token = request.headers["messagebird-signature-jwt"]
    return lambda: validator.validate_signature(token, request.url, request.body)


def _standard_webhooks(secret: str) -> Judge:
    def prepare(settings: Settings, request: WebhookRequest) -> Callable[[], object]:
        library, headers = Webhook(settings[secret][0]), dict(request.headers)
        return lambda: library.verify(request.body, headers)

    return prepare


# (name, settings beside those of the rehearsal, official library)
_VARIANTS: dict[str, list[tuple[str, Settings, Library | None]]] = {
    "bird": [
        ("bird, sms", {}, Library("standardwebhooks", _standard_webhooks("signing_keys"), reads=True)),
        (
            "bird, legacy",
            {"api": "legacy", "signing_keys": [secrets.token_urlsafe(24)]},
            Library("messagebird", _messagebird),
        ),
    ],
    "generic": [
        ("generic, HMAC", {}, None),
        (
            "generic, Standard Webhooks",
            {
                "hmac_secrets": [],
                "webhook_secrets": [base64.b64encode(secrets.token_bytes(24)).decode()],
            },
            Library("standardwebhooks", _standard_webhooks("webhook_secrets"), reads=True),
        ),
    ],
    "plivo": [("plivo, V3", {}, Library("plivo", _plivo))],
    "sinch": [("sinch", {}, Library("sinch", _sinch))],
    "telnyx": [("telnyx", {}, Library("telnyx", _telnyx, reads=True))],
    "twilio": [("twilio", {}, Library("twilio", _twilio))],
    "vonage": [
        ("vonage, Messages API", {}, Library("vonage-jwt", _vonage_messages)),
        (
            "vonage, SMS API",
            {"api": "sms", "signature_method": "sha256"},
            Library("vonage-http-client", _vonage_sms),
        ),
    ],
}


if __name__ == "__main__":
    main()
