"""A day of a small shop, for `gateway demo`."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests

from gateway.cli.shop import Shop
from gateway.consent.address import Address, Channel
from gateway.mail.list_unsubscribe import unsubscribe_headers
from gateway.mail.tokens import LinkGrant, LinkPurpose, LinkTokens

_TIMEOUT = 10
_NO_REPLY = "(no reply)"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, what the gateway answered, and what it holds afterwards."""

    hour: str
    what: str
    answered: str
    recorded: str


def day(shop: Shop) -> Iterator[Step]:
    """Play the day, step by step."""
    ann, ben, cleo, dan = shop.strangers(4)
    yield Step("08:00", f"Before anything: may we text Ann ({ann})?", "", shop.state("sms", ann))
    stop = secrets.token_hex(16)
    yield _sms(shop, "09:12", "Ann", ann, "STOP", stop)
    yield _sms(shop, "09:12", f"Ann ({shop.line.kind.title()} delivers it again)", ann, "STOP", stop)
    yield _sms(shop, "10:30", "Ben", ben, "“Stop.”\n")
    yield _sms(shop, "11:05", "Dan", dan, "help please")
    yield _sms(shop, "12:00", "Dan", dan, "can you stop by at 5?")
    forged = shop.forge("STOP", cleo)
    yield Step("13:40", "A forger sends STOP in Cleo's name", str(forged.status), shop.state("sms", cleo))
    yield _sms(shop, "17:20", "Ann, who has thought again", ann, "START")
    if shop.links is not None:
        yield from _mail(shop, shop.links)


def _sms(shop: Shop, hour: str, who: str, number: str, text: str, message: str = "") -> Step:
    answer = shop.say(text, number, message_id=message or secrets.token_hex(16))
    said = f"{answer.status} {answer.words or _NO_REPLY}"
    return Step(hour, f"{who}: {text.strip()}", said, shop.state("sms", number))


def _mail(shop: Shop, links: LinkTokens) -> Iterator[Step]:
    eve = f"eve.{secrets.token_hex(3)}@example.org"
    grant = LinkGrant(LinkPurpose.UNSUBSCRIBE, Address(Channel.EMAIL, eve), shop.program, int(time.time()))
    url = f"{shop.base}/u/{links.mint(grant)}"
    headers = dict(unsubscribe_headers(url, allow_loopback=True))
    scan = requests.get(url, timeout=_TIMEOUT)
    yield Step(
        "18:00",
        f"A virus scanner opens the link in Eve's mail ({eve})",
        f"{scan.status_code}, a page with a button",
        shop.state("email", eve),
    )
    for what in ("Eve's mail client posts one-click", "It posts again"):
        name, value = headers["List-Unsubscribe-Post"].split("=")
        answer = requests.post(url, data={name: value}, timeout=_TIMEOUT)
        yield Step("18:30", what, f"{answer.status_code} {answer.text.strip()}", shop.state("email", eve))
    bad = requests.post(url[:-2] + "AA", data="List-Unsubscribe=One-Click", timeout=_TIMEOUT)
    yield Step(
        "19:00",
        "Somebody tries an altered link",
        f"{bad.status_code}, the same for every bad link",
        "nothing changed",
    )
