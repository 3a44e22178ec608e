"""May this address be sent to, program by program, and why (not)? With everything that stands, as evidence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.consent import scope
from gateway.consent.address import Address, Channel, subject_of
from gateway.consent.choice import Choice
from gateway.consent.decision import Decision, ProgramRule, Reason, decide
from gateway.consent.state import NO_STATES, State, States
from gateway.programs import ProgramBook
from gateway.store.reader import NO_SUPPRESSIONS, DecidingEvent, PersonRows, Reader, Suppressions
from gateway.store.rounds import Rounds

_CARRIED = frozenset({Channel.SMS, Channel.WHATSAPP})
_BY_DEFAULT = frozenset({Reason.DEFAULT_CONSENT, Reason.NO_CONSENT})
_NOBODY = PersonRows(NO_STATES, {}, NO_SUPPRESSIONS, 0, None, None)


class Caveat(StrEnum):
    """What may still stand in the way of a message that is allowed."""

    CARRIER_MAY_BLOCK = (
        "carrier_may_block"  # a STOP to one of the program's senders stands: they block by number
    )


def event_name(subject: bytes, seq: int) -> str:
    """Return the public name of an event (`Event.event_id`)."""
    return f"{subject.hex()}-{seq}"


def is_by_default(decision: Decision) -> bool:
    """Tell whether nobody's word decided, but what the program takes silence for."""
    return decision.reason in _BY_DEFAULT


@dataclass(frozen=True, slots=True)
class Asked:
    """A program as it is asked about. `name` is None for all programs."""

    rule: ProgramRule
    name: str | None
    sender_scopes: tuple[str, ...]

    def caveat(self, channel: Channel, decision: Decision, states: States) -> Caveat | None:
        """Return why a message may be blocked on its way although the decision allows it."""
        if not decision.allowed or channel not in _CARRIED:
            return None
        found = map(states.get, self.sender_scopes)
        if any(state is not None and state.choice is Choice.NO for state in found):
            return Caveat.CARRIER_MAY_BLOCK
        return None


@dataclass(frozen=True, slots=True)
class ProgramStatus:
    """The decision for one program."""

    program: Asked
    decision: Decision
    warning: Caveat | None


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of an address. An unknown one has the same shape: nothing stands, defaults decide.

    `events` holds the deciding event of each state by its seq. `last_seq` is the number of its events.
    """

    address: Address
    subject: bytes
    known: bool
    programs: tuple[ProgramStatus, ...]
    states: States
    events: Mapping[int, DecidingEvent]
    suppressions: Suppressions
    last_seq: int

    def event_of(self, state: State | None) -> DecidingEvent | None:
        """Return the event in which the word of a state was said."""
        return None if state is None else self.events.get(state.seq)


class Asking:
    """The configured programs in the form in which they are asked about; `*` alone when there are none."""

    def __init__(self, book: ProgramBook) -> None:
        self._book = book
        self.all = tuple(self._asked(slug) for slug in book.programs) or (self._asked(scope.ALL),)
        self._by_slug = {asked.rule.slug: asked for asked in self.all}

    def one(self, slug: str) -> Asked:
        """Return a program, `*` being all of them; raise `UnknownProgramError`."""
        return self._by_slug.get(slug) or self._asked(slug)

    def _asked(self, slug: str) -> Asked:
        rule = self._book.rule(slug)
        program = self._book.programs.get(slug)
        senders = () if program is None else program.senders
        return Asked(rule, self._book.name(slug), tuple(scope.of_sender(sender) for sender in senders))


class Statuses:
    """The use case."""

    def __init__(self, reader: Reader, book: ProgramBook, subject_key: bytes) -> None:
        self._rounds = Rounds(reader.statuses)
        self._asking = Asking(book)
        self._subject_key = subject_key

    def status(self, address: Address, program: str | None = None) -> Status:
        """Return the status of an address, for all programs or the one named.

        Raises `UnknownProgramError`, and `OurTroubleError` when the database cannot be read.
        """
        return self.ask(address, program)()

    def ask(self, address: Address, program: str | None = None) -> Callable[[], Status]:
        """Ask for a status; the database is read when the first who asked in this round calls what they got.

        Raises `UnknownProgramError` at once, `OurTroubleError` when called.
        """
        programs = self._asking.all if program is None else (self._asking.one(program),)
        subject = subject_of(address, self._subject_key)
        shared = self._rounds.join(subject)
        return lambda: _status(address, subject, programs, shared.rows(subject))


def _status(
    address: Address, subject: bytes, programs: tuple[Asked, ...], found: PersonRows | None
) -> Status:
    rows = found or _NOBODY
    return Status(
        address=address,
        subject=subject,
        known=found is not None,
        programs=tuple([_program_status(asked, address.channel, rows) for asked in programs]),
        states=rows.states,
        events=rows.events,
        suppressions=rows.suppressions,
        last_seq=rows.last_seq,
    )


def _program_status(asked: Asked, channel: Channel, rows: PersonRows) -> ProgramStatus:
    decision = decide(asked.rule, rows.states, rows.suppressions)
    return ProgramStatus(asked, decision, asked.caveat(channel, decision, rows.states))
