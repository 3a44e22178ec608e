"""Webhooks go on to the applications behind the gateway: which, what of them, and how they are signed.

The provider's request is relayed as it came. What we made of it travels beside it as a JSON document in a header,
signed by Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`) and bound to the request by the
digests of its public URL and body, so that an application trusts both or neither.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from gateway.consent.address import Address, Channel, subject_of
from gateway.consent.entry import Entry
from gateway.flows.delivery_status import claim_of_report
from gateway.keywords.reading import ReadingClass
from gateway.providers.account import AccountSettings, Forwarded
from gateway.providers.base import InboundMessage, Received, WebhookRequest
from gateway.store.forwards import ID_BYTES, Forward
from gateway.store.group import Ticket
from gateway.store.recorder import Recorder

_MOST_EVENTS = 20
_MOST_HEADER_BYTES = 16_384
# RFC 9110 section 7.6.1, and what belongs to the connection with us or is made anew.
_OWN = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "host",
        "content-length",
        "accept-encoding",
        "cookie",
        "proxy-authorization",
        "forwarded",
    }
)
_OWN_PREFIXES = ("x-forwarded-", "consent-gateway-")
# Standard Webhooks names the headers of a provider that signs by it as ours.
_SIGNED = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"})
ORIGINAL = "x-original-"
_ACTED_ON = frozenset(
    {ReadingClass.OPT_OUT, ReadingClass.OPT_IN, ReadingClass.OPT_IN_CONFIRM, ReadingClass.HELP}
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A message or report of a webhook: whose application it is for, and the event that may come of it."""

    sender: str
    subject: bytes | None  # None: about nobody
    message_id: str
    is_wanted: bool
    is_message: bool = True


class Forwarding:
    """Decides about the webhooks of one account, and stages those that are forwarded."""

    def __init__(self, name: str, settings: AccountSettings, subject_key: bytes, recorder: Recorder) -> None:
        self._name = name
        self._recorder = recorder
        self._mode = settings.forward
        self._has_target = settings.forward_to is not None
        self._own_targets = {sender for sender, own in settings.senders.items() if own.forward_to is not None}
        self._subject_key = subject_key

    @property
    def is_on(self) -> bool:
        """Whether any application gets webhooks of this account."""
        return self._has_target or bool(self._own_targets)

    def stage(self, webhook: WebhookRequest, received: Received, staged: Iterable[object]) -> list[Ticket]:
        """Stage what is to be forwarded of an authentic webhook, in the commit of what it brought (`staged`).

        A webhook of which nothing could be read is forwarded too.
        """
        tickets = [each for each in staged if isinstance(each, Ticket)]
        entries = [ticket.entry for ticket in tickets if ticket.entry is not None]
        found = self.forwards(webhook, received, entries)
        return [self._recorder.stage_forward(forward, tickets) for forward in found]

    def forwards(
        self, webhook: WebhookRequest, received: Received, entries: Iterable[Entry]
    ) -> list[Forward]:
        """Return what is to be forwarded of an authentic webhook: once for each application that is concerned.

        `entries` are those of its messages.
        """
        pieces = [*self._messages(received.messages, entries), *self._reports(received)]
        if not pieces:
            is_wanted = self._mode is Forwarded.ALL or bool(received.unreadable)
            return [self._forward(webhook, "", [])] if is_wanted and self._has_target else []
        by_route: dict[str, list[_Piece]] = {}
        for piece in pieces:
            by_route.setdefault(self._route(piece.sender), []).append(piece)
        return [
            self._forward(webhook, route, found)
            for route, found in by_route.items()
            if (route or self._has_target) and (received.unreadable or any(each.is_wanted for each in found))
        ]

    def _messages(self, messages: Sequence[InboundMessage], entries: Iterable[Entry]) -> list[_Piece]:
        read = {entry.message_id: entry for entry in entries}
        return [
            _Piece(
                message.sender,
                self._subject(message.address or Address(Channel.SMS, message.origin)),
                message.message_id,
                is_wanted=self._mode is Forwarded.ALL or not is_acted_on(read.get(message.message_id)),
            )
            for message in messages
        ]

    def _reports(self, received: Received) -> list[_Piece]:
        is_wanted = self._mode is Forwarded.ALL
        return [
            _Piece(
                status.sender,
                None if status.address is None else self._subject(status.address),
                claim_of_report(status),
                is_wanted,
                is_message=False,
            )
            for status in received.statuses
        ]

    def _route(self, sender: str) -> str:
        """Return the sender whose own application it is for, "" for the account's."""
        return sender if sender in self._own_targets else ""

    def _subject(self, address: Address) -> bytes:
        return subject_of(address, self._subject_key)

    def _forward(self, webhook: WebhookRequest, route: str, pieces: Sequence[_Piece]) -> Forward:
        messages = [piece for piece in pieces if piece.is_message]
        # A provider that repeats a message may count its attempts in the body: the message's id stays.
        claim = messages[0].message_id.encode() if messages else _content(webhook)
        persons = [piece.subject for piece in pieces if piece.subject is not None]
        own_id = sha256(b"\0".join((self._name.encode(), route.encode(), claim))).digest()[:ID_BYTES]
        return Forward(
            subject=persons[0] if persons else own_id,
            id=own_id,
            account=self._name,
            sender=route,
            method=webhook.method,
            url=webhook.url,
            headers=json.dumps(relayed(webhook.headers)),
            body=webhook.body,
            events=json.dumps(_claims(pieces)),
            received_at=webhook.received_at,
        )


def _claims(pieces: Iterable[_Piece]) -> list[list[str]]:
    found = [[piece.subject.hex(), piece.message_id] for piece in pieces if piece.subject is not None]
    return found[:_MOST_EVENTS]


def is_acted_on(entry: Entry | None) -> bool:
    """Tell whether a message was read as a keyword, whatever the person said before."""
    if entry is None or entry.when_pending is not None:
        return False
    return acts(entry.klass, entry.choice)


def acts(klass: str, choice: str | None) -> bool:
    """Tell whether a message of this class was acted on; one that was unclear has made no choice."""
    return klass in _ACTED_ON and (choice is not None or klass == ReadingClass.HELP)


def relayed(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the headers that an application gets: the provider's, without those of the connection.

    A password that the provider shares with us (Basic) stays here; a signed token goes on, being the signature.
    """
    named = {token.strip().lower() for token in headers.get("connection", "").split(",")}
    found: list[tuple[str, str]] = []
    size = 0
    for name in headers:
        value = headers[name]
        if name in _OWN or name in named or name.startswith(_OWN_PREFIXES) or _is_password(name, value):
            continue
        size += len(name) + len(value)
        if size > _MOST_HEADER_BYTES:
            break
        found.append((ORIGINAL + name if name in _SIGNED else name, value))
    return found


def _is_password(name: str, value: str) -> bool:
    return name == "authorization" and not value.lower().startswith("bearer ")


def _content(webhook: WebhookRequest) -> bytes:
    head = f"{webhook.method}\0{webhook.url}\0".encode("utf-8", "surrogatepass")
    return sha256(head + webhook.body).digest()
