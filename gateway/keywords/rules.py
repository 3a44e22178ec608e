"""Names and versions of the rules, as the ledger keeps them.

A rule's version goes up with every change after which some text gets another reading by that rule, a change
of its words in `languages/` included. Old names stay in old events: an event tells what was decided then.
"""

from enum import StrEnum


class Rule(StrEnum):
    """The rule that made a reading."""

    NONE = "none"  # no rule fired
    KEYWORD = "keyword@1"  # the whole message is one keyword (R4, R5, R6)
    KEYWORD_LOOSE = "keyword_loose@1"  # with fillers, repeats or stretched letters only (R13)
    KEYWORD_PROGRAM = "keyword_program@1"  # with the word of a program: "STOP OFFERS" (R12)
    KEYWORDS_MIXED = "keywords_mixed@1"  # a keyword of help beside another one: "stop help"
    BOTH_DIRECTIONS = "both_directions@1"  # "START not STOP", "don't stop" (R9)
    PROVIDER_VERDICT = "provider_verdict@1"  # the provider has read it, and so acted (R33)
