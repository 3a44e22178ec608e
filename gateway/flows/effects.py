"""What a reading does at a desk: the choice that is recorded, its scope, and the reply that is due."""

from gateway.consent import scope
from gateway.consent.choice import Choice
from gateway.flows.replies import ReplyKey
from gateway.keywords.reading import Band, Reading, ReadingClass
from gateway.programs import Desk

_CHOICES = {
    ReadingClass.OPT_OUT: Choice.NO,
    ReadingClass.OPT_IN: Choice.YES,
    ReadingClass.OPT_IN_CONFIRM: Choice.YES,
    ReadingClass.WRONG_NUMBER: Choice.NO,
    ReadingClass.REFUSAL: Choice.NO,
}
_REPLIES = {
    ReadingClass.OPT_OUT: ReplyKey.OPT_OUT,
    ReadingClass.OPT_IN: ReplyKey.OPT_IN,
    ReadingClass.OPT_IN_CONFIRM: ReplyKey.OPT_IN,
    ReadingClass.HELP: ReplyKey.HELP,
    ReadingClass.REFUSAL: ReplyKey.OPT_OUT,
}


def choice_of(reading: Reading, desk: Desk) -> Choice | None:
    """Return the choice that is recorded, None for none."""
    if reading.band is Band.UNCLEAR or (reading.klass is ReadingClass.REFUSAL and not desk.ends_on_refusal):
        return None
    return _CHOICES.get(reading.klass)


def scope_of(choice: Choice | None, reading: Reading, desk: Desk) -> str:
    """Return what the choice covers, "" for no choice."""
    if choice is None:
        return ""
    if reading.klass is ReadingClass.WRONG_NUMBER:
        return scope.ALL  # whoever has the number now never joined anything
    return desk.scope_of_opt_out(reading) if choice is Choice.NO else desk.scope_of_opt_in(reading)


def reply_key_of(reading: Reading, desk: Desk) -> ReplyKey | None:
    """Return the reply that is due, None for none."""
    if reading.band is Band.UNCLEAR:
        return ReplyKey.CLARIFY if desk.asks else None
    if reading.klass is ReadingClass.REFUSAL and not desk.ends_on_refusal:
        return None
    return _REPLIES.get(reading.klass)
