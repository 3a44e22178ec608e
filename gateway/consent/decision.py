"""May this address get a message of this program now? Pure; the reason codes are public and stable."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.consent import scope
from gateway.consent.choice import Choice, Purpose, allows
from gateway.consent.state import State, States


class Reason(StrEnum):
    """Why a decision is as it is."""

    CONSENT = "consent"  # the person said yes, or a legal basis stands
    DEFAULT_CONSENT = "default_consent"  # nothing was said and the program takes silence as consent
    OPTED_OUT = "opted_out"
    PENDING = "pending_opt_in"  # a double opt-in was not confirmed
    NO_CONSENT = "no_consent"  # nothing was said and the program asks for consent first
    CHOICE_DENIES = "choice_denies"  # a choice that does not let this purpose through
    SUPPRESSED = "suppressed"  # a delivery reason, beside consent


# Adobe Journey Optimizer's exclusion codes for the same reasons, where it has one.
_AJO_NO_CONSENT = {"email": "050101", "sms": "050104", "push": "050111"}
_AJO_SUPPRESSED = {"email": "050102"}
_AJO_SUPPRESSED_ELSE = "050107"


@dataclass(frozen=True, slots=True)
class ProgramRule:
    """What a decision needs to know of a program. `path`: the scopes whose words bind it."""

    slug: str
    purpose: Purpose
    default_choice: Choice
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """Allow or deny, why, and the word that decided (None when it was the program's default)."""

    allowed: bool
    reason: Reason
    scope: str | None = None
    state: State | None = None

    def ajo_code(self, channel: str) -> str | None:
        """Return Adobe Journey Optimizer's code for the same exclusion, None when allowed or unknown to it."""
        if self.allowed:
            return None
        if self.reason is Reason.SUPPRESSED:
            return _AJO_SUPPRESSED.get(channel, _AJO_SUPPRESSED_ELSE)
        return _AJO_NO_CONSENT.get(channel)


def decide(program: ProgramRule, states: States, suppressions: Mapping[str, object]) -> Decision:
    """Return the decision for one program.

    Along the program's path the newest word wins and ties deny. A consent in a broad scope lifts older
    withdrawals but is no consent to a program to which the person never gave one: there the program's
    own default decides.
    """
    if suppressions:
        return Decision(allowed=False, reason=Reason.SUPPRESSED)
    # About all programs at once: a word to any of them counts, and the broadest consent must be newer.
    path = tuple(states) if program.slug == scope.ALL else program.path
    found = _newest(path, states)
    if found is None:
        return _by_default(program)
    key, state = found
    if not allows(state.choice, program.purpose):
        return Decision(allowed=False, reason=_denial(state.choice), scope=key, state=state)
    if program.slug != key and not _has_joined(program, states):
        return _by_default(program)
    return Decision(allowed=True, reason=Reason.CONSENT, scope=key, state=state)


def _has_joined(program: ProgramRule, states: States) -> bool:
    own = states.get(program.slug)
    return own is not None and allows(own.choice, program.purpose)


def _newest(path: tuple[str, ...], states: States) -> tuple[str, State] | None:
    found: tuple[str, State] | None = None
    for key in path:
        state = states.get(key)
        if state is not None and (found is None or state.precedence > found[1].precedence):
            found = (key, state)
    return found


def _by_default(program: ProgramRule) -> Decision:
    if allows(program.default_choice, program.purpose):
        return Decision(allowed=True, reason=Reason.DEFAULT_CONSENT)
    return Decision(allowed=False, reason=Reason.NO_CONSENT)


def _denial(choice: Choice) -> Reason:
    if choice is Choice.NO:
        return Reason.OPTED_OUT
    if choice is Choice.PENDING:
        return Reason.PENDING
    return Reason.CHOICE_DENIES
