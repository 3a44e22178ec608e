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
    KEYWORD_SENTENCE = "keyword_sentence@1"  # one sentence of several is a keyword: "STOP! I told you"
    ECHO = "echo@1"  # our instruction repeated: "reply STOP to end" (R11)
    TYPO = "typo@1"  # one slip away from a keyword (R23)
    PHRASE = "phrase@1"  # free text that names messages, lists or numbers (R17)
    PHRASE_REPLY = "phrase_reply@1"  # free text that says it only as a reply to advertising
    WRONG_NUMBER = "wrong_number@1"  # the person never was ours to write to (R21)
    REFUSAL = "refusal@1"  # hostile, without naming messages (R22)
    OTHER_CHANNEL = "other_channel@1"  # about e-mail or calls (R19)
    GUARDED = "guarded@1"  # a phrase that a guard held back (R18 to R20)
    REACTION = "reaction@1"  # "Liked ..." (R15)
    AUTO_REPLY = "auto_reply@1"  # a device answered (R16)
