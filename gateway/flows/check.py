"""Decisions for many addresses of one channel and one program, in few reads of the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.consent.address import Address, AddressError, Channel, subject_of
from gateway.consent.decision import Decision, decide
from gateway.flows.status import Asked, Asking, Caveat
from gateway.programs import ProgramBook
from gateway.store.reader import NOTHING, Reader, Standing


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One answer: `address` in normal form with its decision, or the `error` that makes it no address."""

    allowed: bool
    address: Address | None = None
    subject: bytes | None = None
    decision: Decision | None = None
    warning: Caveat | None = None
    error: str | None = None


class Checks:
    """The use case."""

    def __init__(self, reader: Reader, book: ProgramBook, subject_key: bytes) -> None:
        self._reader = reader
        self._asking = Asking(book)
        self._subject_key = subject_key

    def program(self, slug: str) -> Asked:
        """Return the program that a check is about; raise `UnknownProgramError`."""
        return self._asking.one(slug)

    def check(self, addresses: Sequence[str], channel: Channel, program: str) -> list[CheckResult]:
        """Return one result for each of the addresses, in their order; one that repeats gets the same again.

        An address that is none gets its error and is not allowed. Raises `UnknownProgramError`, and
        `OurTroubleError` when the database cannot be read: then nothing is allowed.
        """
        asked = self._asking.one(program)
        parsed = {text: self._parsed(text, channel) for text in dict.fromkeys(addresses)}
        subjects = {found.subject for found in parsed.values() if found.subject is not None}
        persons = self._reader.persons(sorted(subjects))
        results = {text: _decided(found, asked, persons) for text, found in parsed.items()}
        return [results[text] for text in addresses]

    def _parsed(self, text: str, channel: Channel) -> CheckResult:
        try:
            address = Address.parse(channel, text)
        except AddressError as error:
            return CheckResult(allowed=False, error=str(error))
        return CheckResult(allowed=False, address=address, subject=subject_of(address, self._subject_key))


def _decided(found: CheckResult, asked: Asked, persons: dict[bytes, Standing]) -> CheckResult:
    if found.address is None or found.subject is None:
        return found
    states, suppressions = persons.get(found.subject, NOTHING)
    decision = decide(asked.rule, states, suppressions)
    warning = asked.caveat(found.address.channel, decision, states)
    return CheckResult(decision.allowed, found.address, found.subject, decision, warning)
