"""What the interpreter makes of a text."""

from dataclasses import dataclass
from enum import StrEnum


class ReadingClass(StrEnum):
    """What a message means for consent."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    OPT_IN_CONFIRM = "opt_in_confirm"
    HELP = "help"
    WRONG_NUMBER = "wrong_number"
    REFUSAL = "refusal"
    REACTION = "reaction"
    AUTO_REPLY = "auto_reply"
    OTHER = "other"


class Band(StrEnum):
    """How sure a reading is, and so what is done: act; act and say how to return; ask once."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    UNCLEAR = "unclear"


class Reach(StrEnum):
    """How far the words themselves reach, before a program's settings turn it into a scope."""

    DEFAULT = "default"  # the program's own setting decides
    ALL = "all"  # "STOP ALL": every program
    MARKETING = "marketing"  # "stop the promos but keep my order texts": advertising only
    NAMED = "named"  # "STOP OFFERS": the program in `Reading.program`


@dataclass(frozen=True, slots=True)
class Reading:
    """Class, reach, confidence and the evidence for them. Same text and context, same reading."""

    klass: ReadingClass
    band: Band = Band.CERTAIN
    reach: Reach = Reach.DEFAULT
    program: str | None = None
    rule: str = "none"  # name and version of the rule that fired: "keyword@1"
    language: str = ""  # language of the word that decided; "" when none did
    keyword: str = ""  # the keyword in its canonical form, or the phrase or guard as its file has it
    span: tuple[int, int] | None = None  # code points of the raw text that decided
    stages: tuple[str, ...] = ()  # stages passed, in order; the last one decided


@dataclass(frozen=True, slots=True)
class Context:
    """Everything besides the text that a reading may depend on. No clock, no I/O."""

    verdict: ReadingClass | None = None  # the provider's own reading, where it tells one
    pending_opt_in: bool = False  # a double opt-in waits for the person's confirming word
    marketing: bool = False  # our last message was advertising, and recent
    last_sent: str = ""  # the text of our last message
