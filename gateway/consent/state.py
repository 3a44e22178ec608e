"""The current choice per scope, as a fold over events. Order and repetition of the events do not matter."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.consent import scope
from gateway.consent.choice import EFFECTS, WORD_WEIGHT, Choice
from gateway.consent.event import Event


@dataclass(frozen=True, slots=True)
class State:
    """The word that stands in one scope, when it was said (microseconds UTC) and in which event."""

    choice: Choice
    said_at: int
    seq: int

    @property
    def weight(self) -> int:
        """How the choice ranks against one said at the same time."""
        return EFFECTS[self.choice].weight

    @property
    def precedence(self) -> tuple[bool, int, int]:
        """Order of words: a person's before an assigned one, the newer, then the more restrictive."""
        weight = EFFECTS[self.choice].weight
        return (weight >= WORD_WEIGHT, self.said_at, weight)


States = Mapping[str, State]
NO_STATES: States = MappingProxyType({})


def changes(states: States, event: Event) -> dict[str, State]:
    """Return the scopes in which the event's word now stands, empty when it displaces nothing."""
    if event.choice is None:
        return {}
    new = State(event.choice, event.said_at, event.seq)
    rank = new.precedence
    changed = {}
    for key in scope.split(event.scope):
        old = states.get(key)
        if old is None or rank > old.precedence:
            changed[key] = new
    return changed


def rebuild(events: Iterable[Event]) -> dict[str, State]:
    """Fold the events of one subject from nothing, in the order of their seq."""
    states: dict[str, State] = {}
    for event in events:
        states.update(changes(states, event))
    return states
