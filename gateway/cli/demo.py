"""`gateway demo`: a day of a small shop, played against a running gateway with really signed requests."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

import click
import requests
from rich.table import Table
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # ships no types

from gateway.cli.first_run import DATA, DataFolder
from gateway.cli.output import as_json, console, print_json, settings_of
from gateway.consent.address import Address, Channel
from gateway.errors import ConfigurationError
from gateway.keys import Keys
from gateway.mail.list_unsubscribe import unsubscribe_headers
from gateway.mail.tokens import LinkGrant, LinkPurpose, LinkTokens
from gateway.providers.twilio import TwilioSettings
from gateway.settings import Settings

_TIMEOUT = 10
_NO_REPLY = "(no reply)"


@dataclass(frozen=True, slots=True)
class Shop:
    """The running gateway and what is needed to speak to it as its provider, a mail client and an operator."""

    base: str
    account: str
    sender: str
    program: str
    validator: RequestValidator = field(repr=False)
    account_sid: str = field(repr=False)
    bearer: str = field(repr=False)
    links: LinkTokens = field(repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, what the gateway answered, and what it holds afterwards."""

    hour: str
    what: str
    answered: str
    recorded: str


@click.command()
@click.option("--token", help="Operator token; default the one that the first `gateway serve` made.")
@as_json
@click.pass_context
def demo(context: click.Context, token: str | None, *, as_json: bool) -> None:
    """Play STOP, "Stop.", START, HELP, a duplicate, a forgery and one-click unsubscribes."""
    shop = _shop(settings_of(context), token)
    steps = []
    table = Table("time", "what happened", "the gateway answered", "who is out, and why", show_lines=True)
    for step in _day(shop):
        steps.append(step)
        table.add_row(step.hour, step.what, step.answered, step.recorded)
    if as_json:
        print_json(
            [{"time": s.hour, "what": s.what, "answered": s.answered, "recorded": s.recorded} for s in steps]
        )
        return
    console().print(table)
    console().print("The same for a person of your own:  gateway status +15550100123")


def _shop(settings: Settings, token: str | None) -> Shop:
    found = [
        (name, a) for name, a in settings.accounts.items() if isinstance(a, TwilioSettings) and a.auth_tokens
    ]
    programs = [(slug, program) for slug, program in settings.programs.items() if program.senders]
    if not found or not programs:
        raise ConfigurationError("the demo needs an account of twilio and a program with a sender")
    (name, account), (slug, program) = found[0], programs[0]
    bearer = token or _first_token()
    return Shop(
        base=settings.server.public_url,
        account=name,
        sender=program.senders[0],
        program=slug,
        validator=RequestValidator(account.auth_tokens[0].get_secret_value()),
        account_sid=account.account_sid,
        bearer=bearer,
        links=LinkTokens(Keys.of(settings.keys).links),
    )


def _first_token() -> str:
    path = DataFolder(DATA).token
    if not path.exists():
        raise ConfigurationError("no operator token: give one with --token (gateway token create makes it)")
    return path.read_text().strip()


def _day(shop: Shop) -> Iterator[Step]:
    ann, ben, cleo, dan = (_fresh_number() for _ in range(4))
    yield Step("08:00", f"Before anything: may we text Ann ({ann})?", "", _state(shop, "sms", ann))
    stop = secrets.token_hex(16)
    yield _sms(shop, "09:12", "Ann", ann, "STOP", stop)
    yield _sms(shop, "09:12", "Ann (Twilio delivers it again)", ann, "STOP", stop)
    yield _sms(shop, "10:30", "Ben", ben, "“Stop.”\n", secrets.token_hex(16))
    yield _sms(shop, "11:05", "Dan", dan, "help please", secrets.token_hex(16))
    yield _sms(shop, "12:00", "Dan", dan, "can you stop by at 5?", secrets.token_hex(16))
    yield _forged(shop, "13:40", cleo)
    yield _sms(shop, "17:20", "Ann, who has thought again", ann, "START", secrets.token_hex(16))
    yield from _mail(shop)


def _mail(shop: Shop) -> Iterator[Step]:
    eve = f"eve.{secrets.token_hex(3)}@example.org"
    grant = LinkGrant(LinkPurpose.UNSUBSCRIBE, Address(Channel.EMAIL, eve), shop.program, int(time.time()))
    url = f"{shop.base}/u/{shop.links.mint(grant)}"
    headers = dict(unsubscribe_headers(url, allow_loopback=True))
    scan = requests.get(url, timeout=_TIMEOUT)
    yield Step(
        "18:00",
        f"A virus scanner opens the link in Eve's mail ({eve})",
        f"{scan.status_code}, a page with a button",
        _state(shop, "email", eve),
    )
    for what in ("Eve's mail client posts one-click", "It posts again"):
        name, value = headers["List-Unsubscribe-Post"].split("=")
        answer = requests.post(url, data={name: value}, timeout=_TIMEOUT)
        yield Step("18:30", what, f"{answer.status_code} {answer.text.strip()}", _state(shop, "email", eve))
    bad = requests.post(url[:-2] + "AA", data="List-Unsubscribe=One-Click", timeout=_TIMEOUT)
    yield Step(
        "19:00",
        "Somebody tries an altered link",
        f"{bad.status_code}, the same for every bad link",
        "nothing changed",
    )


def _sms(shop: Shop, hour: str, who: str, number: str, text: str, message: str) -> Step:
    answer = _post(shop, number, text, message, forge=False)
    said = _texts(answer)
    return Step(
        hour,
        f"{who}: {text.strip()}",
        f"{answer.status_code} {said or _NO_REPLY}",
        _state(shop, "sms", number),
    )


def _forged(shop: Shop, hour: str, number: str) -> Step:
    answer = _post(shop, number, "STOP", secrets.token_hex(16), forge=True)
    return Step(
        hour, "A forger sends STOP in Cleo's name", f"{answer.status_code}", _state(shop, "sms", number)
    )


def _post(shop: Shop, number: str, text: str, message: str, *, forge: bool) -> requests.Response:
    url = f"{shop.base}/sms/{shop.account}"
    fields = {
        "MessageSid": f"SM{message}",
        "AccountSid": shop.account_sid,
        "From": number,
        "To": shop.sender,
        "Body": text,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        "FromCity": "",
    }
    signature = shop.validator.compute_signature(url, {**fields, "Body": "hello"} if forge else fields)
    return requests.post(url, data=fields, headers={"X-Twilio-Signature": signature}, timeout=_TIMEOUT)


def _texts(answer: requests.Response) -> str:
    if answer.status_code != requests.codes.ok:
        return ""
    return " ".join(message.text or "" for message in ET.fromstring(answer.content))  # noqa: S314 - our own answer


def _state(shop: Shop, channel: str, address: str) -> str:
    answer = requests.get(
        f"{shop.base}/v1/consents/{channel}/{address}",
        params={"program": shop.program},
        headers={"Authorization": f"Bearer {shop.bearer}"},
        timeout=_TIMEOUT,
    )
    answer.raise_for_status()
    (decision,) = answer.json()["decisions"]
    verdict = "may be sent to" if decision["allowed"] else "out"
    return f"{verdict}: {decision['reason']}" + (f", {decision['rule']}" if decision.get("rule") else "")


def _fresh_number() -> str:
    """Return a number of the range kept for fiction, so that every demo begins with people unknown."""
    return f"+1{secrets.choice((212, 312, 415, 512, 617, 702))}55501{secrets.randbelow(100):02d}"
