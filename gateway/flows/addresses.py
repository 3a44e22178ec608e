"""Messages and delivery reports have an address each, easily exchanged at the provider: none is lost by that.

A provider that posts both to one address reads both there by itself.
"""

from gateway.errors import CallerError, NotForUsError
from gateway.providers.base import Provider, Received, WebhookRequest
from gateway.store.dead_letters import LetterKind


def parsed(provider: Provider, request: WebhookRequest, kind: LetterKind) -> Received:
    """Return what a verified request holds, at whichever address it has come in.

    Raises `CallerError` when nothing in it can be read, `NotForUsError` for a report that we do not act on.
    """
    if kind is LetterKind.STATUS:
        return parsed_report(provider, request)
    try:
        return provider.parse(request)
    except NotForUsError:
        return stray_reports(provider, request)


def parsed_report(provider: Provider, request: WebhookRequest) -> Received:
    """Return what a verified request at the address of delivery reports holds, be it a person's message."""
    try:
        return provider.parse_status(request)
    except CallerError as error:
        return _stray_messages(provider, request, error)


def stray_reports(provider: Provider, request: WebhookRequest) -> Received:
    """Return the reports of a verified request at the address of messages that holds none; maybe nothing."""
    try:
        return Received(statuses=provider.parse_status(request).statuses)
    except (CallerError, NotForUsError):
        return Received()


def _stray_messages(provider: Provider, request: WebhookRequest, error: CallerError) -> Received:
    """Return the messages of a request that is no report; raise the error when none says anything.

    A malformed report, read as a message, would be a word of the wrong end; but it has no text.
    """
    try:
        received = provider.parse(request)
    except (CallerError, NotForUsError):
        raise error from None
    if not any(message.text or message.media for message in received.messages):
        raise error
    return received
