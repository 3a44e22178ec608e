"""The keyed hash chain over the events of a subject.

Each event carries `chain`, a keyed hash over the subject's head before it and over its own canonical form.
The head after it is a second keyed hash, over that `chain`. Only the last head is stored, beside the
state: whoever cuts the tail of a ledger would need the head before it, which stands nowhere any more and
cannot be made without the key. A cut tail is therefore found at once, not only at the next checkpoint.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from gateway.consent.event import Event, canonical, personal

DIGEST_BYTES = 32
SALT_BYTES = 16
GENESIS = b""


def digest_of(text: str | None, evidence: str | None, *, salt: bytes, key: bytes) -> bytes:
    """Return the salted digest that stands for the personal fields in the chain."""
    return blake2b(
        personal(text, evidence), digest_size=DIGEST_BYTES, key=key, salt=salt, person=b"personal"
    ).digest()


def link(event: Event, *, head: bytes, key: bytes) -> bytes:
    """Return the chain value of an event that follows `head` (`GENESIS` for the first)."""
    return blake2b(head + canonical(event), digest_size=DIGEST_BYTES, key=key, person=b"chain").digest()


def head_after(chain: bytes, *, key: bytes) -> bytes:
    """Return the head of a subject whose last event has this chain value."""
    return blake2b(chain, digest_size=DIGEST_BYTES, key=key, person=b"head").digest()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was written. `seq` is None for the subject as a whole."""

    subject: bytes
    seq: int | None
    problem: str

    def __str__(self) -> str:
        place = "subject" if self.seq is None else "event"
        number = "" if self.seq is None else f"-{self.seq}"
        return f"{place} {self.subject.hex()}{number}: {self.problem}"


def verify(subject: bytes, events: Iterable[Event], *, head: bytes, last_seq: int, key: bytes) -> list[Fault]:
    """Check one subject's events, in the order of their seq, against its stored head.

    Returns the faults found, empty when every event is there and unaltered.
    """
    faults: list[Fault] = []
    running, expected = GENESIS, 1
    for event in events:
        if event.seq != expected:
            faults.append(Fault(subject, expected, f"missing: the next event found is {event.seq}"))
        faults.extend(_faults_of(event, running, key))
        running, expected = head_after(event.chain, key=key), event.seq + 1
    if expected != last_seq + 1:
        faults.append(Fault(subject, None, f"holds events up to {expected - 1}, its head says {last_seq}"))
    elif running != head:
        faults.append(Fault(subject, None, "its head does not follow from its last event"))
    return faults


def _faults_of(event: Event, head: bytes, key: bytes) -> list[Fault]:
    faults = []
    if link(event, head=head, key=key) != event.chain:
        faults.append(Fault(event.subject, event.seq, "altered, or its predecessor is"))
    if event.salt is None:
        faults.append(Fault(event.subject, event.seq, "its personal fields were removed"))
    elif digest_of(event.text, event.evidence, salt=event.salt, key=key) != event.digest:
        faults.append(Fault(event.subject, event.seq, "its text or evidence was altered"))
    return faults
