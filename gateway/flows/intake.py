"""Everything that one authentic webhook holds is staged: whole messages, parts of long ones, delivery reports."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.consent.entry import Outcome
from gateway.flows.delivery_status import DeliveryStatuses
from gateway.flows.inbound_message import Account, InboundMessages
from gateway.flows.long_messages import LongMessages
from gateway.keywords.reading import ReadingClass
from gateway.programs import ProgramBook
from gateway.providers.base import InboundMessage, Provider, Received
from gateway.store.group import PoisonError
from gateway.store.message_parts import MessageParts
from gateway.store.recorder import Recorder


class Staged(Protocol):
    """Something that waits for its commit: a ticket."""

    def outcome(self) -> Outcome:
        """Return what became of it, durably. Raises `OurTroubleError`."""


@dataclass(frozen=True, slots=True)
class ApiAccount:
    """An account without a webhook to answer: its replies go by the outbox.

    Without a provider it is configured no more: what came through it is read, and nobody answers.
    """

    name: str
    kind: str
    provider: Provider | None
    inline_replies: bool = False

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:
        """Tell whether the provider answers this keyword, so that we stay silent."""
        return self.provider is None or self.provider.replies_by_itself(message, klass)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What came of a webhook: its outcomes, and the trouble if the database refused some of what it says."""

    outcomes: Sequence[Outcome]
    poison: PoisonError | None

    @property
    def inline_replies(self) -> list[str]:
        """The texts that travel in the answer to the webhook."""
        replies = [outcome.reply for outcome in self.outcomes]
        return [reply.text for reply in replies if reply is not None and reply.inline]


class Intake:
    """The use case; one for all accounts."""

    def __init__(
        self, book: ProgramBook, recorder: Recorder, subject_key: bytes, parts: MessageParts
    ) -> None:
        self.messages = InboundMessages(book, recorder, subject_key)
        self.statuses = DeliveryStatuses(book, recorder, subject_key)
        self.long_messages = LongMessages(parts, self.messages, subject_key)

    def stage(self, received: Received, account: Account, received_at: int) -> list[Staged]:
        """Stage what was received; parts of long messages are kept first.

        Raises `OurTroubleError` when a part could not be kept; nothing is staged then.
        """
        pieces = [message for message in received.messages if message.part is not None]
        staged: list[Staged] = self._parts(pieces, account, received_at) if pieces else []
        staged += [
            self.messages.stage(message, account, received_at)
            for message in received.messages
            if message.part is None
        ]
        for status in received.statuses:
            ticket = self.statuses.stage(status, account.name, received_at)
            if ticket is not None:
                staged.append(ticket)
        return staged

    def _parts(self, pieces: Iterable[InboundMessage], account: Account, received_at: int) -> list[Staged]:
        long = self.long_messages
        readable = [found for piece in pieces for found in long.take(piece, account.name, received_at)]
        return [long.stage(found, account) for found in readable]


def settle(staged: Iterable[Staged]) -> Settlement:
    """Wait for the commit of all that was staged.

    What the database refuses for its content hurts only itself. Raises `OurTroubleError` when something could
    not be recorded for another reason.
    """
    outcomes: list[Outcome] = []
    poison = None
    for each in staged:
        try:
            outcomes.append(each.outcome())
        except PoisonError as error:
            poison = error
    return Settlement(outcomes, poison)
