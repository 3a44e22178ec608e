"""The provider reports on a message of ours. A refusal since the person opted out there is an opt-out here."""

from gateway.consent.address import subject_of
from gateway.consent.choice import Choice
from gateway.consent.entry import Entry
from gateway.consent.event import Source
from gateway.keywords.reading import ReadingClass
from gateway.programs import ProgramBook
from gateway.providers.base import DeliveryStatus
from gateway.store.group import Ticket
from gateway.store.recorder import Recorder


class DeliveryStatuses:
    """The use case; one for all accounts."""

    def __init__(self, book: ProgramBook, recorder: Recorder, subject_key: bytes) -> None:
        self._book = book
        self._recorder = recorder
        self._subject_key = subject_key

    def stage(self, status: DeliveryStatus, account: str, received_at: int) -> Ticket | None:
        """Stage the opt-out that the report tells of; None for any other report.

        It leaves no event when the person is out already: senders that try again and again would fill the
        ledger.
        """
        if not status.opted_out or status.address is None:
            return None
        return self._recorder.stage(
            Entry(
                address=status.address,
                subject=subject_of(status.address, self._subject_key),
                account=account,
                message_id=claim_of_report(status),
                klass=ReadingClass.OPT_OUT,
                choice=Choice.NO,
                scope=self._book.desk(status.sender).opt_out_scope,
                sender=status.sender,
                source=Source.PROVIDER,
                rule=f"provider_refusal_{status.error_code}@1",
                said_at=received_at if status.said_at is None else min(status.said_at, received_at),
                received_at=received_at,
                only_if_new=True,
            )
        )


def claim_of_report(status: DeliveryStatus) -> str:
    """Return the id under which the ledger keeps what a report tells."""
    return f"status:{status.message_id}"
