"""The choice values of XDM's consent schema, and what each does to a decision."""

from dataclasses import dataclass
from enum import StrEnum


class Choice(StrEnum):
    """XDM `val` of a consent: adobe/xdm, components/datatypes/consent/consent-preferences."""

    YES = "y"
    NO = "n"
    PENDING = "p"
    UNKNOWN = "u"
    DEFAULT_YES = "dy"
    DEFAULT_NO = "dn"
    LEGITIMATE_INTEREST = "LI"
    CONTRACT = "CT"
    COMPLIANCE = "CP"
    VITAL_INTEREST = "VI"
    PUBLIC_INTEREST = "PI"


class Purpose(StrEnum):
    """What the messages of a program are for."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a choice does: whom it lets through, and how it ranks against others.

    `weight` below 100: assigned by us (a default, a legal basis); from 100: said by the person. A person's
    word is never displaced by an assigned value, however new. Among equals in time the heavier one wins,
    and the more restrictive is the heavier.
    """

    marketing: bool
    transactional: bool
    weight: int


EFFECTS: dict[Choice, Effect] = {
    Choice.NO: Effect(marketing=False, transactional=False, weight=109),
    Choice.PENDING: Effect(marketing=False, transactional=True, weight=105),
    Choice.YES: Effect(marketing=True, transactional=True, weight=101),
    Choice.DEFAULT_NO: Effect(marketing=False, transactional=False, weight=9),
    Choice.UNKNOWN: Effect(marketing=False, transactional=True, weight=8),
    # A contract, a legal duty, a vital or public interest is a reason to inform, none to advertise.
    Choice.CONTRACT: Effect(marketing=False, transactional=True, weight=7),
    Choice.COMPLIANCE: Effect(marketing=False, transactional=True, weight=6),
    Choice.VITAL_INTEREST: Effect(marketing=False, transactional=True, weight=5),
    Choice.PUBLIC_INTEREST: Effect(marketing=False, transactional=True, weight=4),
    # GDPR recital 47: direct marketing may rest on a legitimate interest, until the person objects.
    Choice.LEGITIMATE_INTEREST: Effect(marketing=True, transactional=True, weight=3),
    Choice.DEFAULT_YES: Effect(marketing=True, transactional=True, weight=2),
}

WORD_WEIGHT = 100


def allows(choice: Choice, purpose: Purpose) -> bool:
    """Tell whether the choice lets a message of this purpose through."""
    effect = EFFECTS[choice]
    return effect.marketing if purpose is Purpose.MARKETING else effect.transactional
