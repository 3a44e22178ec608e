"""What an event does to a person's suppressions, which stand beside consent and are never mixed with it. Pure."""

from dataclasses import dataclass

from gateway.consent import scope
from gateway.consent.choice import Choice
from gateway.consent.event import Event, Source
from gateway.consent.state import States

# Whoever has the number now never consented: the one before did (R21).
WRONG_NUMBER = "wrong_number"


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The person must not be sent to, for this reason, since this time (microseconds UTC)."""

    subject: bytes
    reason: str
    since: int
    source: str


def suppressed_by(event: Event, after: States) -> Suppressed | None:
    """Return the suppression that the event brings, None for none or when a newer word stands.

    `after` are the states after the event.
    """
    if event.klass != WRONG_NUMBER or event.choice is None:
        return None
    state = after.get(scope.ALL)
    if state is None or state.seq != event.seq:
        return None
    return Suppressed(event.subject, WRONG_NUMBER, event.said_at, event.source)


def lifts_wrong_number(event: Event) -> bool:
    """Tell whether the person at the number wants our messages, said in a message from that number."""
    return event.choice is Choice.YES and event.source == Source.KEYWORD
