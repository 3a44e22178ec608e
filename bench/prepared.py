"""Raw HTTP requests, made before anything is measured: a file that every load generator reads.

The separator is a control character that neither a head nor an encoded body can hold.
"""

import hmac
import random
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import world
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # it has no types

from gateway.flows.links import mint_links
from gateway.house import House
from gateway.store.ledger import now_microseconds

SEPARATOR = b"\x1e"
_SAMPLE = 50

# The parameters of an inbound message to a messaging service, as Twilio sends them.
_PARAMETERS = (
    ("ToCountry", "US"),
    ("ToState", "CA"),
    ("SmsMessageSid", "{sid}"),
    ("NumMedia", "0"),
    ("ToCity", ""),
    ("FromZip", "94105"),
    ("SmsSid", "{sid}"),
    ("FromState", "CA"),
    ("SmsStatus", "received"),
    ("FromCity", "SAN FRANCISCO"),
    ("Body", "STOP"),
    ("FromCountry", "US"),
    ("To", "{to}"),
    ("MessagingServiceSid", "MG0123456789abcdef0123456789abcdef"),
    ("ToZip", ""),
    ("NumSegments", "1"),
    ("MessageSid", "{sid}"),
    ("AccountSid", world.ACCOUNT_SID),
    ("From", "{origin}"),
    ("ApiVersion", "2010-04-01"),
)
_SIGNED = "".join(name + value for name, value in sorted(_PARAMETERS))
_BODY = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in _PARAMETERS)
_STOP = """\
POST /sms/{account} HTTP/1.1
Host: 127.0.0.1:{port}
User-Agent: TwilioProxy/1.1
Accept: */*
Content-Type: application/x-www-form-urlencoded; charset=utf-8
X-Twilio-Signature: {signature}
Content-Length: {length}

{body}"""
_ONE_CLICK = """\
POST {path} HTTP/1.1
Host: 127.0.0.1:{port}
User-Agent: Mail
Content-Type: application/x-www-form-urlencoded
Content-Length: 26

List-Unsubscribe=One-Click"""
_STATUS = """\
GET /v1/consents/sms/{address} HTTP/1.1
Host: 127.0.0.1:{port}
User-Agent: shop
Accept: application/json
Authorization: Bearer {token}

"""


class BadSignatureError(Exception):
    """The official library does not accept what was prepared."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file of requests, and the message ids of webhooks in the same order."""

    path: Path
    count: int
    ids: tuple[str, ...] = ()

    def first(self) -> bytes:
        """Return the first request."""
        with self.path.open("rb") as file:
            return file.read(4096).partition(SEPARATOR)[0]


def stops(path: Path, count: int, *, subjects: int, port: int) -> Prepared:
    """Write signed STOPs of random people whom the gateway knows, each a message of its own."""
    dice = random.Random(20)
    ids = tuple(f"SM{dice.getrandbits(128):032x}" for _ in range(count))
    _write(path, (_stop(sid, world.number(dice.randrange(subjects)), port) for sid in ids))
    _check(path.read_bytes().split(SEPARATOR, _SAMPLE)[:_SAMPLE], port)
    return Prepared(path, count, ids)


def one_clicks(path: Path, count: int, *, house: House, port: int) -> Prepared:
    """Write one-click requests of as many people, none of whom the gateway has met."""
    people = map(world.mailbox, range(count))
    links = mint_links(house, recipients=people, program=world.PROGRAM, now=now_microseconds())
    paths = (link.url.removeprefix(house.settings.server.public_url) for link in links)
    _write(path, (_wire(_ONE_CLICK, path=each, port=port) for each in paths))
    return Prepared(path, count)


def statuses(path: Path, count: int, *, subjects: int, token: str, port: int) -> Prepared:
    """Write requests for the status of random people whom the gateway knows."""
    dice = random.Random(21)
    people = (world.number(dice.randrange(subjects)) for _ in range(count))
    _write(path, (_wire(_STATUS, address=address, token=token, port=port) for address in people))
    return Prepared(path, count)


def _write(path: Path, requests: Iterable[bytes]) -> None:
    path.write_bytes(SEPARATOR.join(requests))


def _wire(template: str, **values: object) -> bytes:
    return template.replace("\n", "\r\n").format(**values).encode("ascii")


def _stop(sid: str, origin: str, port: int) -> bytes:
    url = f"http://127.0.0.1:{port}/sms/{world.ACCOUNT}"
    signed = url + _SIGNED.format(sid=sid, to=world.SENDER, origin=origin)
    signature = b64encode(hmac.digest(world.AUTH_TOKEN.encode(), signed.encode(), "sha1")).decode()
    body = _BODY.format(sid=sid, to=_escaped(world.SENDER), origin=_escaped(origin))
    return _wire(_STOP, account=world.ACCOUNT, port=port, signature=signature, length=len(body), body=body)


def _escaped(phone: str) -> str:
    return phone.replace("+", "%2B")


def _check(requests: Iterable[bytes], port: int) -> None:
    """Hold a sample against the official library."""
    validator = RequestValidator(world.AUTH_TOKEN)
    for request in requests:
        head, _, body = request.decode().partition("\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        parameters = dict(parse_qsl(body, keep_blank_values=True))
        url = f"http://127.0.0.1:{port}/sms/{world.ACCOUNT}"
        if len(parameters) != len(_PARAMETERS) or not validator.validate(
            url, parameters, fields["X-Twilio-Signature"]
        ):
            raise BadSignatureError("twilio's RequestValidator refuses a prepared request")
