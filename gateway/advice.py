"""What is legal in a configuration but unwise."""

from collections.abc import Iterator

from gateway.configuration.languages import interpreter_of
from gateway.flows.replies import ReplyKey, reply_text
from gateway.flows.segments import segments
from gateway.programs import ProgramBook
from gateway.settings import Settings


def warnings_of(settings: Settings) -> list[str]:
    """Return what an operator should look at, each a sentence that says what to do."""
    return [*_of_replies(settings), *_of_accounts(settings)]


def _of_replies(settings: Settings) -> Iterator[str]:
    """Warn of replies of more than one SMS: they cost more, and Canadian short codes do not allow them."""
    book = ProgramBook(settings.programs, interpreter_of(settings), settings.source)
    for slug, program in settings.programs.items():
        for sender in program.senders[:1]:
            for key in ReplyKey:
                text = reply_text(book.desk(sender), key, language="", program=slug)
                number = segments(text or "")
                if number > 1:
                    yield f"programs.{slug}: the reply {key} needs {number} SMS: shorten its text, frequency or name"


def _of_accounts(settings: Settings) -> Iterator[str]:
    if not settings.accounts:
        yield "no account is configured: no provider can post messages"
    if not settings.programs:
        yield "no program is configured: every STOP counts for everything, and checks know only the program *"
