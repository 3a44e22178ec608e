"""A long message comes in parts: keep each durably, read all as one message, or each alone when one is missing.

Whatever is read is claimed by its message id, so it does not matter how many processes read it, or how
often: one of them makes the event.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from gateway.consent.address import Address, Channel, subject_of
from gateway.consent.entry import Outcome
from gateway.errors import OurTroubleError
from gateway.flows.inbound_message import Account, InboundMessages
from gateway.flows.stored_message import from_text, is_whole, joined, storable, to_text
from gateway.providers.base import InboundMessage, Part
from gateway.store.group import Ticket
from gateway.store.message_parts import MessageParts, PartState, StoredPart

# A reference is an octet or two and comes again: a part that is later than this belongs to another message.
_LATE = 3_600_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Readable:
    """A text that can be read now. `parts` are the ids it came under, `rows` what it was stored as."""

    message: InboundMessage
    received_at: int
    account: str
    parts: tuple[str, ...] = ()
    rows: tuple[StoredPart, ...] = field(default=(), repr=False)


class PartTicket:
    """A ticket that lets the parts go once the ledger has what they say."""

    __slots__ = ("_parts", "_rows", "_ticket")

    def __init__(self, ticket: Ticket, parts: MessageParts, rows: Sequence[StoredPart]) -> None:
        self._ticket = ticket
        self._parts = parts
        self._rows = rows

    def outcome(self) -> Outcome:
        """Return what became of the text, durably. Raises `OurTroubleError` when it could not be recorded."""
        outcome = self._ticket.outcome()
        # Else the worker comes to them once more, finds the claim taken, and lets them go.
        if self._rows:
            with suppress(OurTroubleError):
                self._parts.finish(self._rows)
        return outcome


class LongMessages:
    """The use case; one for all accounts."""

    def __init__(self, parts: MessageParts, messages: InboundMessages, subject_key: bytes) -> None:
        self._parts = parts
        self._messages = messages
        self._subject_key = subject_key

    def take(self, message: InboundMessage, account: str, received_at: int) -> list[Readable]:
        """Keep a part durably and return what can be read now that it is there.

        Raises `OurTroubleError` when it could not be kept.
        """
        part = message.part
        if part is None or is_whole(part):
            return [Readable(replace(message, part=None), received_at, account)]
        row = self._row(message, part, account, received_at)
        self._parts.put(row)
        kin = self._parts.kin(row)
        own = next((each for each in kin if each.key == row.key), None)
        # None: this id and number came before under another reference, so it is a repeat.
        return [] if own is None else self._next(own, kin)

    def overdue(self, until: int, limit: int) -> Iterator[Readable]:
        """Yield what parts say that were received until a time and are not in the ledger: joined, else alone.

        At most `limit` parts are looked at. Raises `OurTroubleError`.
        """
        seen: set[tuple[bytes, str, str, int]] = set()
        for row in self._parts.unread(until=until, limit=limit):
            if row.key in seen:
                continue
            for found in self._settled(row):
                seen.update(each.key for each in found.rows)
                yield found

    def stage(self, readable: Readable, account: Account) -> PartTicket:
        """Read the text and stage what it says."""
        ticket = self._messages.stage(readable.message, account, readable.received_at, readable.parts)
        return PartTicket(ticket, self._parts, readable.rows)

    def _row(self, message: InboundMessage, part: Part, account: str, received_at: int) -> StoredPart:
        address = message.address or Address(Channel.SMS, message.origin)
        return StoredPart(
            subject=subject_of(address, self._subject_key),
            account=account,
            message_id=storable(message.message_id),
            number=part.number,
            total=part.total,
            sender=storable(message.sender),
            reference=storable(part.reference),
            received_at=received_at,
            message=to_text(message),
        )

    def _next(self, own: StoredPart, kin: Sequence[StoredPart]) -> list[Readable]:
        """Decide what the arrival of a part makes readable; nothing when it was read before."""
        if own.message is None:
            return []
        if own.state is not PartState.WAITING:
            return _decided(own, kin)
        complete = _complete(kin)
        if complete:
            return self._join(complete)
        if _is_late(own, kin) and self._parts.move([own], PartState.ALONE):
            return [_alone(own)]
        return []

    def _settled(self, row: StoredPart) -> list[Readable]:
        """Decide about a part that has waited long enough, and about all that wait with it."""
        kin = self._parts.kin(row)
        own = next((each for each in kin if each.key == row.key), None)
        if own is None or own.message is None:
            return []
        if own.state is not PartState.WAITING:
            return _decided(own, kin)
        complete = _complete(kin)
        if complete:
            return self._join(complete)
        waiting = [each for each in kin if each.state is PartState.WAITING]
        return [_alone(each) for each in waiting] if self._parts.move(waiting, PartState.ALONE) else []

    def _join(self, parts: Sequence[StoredPart]) -> list[Readable]:
        moved = self._parts.move(parts, PartState.JOINED, lead=parts[0].message_id)
        return [_together(parts)] if moved else []


def _complete(kin: Sequence[StoredPart]) -> list[StoredPart]:
    """Return one waiting part of each number, in order; nothing when a number is missing."""
    waiting: dict[int, StoredPart] = {}
    for part in kin:
        if part.state is PartState.WAITING:
            waiting.setdefault(part.number, part)
    return [waiting[number] for number in sorted(waiting)] if len(waiting) == kin[0].total else []


def _is_late(own: StoredPart, kin: Sequence[StoredPart]) -> bool:
    """Tell whether the others of its message have been read alone already."""
    since = own.received_at - _LATE
    read = {each.number for each in kin if each.state is PartState.ALONE and each.received_at > since}
    return bool(read) and own.number not in read


def _decided(own: StoredPart, kin: Sequence[StoredPart]) -> list[Readable]:
    """Return what a part belongs to that was decided about and did not reach the ledger."""
    if own.state is PartState.ALONE:
        return [_alone(own)]
    together = [each for each in kin if each.state is PartState.JOINED and each.lead == own.lead]
    unread = sorted((each for each in together if each.message is not None), key=lambda each: each.number)
    return [_together(unread)] if len(unread) == own.total else []


def _together(parts: Sequence[StoredPart]) -> Readable:
    return Readable(
        message=joined([_message(part) for part in parts]),
        received_at=max(part.received_at for part in parts),
        account=parts[0].account,
        parts=tuple(part.message_id for part in parts),
        rows=tuple(parts),
    )


def _alone(part: StoredPart) -> Readable:
    # A provider may give all parts one id, and each needs a claim of its own.
    claim = part.message_id if part.number == 1 else f"{part.message_id}/{part.number}"
    return Readable(
        message=replace(_message(part), message_id=claim),
        received_at=part.received_at,
        account=part.account,
        parts=(part.message_id,),
        rows=(part,),
    )


def _message(part: StoredPart) -> InboundMessage:
    assert part.message is not None  # noqa: S101 - only parts that the ledger does not have are read
    return from_text(part.message)
