"""A clarifying question stays unanswered: then messages end (47 CFR 64.1200(a)(12))."""

from gateway.consent.choice import Choice
from gateway.consent.entry import Entry
from gateway.consent.event import Source
from gateway.keywords.reading import ReadingClass
from gateway.programs import ProgramBook
from gateway.store.group import Ticket
from gateway.store.questions import Question
from gateway.store.recorder import Recorder

_RULE = "no_answer@1"


class Silences:
    """The use case."""

    def __init__(self, book: ProgramBook, recorder: Recorder) -> None:
        self._book = book
        self._recorder = recorder

    def stage(self, question: Question, now: int) -> Ticket:
        """Stage the opt-out that silence is.

        It counts as said just after the unclear message, so that any answer since then is newer, even one that is
        on its way.
        """
        return self._recorder.stage(
            Entry(
                address=question.address,
                subject=question.subject,
                account=question.account,
                message_id=f"silence:{question.message_id}",
                klass=ReadingClass.OPT_OUT,
                choice=Choice.NO,
                scope=self._book.desk(question.sender).opt_out_scope,
                sender=question.sender,
                source=Source.SILENCE,
                rule=_RULE,
                said_at=min(question.said_at + 1, now),
                received_at=now,
            )
        )
