"""Looks at one account as its operator must: settings first, then a message that goes the whole way."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from gateway.cli.account_facts import base_url, can_send, entered, proofs, status_url, webhook_url
from gateway.cli.delivery import Delivered, UnreachableError, deliver
from gateway.cli.shop import Line, impostor, moment
from gateway.configuration.values import is_loopback
from gateway.consent.address import subject_of
from gateway.house import House
from gateway.providers.account import AccountSettings
from gateway.providers.base import CannotRehearseError, InboundMessage

Level = Literal["ok", "note", "bad"]

_PERSON = "+15550100199"  # reserved for fiction: nobody is reached
_TEXT = "Connection test of the gateway, nothing to do"  # no keyword in any language
_EVENTS = 50
_REMEDIES = {
    403: "The request was altered on its way, or the running gateway has other settings: restart it, then see docs/runbooks/signature-failures.md",
    401: "The request lost its credentials on its way, or the running gateway has other settings: restart it",
    404: "The running gateway does not know the account: restart it with these settings",
    405: "Something before the gateway answers: look at the proxy",
    413: "Something before the gateway bounds the body: look at the proxy",
}
_REDIRECTS = range(300, 400)
_SERVER_ERRORS = range(500, 600)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was looked at. `remedy` says what to do about it, "" when nothing is to be done."""

    what: str
    level: Level
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Under:
    """The account that is looked at. `via`: a base URL to use in place of the public one."""

    house: House
    name: str
    via: str | None = None

    @property
    def account(self) -> AccountSettings:
        """Its settings."""
        return self.house.settings.accounts[self.name]

    @property
    def url(self) -> str:
        """The URL of its inbound messages."""
        return webhook_url(self.house.settings, self.name)

    @property
    def sender(self) -> str:
        """A sender to write to: of a program, where there is one."""
        senders = (sender for program in self.house.settings.programs.values() for sender in program.senders)
        return next(senders, "+15550100100")


def examine(under: Under) -> Iterator[Note]:
    """Look at everything, in order; later looks go on after earlier ones have found something."""
    yield _settings(under)
    yield _sending(under)
    yield _public_url(under)
    yield from _urls(under)
    yield from _program(under)
    yield from _way(under)


def _settings(under: Under) -> Note:
    names = ", ".join(proofs(under.account))
    return Note("settings", "ok", f"{under.account.provider}, webhooks are proved by {names}")


def _sending(under: Under) -> Note:
    if can_send(under.account):
        return Note("sending", "ok", "credentials are set")
    needed = under.account.reply_by == "api" or not under.house.providers[under.name].takes_inline
    remedy = f"Replies cannot go out: set what the page of {under.account.provider} names for sending"
    return Note(
        "sending", "note", "no credentials", remedy if needed else "Replies travel inline, so none is needed"
    )


def _public_url(under: Under) -> Note:
    url = base_url(under.house.settings, under.name)
    parts = urlsplit(url)
    if is_loopback(parts.hostname or ""):
        return Note(
            "public URL", "note", url, "No provider can reach this machine by it: set server.public_url"
        )
    return Note("public URL", "ok", url)


def _urls(under: Under) -> Iterator[Note]:
    account, settings = under.account, under.house.settings
    yield Note("enter at the provider, for messages", "ok", entered(account, under.url))
    yield Note("enter at the provider, for reports", "ok", entered(account, status_url(settings, under.name)))


def _program(under: Under) -> Iterator[Note]:
    if not any(program.senders for program in under.house.settings.programs.values()):
        remedy = "Name the account's senders in [programs]: a STOP to any other counts for everything"
        yield Note("programs", "note", "none has a sender", remedy)


def _way(under: Under) -> Iterator[Note]:
    """Send a forged message, which must be refused, then a right one, if ours are the secrets."""
    try:
        yield _forgery(under)
        yield _message(under)
    except UnreachableError as error:
        remedy = "Name another address of it with --via" if under.via is None else "Look at --via"
        yield Note("reach", "bad", str(error), remedy)
    except CannotRehearseError as error:
        remedy = "Send a message to a number of the account from a phone, then: gateway status NUMBER"
        yield Note("message", "note", f"not tried: {error}", remedy)


def _forgery(under: Under) -> Note:
    request = impostor(under.account.provider, under.url).message(_TEXT, _PERSON, under.sender, at=moment())
    answer, wanted = deliver(request, via=under.via), under.house.providers[under.name].refuse(request)
    if answer.status == wanted.status:
        return Note("forged message", "ok", f"refused with {answer.status}")
    if answer.is_success:
        return Note(
            "forged message",
            "bad",
            f"answered {answer.status}",
            "Something else than the gateway answers at this URL",
        )
    return Note("forged message", "bad", f"{answer.status} in place of {wanted.status}", _remedy(answer))


def _message(under: Under) -> Note:
    line = Line.of(under.url, under.account)
    request = line.message(
        _TEXT, _PERSON, under.sender, at=moment(), message_id=f"test-{secrets.token_hex(12)}"
    )
    answer = deliver(request, via=under.via)
    if not answer.is_success:
        return Note("message", "bad", f"answered {answer.status}", _remedy(answer))
    (message,) = line.provider.receive(request).messages
    if not _is_recorded(under, message):
        remedy = "Does the running gateway use this database? Look also at: gateway dead-letters list"
        return Note("message", "bad", f"answered {answer.status}, but it is not in the ledger", remedy)
    return Note("message", "ok", f"verified, recorded and answered with {answer.status}: the account works")


def _is_recorded(under: Under, message: InboundMessage) -> bool:
    if message.address is None:
        return False
    subject = subject_of(message.address, under.house.keys.subject)
    events = under.house.reader.events(subject, limit=_EVENTS)
    return any((event.account, event.message_id) == (under.name, message.message_id) for event in events)


def _remedy(answer: Delivered) -> str:
    if answer.status in _REDIRECTS:
        return "Enter the final address: a redirect loses the body of a webhook"
    if answer.status in _SERVER_ERRORS:
        return "The gateway, or a proxy before it, is in trouble: look at gateway doctor and the log"
    return _REMEDIES.get(answer.status, "Look at the log of the gateway and of the proxies before it")
