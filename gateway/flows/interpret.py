"""A dry run: what a text would mean if it came to a sender or a program. Nothing is recorded."""

from dataclasses import dataclass

from gateway.consent import scope
from gateway.consent.address import normal_sender
from gateway.consent.choice import Choice
from gateway.flows.effects import choice_of, reply_key_of, scope_of
from gateway.flows.replies import ReplyKey, reply_text
from gateway.keywords.explain import Explanation, explain
from gateway.keywords.reading import Context, Reading, ReadingClass
from gateway.programs import Desk, ProgramBook


@dataclass(frozen=True, slots=True)
class Question:
    """A text and what it depends on, as far as the caller says so."""

    text: str
    sender: str = ""
    program: str | None = None  # in place of a sender
    pending_opt_in: bool = False  # the person was asked to confirm an opt-in
    marketing: bool | None = None  # it answers advertising; None: as messages to the sender do
    last_sent: str = ""  # the message that it answers


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The reading, and what the gateway would do upon it.

    `sender` is the one whose programs, languages and keywords were used, "" for none in particular. `scopes`
    are those that the choice would cover, none for no choice. `reply` is what we would answer, unless the
    provider does or has been answered already.
    """

    sender: str
    marketing: bool
    reading: Reading
    choice: Choice | None
    scopes: tuple[str, ...]
    reply: ReplyKey | None
    reply_text: str | None


def interpret(book: ProgramBook, question: Question) -> Interpretation:
    """Return what the text means to the sender, or to the first sender of the program.

    Raises `UnknownProgramError`.
    """
    desk, context = _asked(book, question)
    return _interpretation(desk, context, desk.reader.read(question.text, context))


def interpret_and_explain(book: ProgramBook, question: Question) -> tuple[Interpretation, Explanation]:
    """Return the same, and how the reading came about. Raises `UnknownProgramError`."""
    desk, context = _asked(book, question)
    explanation = explain(desk.reader, question.text, context)
    return _interpretation(desk, context, explanation.reading), explanation


def _asked(book: ProgramBook, question: Question) -> tuple[Desk, Context]:
    desk = book.desk(_sender(book, question))
    context = Context(
        pending_opt_in=question.pending_opt_in,
        marketing=bool(desk.marketing) if question.marketing is None else question.marketing,
        last_sent=question.last_sent,
    )
    return desk, context


def _sender(book: ProgramBook, question: Question) -> str:
    if question.program is None:
        return normal_sender(question.sender)
    book.rule(question.program)
    program = book.programs.get(question.program)
    return program.senders[0] if program is not None and program.senders else ""


def _interpretation(desk: Desk, context: Context, reading: Reading) -> Interpretation:
    choice, key = choice_of(reading, desk), reply_key_of(reading, desk)
    if desk.double_opt_in is not None and reading.klass is ReadingClass.OPT_IN:
        choice, key = Choice.PENDING, ReplyKey.OPT_IN_PENDING
    text = None
    if key is not None:
        text = reply_text(desk, key, language=reading.language, program=reading.program)
    return Interpretation(
        sender=desk.sender,
        marketing=context.marketing,
        reading=reading,
        choice=choice,
        scopes=scope.split(scope_of(choice, reading, desk)),
        reply=None if text is None else key,
        reply_text=text,
    )
