"""A dry run: what a text would mean if it came to a sender or a program. Nothing is recorded."""

from dataclasses import dataclass

from gateway.consent import scope
from gateway.consent.address import normal_sender
from gateway.keywords.reading import Context, Reading, ReadingClass
from gateway.programs import Desk, ProgramBook

_OPT_INS = frozenset({ReadingClass.OPT_IN, ReadingClass.OPT_IN_CONFIRM})


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The reading, and the scopes that its word would cover: none when it is no word on consent.

    `sender` is the one whose programs, languages and keywords were used, "" for none in particular.
    """

    sender: str
    reading: Reading
    scopes: tuple[str, ...]


def interpret(
    book: ProgramBook,
    text: str,
    *,
    sender: str = "",
    program: str | None = None,
    pending_opt_in: bool = False,
) -> Interpretation:
    """Return what the text means to the sender, or to the first sender of the program.

    `pending_opt_in`: the person was asked to confirm an opt-in. Raises `UnknownProgramError`.
    """
    desk = book.desk(normal_sender(sender) if program is None else _sender_of(book, program))
    reading = desk.reader.read(text, Context(pending_opt_in=pending_opt_in))
    return Interpretation(desk.sender, reading, scope.split(_scope(desk, reading)))


def _sender_of(book: ProgramBook, slug: str) -> str:
    book.rule(slug)
    program = book.programs.get(slug)
    return program.senders[0] if program is not None and program.senders else ""


def _scope(desk: Desk, reading: Reading) -> str:
    if reading.klass is ReadingClass.OPT_OUT:
        return desk.scope_of_opt_out(reading)
    return desk.scope_of_opt_in(reading) if reading.klass in _OPT_INS else ""
