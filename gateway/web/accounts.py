"""The accounts as the web sees them: a webhook goes in, what answers it comes out."""

from dataclasses import dataclass

from gateway.errors import CallerError, NotAuthenticError, NotForUsError
from gateway.flows.addresses import parsed_report, stray_reports
from gateway.flows.dead_letters import Copies, reason_of, secrets_in
from gateway.flows.forwarding import Forwarding
from gateway.flows.inbound_message import InboundMessages
from gateway.flows.intake import Intake, settle
from gateway.house import House
from gateway.keywords.reading import ReadingClass
from gateway.metrics import Metrics
from gateway.providers.base import Answer, InboundMessage, Provider, Received, Unreadable, WebhookRequest
from gateway.store.dead_letters import DeadLetters, LetterKind
from gateway.store.message_parts import MessageParts
from gateway.store.nonces import Nonces
from gateway.web.answers import Conclude
from gateway.web.dead_letters import LetterBox
from gateway.web.nonces import NonceGuard, uses_nonces

# RFC 9110 section 9.3.7: what the address takes. Nothing is ever stored by HEAD and OPTIONS.
_METHODS = Answer(200, "text/plain; charset=utf-8", b"", (("Allow", "GET, HEAD, OPTIONS, POST"),))


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
    intake: Intake
    letters: LetterBox
    metrics: Metrics
    nonces: NonceGuard | None  # None: the provider's signatures cover everything
    forwarding: Forwarding | None  # None: no application gets its webhooks

    @property
    def messages(self) -> InboundMessages:
        """What reads and stages a whole message."""
        return self.intake.messages

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:
        """Tell whether the provider answers this keyword, so that we stay silent."""
        return self.provider.replies_by_itself(message, klass)

    def receive(self, webhook: WebhookRequest) -> Conclude:
        """Verify the webhook and stage what it holds; what is returned waits for the commit and answers.

        What is genuine and cannot be read is kept as a dead letter. Raises `NotAuthenticError` for a forged
        request, `OurTroubleError` when a part of it could not be kept.
        """
        try:
            if self.nonces is None:
                received = self.provider.receive(webhook)
            else:
                received = self.provider.parse(self.nonces.proved(webhook))
        except NotForUsError:
            received = stray_reports(self.provider, webhook)
        except CallerError as error:
            return self._unread(webhook, LetterKind.INBOUND, error)
        return self._staged(received, webhook, LetterKind.INBOUND)

    def report(self, webhook: WebhookRequest) -> Conclude:
        """Do the same with a request at the address of delivery reports; raises as `receive`."""
        try:
            if self.nonces is None:
                self.provider.verify(webhook)
            else:
                self.nonces.proved(webhook)
            received = parsed_report(self.provider, webhook)
        except NotForUsError:
            return self._passed_on(webhook, Received())
        except CallerError as error:
            return self._unread(webhook, LetterKind.STATUS, error)
        return self._staged(received, webhook, LetterKind.STATUS)

    def refuse(self, webhook: WebhookRequest) -> Answer:
        """Return the provider's answer to a request that is not authentic."""
        self.metrics.refused(self.name, "not_authentic")
        return self.provider.refuse(webhook)

    def handshake(self, webhook: WebhookRequest) -> Answer:
        """Return the answer to OPTIONS, which brings no message."""
        return self.provider.handshake(webhook) or _METHODS

    def _staged(self, received: Received, webhook: WebhookRequest, kind: LetterKind) -> Conclude:
        staged = self.intake.stage(received, self, webhook.received_at)
        if self.forwarding is not None:
            staged += self.forwarding.stage(webhook, received, staged)

        def conclude() -> Answer:
            found = settle(staged)
            if received.unreadable or found.poison is not None:
                self.letters.keep(webhook, kind, reason_of(received, refused=found.poison is not None))
            return received.answer or self.provider.answer(found.inline_replies)

        return conclude

    def _unread(self, webhook: WebhookRequest, kind: LetterKind, error: CallerError) -> Conclude:
        if isinstance(error, NotAuthenticError):
            raise error
        try:
            self.provider.verify(webhook)
        except CallerError:
            # A request so malformed that its proof cannot be read has none: it is neither kept nor answered.
            raise NotAuthenticError("the proof cannot be read") from None

        passed_on = self._passed_on(webhook, Received(unreadable=(Unreadable(str(error), webhook.body),)))

        def conclude() -> Answer:
            self.letters.keep(webhook, kind, str(error))
            return passed_on()

        return conclude

    def _passed_on(self, webhook: WebhookRequest, received: Received) -> Conclude:
        """Forward a genuine webhook that holds nothing for us, where its account does."""
        if self.forwarding is None:
            return self._nothing
        staged = self.forwarding.stage(webhook, received, ())

        def conclude() -> Answer:
            settle(staged)
            return self._nothing()

        return conclude

    def _nothing(self) -> Answer:
        return self.provider.answer(())


class Accounts:
    """All configured accounts, by the name in the path."""

    def __init__(self, house: House) -> None:
        intake = Intake(house.book, house.recorder, house.keys.subject, MessageParts(house.engine))
        self._desks = {name: _desk(house, name, intake) for name in house.settings.accounts}

    def desk(self, name: str) -> AccountDesk:
        """Return the account; raise `UnknownAccountError`."""
        if name not in self._desks:
            raise UnknownAccountError("no such account")
        return self._desks[name]

    def find(self, name: str) -> AccountDesk | None:
        """Return the account, None when there is no such name."""
        return self._desks.get(name)


def _desk(house: House, name: str, intake: Intake) -> AccountDesk:
    account, provider = house.settings.accounts[name], house.providers[name]
    copies = Copies(name, secrets_in(account))
    forwarding = Forwarding(name, account, house.keys.subject, house.recorder)
    return AccountDesk(
        name=name,
        kind=account.provider,
        base=account.public_url or house.settings.server.public_url,
        inline_replies=account.reply_by == "inline" and provider.takes_inline,
        provider=provider,
        intake=intake,
        letters=LetterBox(name, copies, DeadLetters(house.engine), house.metrics),
        metrics=house.metrics,
        nonces=NonceGuard(name, provider, Nonces(house.engine)) if uses_nonces(provider) else None,
        forwarding=forwarding if forwarding.is_on else None,
    )
