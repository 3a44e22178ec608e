"""Generic: any provider that posts JSON or a form, or calls with a query, described by settings alone."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from gateway.errors import CallerError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Outgoing
from gateway.providers import generic_rehearsal
from gateway.providers.base import (
    Answer,
    InboundMessage,
    OutboundMessage,
    Provider,
    Received,
    Rehearsal,
    SendResult,
    Unreadable,
    WebhookRequest,
)
from gateway.providers.generic_mapping import Element, Mapping
from gateway.providers.generic_proof import Proof
from gateway.providers.generic_rehearsal import rehearsal_account
from gateway.providers.generic_send import Sending
from gateway.providers.generic_settings import BodyForm, GenericSettings
from gateway.providers.payload import read_form, read_json, read_query, unreadable
from gateway.providers.provider_replies import SenderReplies, answered

__all__ = ["Generic", "GenericSettings", "rehearsal_account"]

Piece = TypeVar("Piece")


class Generic(Provider):
    """One account of a provider that the settings describe."""

    def __init__(self, settings: GenericSettings, net: Outgoing) -> None:
        self._settings = settings
        self._proof = Proof(settings)
        self._mapping = Mapping(settings)
        self._replies = SenderReplies(settings)
        self._words = frozenset(word.strip().upper() for word in settings.answered_words)
        self._sending = Sending(settings.send, net)
        answer = settings.answer
        self._answer = Answer(answer.status, answer.content_type, answer.body.encode())

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request carries every proof that is configured."""
        self._proof.verify(request)

    def parse(self, request: WebhookRequest) -> Received:
        """Return the messages, and where `kind` tells reports from them, the reports too.

        Raises `CallerError` when nothing of it can be read.
        """
        document = self._document(request)
        if self._settings.kind:
            return self._by_kind(document, request)
        return self._received(self._mapping.messages(document), (), request)

    def parse_status(self, request: WebhookRequest) -> Received:
        """Return the delivery reports; raises as `parse`. Without a mapping for them there is nothing to read."""
        if self._settings.kind:
            return self.parse(request)
        if not self._settings.status.person:
            return Received()
        return self._received((), self._mapping.reports(self._document(request)), request)

    def refuse(self, request: WebhookRequest) -> Answer:  # noqa: ARG002 - the same for every request
        """Return the challenge of HTTP Basic where that is configured, else 403."""
        return self._proof.refusal()

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - the words are configured
        """Tell whether the provider or the toll-free network answers this message."""
        return answered(message, self._replies.of(message.sender), self._words)

    def answer(self, texts: Sequence[str]) -> Answer:  # noqa: ARG002 - replies go by the API
        """Return the acknowledgement of the settings."""
        return self._answer

    def send(self, message: OutboundMessage) -> SendResult:
        """Send by the templated request. Never raises for what the provider or the network does."""
        return self._sending.send(message)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        """Return the request that this mapping and these proofs describe."""
        return generic_rehearsal.signed(self._settings, self._proof, rehearsal)

    def _document(self, request: WebhookRequest) -> Any:
        if self._settings.body is BodyForm.JSON:
            return read_json(request.body)
        if self._settings.body is BodyForm.FORM:
            return read_form(request.body, self._settings.charset)
        return read_query(request.url, self._settings.charset)

    def _by_kind(self, document: Any, request: WebhookRequest) -> Received:
        """Read what `kind` names a message or a report; all else is genuine and not for us."""
        settings, mapping = self._settings, self._mapping
        messages = self._of_kind(mapping.messages, document, settings.message_kinds)
        reports = self._of_kind(mapping.reports, document, settings.status_kinds)
        if messages is None and reports is None:
            raise CallerError("the list is not where elements says")
        return self._received(messages or (), reports or (), request)

    def _of_kind(
        self, elements: Callable[[Any], Sequence[Element]], document: Any, kinds: Sequence[str]
    ) -> Sequence[Element] | None:
        """Return the elements of these kinds; None where their list is missing, or there are no such kinds."""
        whole = self._mapping.kind(Element(document, document))
        if whole and whole not in kinds:
            return ()
        try:
            return (
                [each for each in elements(document) if self._mapping.kind(each) in kinds] if kinds else None
            )
        except CallerError:
            return None

    def _received(
        self, messages: Sequence[Element], reports: Sequence[Element], request: WebhookRequest
    ) -> Received:
        """Read every element by itself; raise `CallerError` when there are some and none can be read."""
        good, bad = _each(messages, self._mapping.message)
        told, worse = _each(reports, lambda report: self._mapping.report(report, request.received_at))
        unread = [*bad, *worse]
        if unread and not good and not told:
            raise CallerError(unread[0].reason)
        return Received(good, told, unread)


def _each(
    elements: Sequence[Element], read: Callable[[Element], Piece]
) -> tuple[list[Piece], list[Unreadable]]:
    good, bad = [], []
    for element in elements:
        try:
            good.append(read(element))
        except CallerError as error:
            bad.append(unreadable(element.own, error))
    return good, bad
