"""What the gateway answers: the program's own wording, else that of the keyword's language.

A confirmation of an opt-out only confirms: it names the program, says that no more messages come and how to
return, and holds no offer (47 CFR 64.1200(a)(12)). The contents of the others are CTIA's (Short Code
Monitoring Handbook).
"""

from collections.abc import Mapping
from enum import StrEnum

from gateway.consent.person import QUESTION
from gateway.keywords.texts import TextKey
from gateway.programs import Desk
from gateway.settings import ProgramSettings


class ReplyKey(StrEnum):
    """The replies there are."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    OPT_IN_PENDING = "opt_in_pending"
    HELP = "help"
    CLARIFY = QUESTION


# A sender that no program names has no name or contact to give.
_NAMELESS = {
    ReplyKey.OPT_OUT: TextKey.OPT_OUT_NAMELESS,
    ReplyKey.CLARIFY: TextKey.CLARIFY_NAMELESS,
}


def reply_text(desk: Desk, key: ReplyKey, *, language: str, program: str | None = None) -> str | None:
    """Return the text for a message to this desk, None when there is nothing to say.

    `program` narrows to the one that the person named; `language` is that of the keyword (R29).
    """
    programs = desk.programs
    if program is not None and program in programs:
        programs = {program: programs[program]}
    if not programs:
        nameless = _NAMELESS.get(key)
        return desk.texts.find(nameless, (language,)) if nameless else None
    first = next(iter(programs.values()))
    own: str | None = getattr(first.texts, key)
    text = own or desk.texts.find(TextKey(key), (language, *first.languages))
    return text.format_map(_values(programs, first)).strip()


def _values(programs: Mapping[str, ProgramSettings], first: ProgramSettings) -> dict[str, str]:
    return {
        "name": ", ".join(program.name for program in programs.values()),
        "contact": first.contact or "",
        "frequency": first.frequency,
        "rates": first.rates_note,
    }
