"""A person wrote to us: read the text, record what it means, say what is to be answered."""

import json
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

from gateway.consent.address import Address, Channel, subject_of
from gateway.consent.choice import Choice
from gateway.consent.entry import Entry, Reply
from gateway.consent.event import Source
from gateway.flows.effects import choice_of, reply_key_of, scope_of
from gateway.flows.replies import ReplyKey, reply_text
from gateway.keywords.reading import Context, Reading, ReadingClass
from gateway.programs import Desk, ProgramBook
from gateway.providers.base import InboundMessage
from gateway.store.group import Ticket
from gateway.store.recorder import Recorder

_NO_PERSON = Reading(ReadingClass.OTHER, rule="no_person@1")
_NO_CONTEXT = Context()
_TO_MARKETING = Context(marketing=True)
_WAITING = Context(pending_opt_in=True)


class Account(Protocol):
    """What the flow needs to know of the account that the message came through."""

    @property
    def name(self) -> str:
        """Name in the configuration."""

    @property
    def kind(self) -> str:
        """The provider's kind."""

    @property
    def inline_replies(self) -> bool:
        """Whether replies travel in the answer to the webhook."""

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:
        """Tell whether the provider answers this keyword, so that we stay silent."""


class InboundMessages:
    """The use case; one for all accounts."""

    def __init__(self, book: ProgramBook, recorder: Recorder, subject_key: bytes) -> None:
        self._book = book
        self._recorder = recorder
        self._subject_key = subject_key

    def stage(
        self, message: InboundMessage, account: Account, received_at: int, parts: tuple[str, ...] = ()
    ) -> Ticket:
        """Read the message and stage what it says. The ticket's outcome tells the reply that is due.

        `parts` are the ids under which the provider delivered the text, where it came in pieces.
        """
        case = _Case(self._book.desk(message.sender), account, message, received_at, self._subject_key, parts)
        if message.address is None:
            entry = _read(_NO_PERSON, case)
        else:
            entry = _read(case.desk.reader.read(message.text, _context(case)), case)
        if case.desk.double_opt_in is not None:
            entry = _with_double_opt_in(entry, case)
        return self._recorder.stage(entry)


@dataclass(frozen=True, slots=True)
class _Case:
    """One message at one desk."""

    desk: Desk
    account: Account
    message: InboundMessage
    received_at: int
    subject_key: bytes = field(repr=False)
    parts: tuple[str, ...] = ()


def _context(case: _Case) -> Context:
    """Return what the reading depends on. Who writes to a sender of advertising answers it, as far as we know."""
    marketing = bool(case.desk.marketing)
    if case.message.verdict is None:
        return _TO_MARKETING if marketing else _NO_CONTEXT
    return Context(verdict=case.message.verdict, marketing=marketing)


def _read(reading: Reading, case: _Case) -> Entry:
    """Return the entry that records this reading."""
    message, account = case.message, case.account
    address = message.address or Address(Channel.SMS, message.origin)
    choice = choice_of(reading, case.desk)
    return Entry(
        address=address,
        subject=subject_of(address, case.subject_key),
        account=account.name,
        message_id=message.message_id,
        klass=reading.klass,
        choice=choice,
        scope=scope_of(choice, reading, case.desk),
        sender=message.sender,
        source=Source.KEYWORD,
        rule=reading.rule,
        # A provider's clock may run ahead; a word from the future would outlive later ones.
        said_at=case.received_at if message.said_at is None else min(message.said_at, case.received_at),
        received_at=case.received_at,
        text=message.text,
        evidence=_evidence(reading, account.kind, _origin(message), message.media, case.parts),
        reply=_reply(reading, case),
    )


def _reply(reading: Reading, case: _Case) -> Reply | None:
    key = reply_key_of(reading, case.desk)
    if key is None:
        return None
    if case.account.replies_by_itself(case.message, reading.klass):
        return None
    return _own_reply(key, reading, case)


def _own_reply(key: ReplyKey, reading: Reading, case: _Case) -> Reply | None:
    text = reply_text(case.desk, key, language=reading.language, program=reading.program)
    return None if text is None else Reply(key, text, inline=case.account.inline_replies)


def _with_double_opt_in(entry: Entry, case: _Case) -> Entry:
    """Make an opt-in wait for its confirming word, and let that word confirm one that waits."""
    waiting = case.desk.reader.read(case.message.text, _WAITING)
    confirming = None
    if waiting.klass is ReadingClass.OPT_IN_CONFIRM and case.message.address is not None:
        confirming = _read(waiting, case)
    since = case.received_at - (case.desk.double_opt_in or 0)
    if entry.klass != ReadingClass.OPT_IN:
        return replace(entry, when_pending=confirming, pending_since=since)
    return replace(
        entry,
        choice=Choice.PENDING,
        reply=None if entry.reply is None else _own_reply(ReplyKey.OPT_IN_PENDING, waiting, case),
        when_pending=confirming,
        when_consenting=entry,
        pending_since=since,
    )


def _origin(message: InboundMessage) -> str | None:
    """Return the person's end as the provider wrote it, where it says more than the address."""
    if message.address is not None and message.origin == message.address.value:
        return None
    return message.origin


@lru_cache(maxsize=4096)
def _evidence(reading: Reading, provider: str, origin: str | None, media: int, parts: tuple[str, ...]) -> str:
    """Return the record of how the text was read, as it is kept with the event."""
    found = {
        "band": reading.band,
        "provider": provider,
        "stages": reading.stages,
        "language": reading.language,
        "keyword": reading.keyword,
        "span": reading.span,
        "reach": reading.reach,
        "program": reading.program,
        "origin": origin,
        "media": media,
        "parts": parts,
    }
    return json.dumps({key: value for key, value in found.items() if value}, separators=(",", ":"))
