"""The accounts as the web sees them: a webhook goes in, what answers it comes out."""

from dataclasses import dataclass

from gateway.errors import CallerError, NotForUsError
from gateway.flows.delivery_status import DeliveryStatuses
from gateway.flows.inbound_message import InboundMessages
from gateway.house import House
from gateway.keywords.reading import ReadingClass
from gateway.providers.base import Answer, InboundMessage, Provider, Received, WebhookRequest
from gateway.store.group import Ticket
from gateway.web.answers import Conclude


class UnknownAccountError(CallerError):
    """No account has this name."""


@dataclass(frozen=True, slots=True)
class AccountDesk:
    """One account. `base` is the public base URL that its provider calls."""

    name: str
    kind: str
    base: str
    inline_replies: bool
    provider: Provider
    messages: InboundMessages
    statuses: DeliveryStatuses

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:
        """Tell whether the provider answers this keyword, so that we stay silent."""
        return self.provider.replies_by_itself(message, klass)

    def receive(self, webhook: WebhookRequest) -> Conclude:
        """Verify the webhook and stage its messages; what is returned waits for the commit and answers.

        Raises `NotAuthenticError` for a forged request and `CallerError` for a malformed one.
        """
        try:
            received = self.provider.receive(webhook)
        except NotForUsError:
            return self._nothing
        return self._staged(received, webhook.received_at)

    def report(self, webhook: WebhookRequest) -> Conclude:
        """Verify a status callback and stage the opt-outs that it tells of; raises as `receive`."""
        self.provider.verify(webhook)
        try:
            received = self.provider.parse_status(webhook)
        except NotForUsError:
            return self._nothing
        return self._staged(received, webhook.received_at)

    def _staged(self, received: Received, now: int) -> Conclude:
        tickets = [self.messages.stage(message, self, now) for message in received.messages]
        reports = [self.statuses.stage(status, self.name, now) for status in received.statuses]

        def conclude() -> Answer:
            for report in reports:
                if report is not None:
                    report.outcome()
            return received.answer or self.provider.answer(_replies(tickets))

        return conclude

    def _nothing(self) -> Answer:
        return self.provider.answer(())


class Accounts:
    """All configured accounts, by the name in the path."""

    def __init__(self, house: House) -> None:
        messages = InboundMessages(house.book, house.recorder, house.keys.subject)
        statuses = DeliveryStatuses(house.book, house.recorder, house.keys.subject)
        self._desks = {
            name: AccountDesk(
                name=name,
                kind=account.provider,
                base=account.public_url or house.settings.server.public_url,
                inline_replies=account.reply_by == "inline",
                provider=house.providers[name],
                messages=messages,
                statuses=statuses,
            )
            for name, account in house.settings.accounts.items()
        }

    def desk(self, name: str) -> AccountDesk:
        """Return the account; raise `UnknownAccountError`."""
        if name not in self._desks:
            raise UnknownAccountError("no such account")
        return self._desks[name]

    def find(self, name: str) -> AccountDesk | None:
        """Return the account, None when there is no such name."""
        return self._desks.get(name)


def _replies(tickets: list[Ticket]) -> list[str]:
    replies = [ticket.outcome().reply for ticket in tickets]
    return [reply.text for reply in replies if reply is not None and reply.inline]
