"""What the gateway answers. The contents are CTIA's (Short Code Monitoring Handbook) and the FCC's.

A confirmation of an opt-out only confirms: it names the program, says that no more messages come and how to
return, and holds no offer (47 CFR 64.1200(a)(12)).
"""

from collections.abc import Mapping
from enum import StrEnum

from gateway.programs import Desk
from gateway.settings import ProgramSettings


class ReplyKey(StrEnum):
    """The texts there are."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    OPT_IN_PENDING = "opt_in_pending"
    HELP = "help"


_TEXTS = {
    "en": {
        ReplyKey.OPT_OUT: "{name}: you are unsubscribed and will get no more messages. Reply START to return. Help: {contact}",
        ReplyKey.OPT_IN: "{name}: you are subscribed. {frequency} {rates} Reply HELP for help, STOP to end.",
        ReplyKey.OPT_IN_PENDING: "{name}: reply YES to confirm that you want our messages. {frequency} {rates} Reply HELP for help, STOP to end.",
        ReplyKey.HELP: "{name}: help at {contact}. {frequency} {rates} Reply STOP to end.",
    }
}
_DEFAULT_LANGUAGE = "en"
# A sender that no program names has no name or contact to give.
_NAMELESS = {
    ReplyKey.OPT_OUT: "You are unsubscribed and will get no more messages. Reply START to return.",
}


def reply_text(desk: Desk, key: ReplyKey, *, language: str, program: str | None = None) -> str | None:
    """Return the text for a message to this desk, None when there is nothing to say.

    `program` narrows to the one that the person named; `language` is that of the keyword.
    """
    programs = desk.programs
    if program is not None and program in programs:
        programs = {program: programs[program]}
    if not programs:
        return _NAMELESS.get(key)
    first = next(iter(programs.values()))
    own: str | None = getattr(first.texts, key)
    texts = _TEXTS.get(language or first.languages[0], _TEXTS[_DEFAULT_LANGUAGE])
    return (own or texts[key]).format_map(_values(programs, first)).strip()


def _values(programs: Mapping[str, ProgramSettings], first: ProgramSettings) -> dict[str, str]:
    return {
        "name": ", ".join(program.name for program in programs.values()),
        "contact": first.contact or "",
        "frequency": first.frequency,
        "rates": first.rates_note,
    }
