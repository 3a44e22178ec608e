"""Stage 3: the provider's own reading of a message, which is never weaker than ours."""

from dataclasses import replace

from gateway.keywords.reading import Band, Reach, Reading, ReadingClass
from gateway.keywords.rules import Rule

VERDICT_STAGE = "verdict"
# What ends messages stands against any milder verdict: providers match first words and fixed lists.
_ENDING = frozenset({ReadingClass.OPT_OUT, ReadingClass.WRONG_NUMBER, ReadingClass.REFUSAL})


def weigh(own: Reading, verdict: ReadingClass | None) -> Reading:
    """Return the reading that counts, of our own and of the provider's verdict (R33).

    An opt-out that the provider saw is certain: it has blocked the sender already. Any other verdict counts
    unless we read an end of messages ourselves. Weighed after our own stages, since only then it can be told
    which is weaker. `OTHER` says that the provider saw nothing of note, as None does.
    """
    if verdict is None or verdict is ReadingClass.OTHER:
        return own
    if verdict is not ReadingClass.OPT_OUT and _stands(own, verdict):
        return replace(own, stages=(*own.stages[:-1], VERDICT_STAGE, *own.stages[-1:]))
    stages = (*own.stages, VERDICT_STAGE)
    if own.klass is not verdict:
        return Reading(verdict, rule=Rule.PROVIDER_VERDICT, stages=stages)
    agreed = replace(own, band=Band.CERTAIN, rule=Rule.PROVIDER_VERDICT, stages=stages)
    if agreed.klass is ReadingClass.OPT_OUT and agreed.reach is Reach.NAMED:
        # The provider has blocked the whole sender, whichever program was named.
        return replace(agreed, reach=Reach.DEFAULT, program=None)
    return agreed


def _stands(own: Reading, verdict: ReadingClass) -> bool:
    if own.klass in _ENDING:
        return True
    # The provider knows of no double opt-in: for it, the confirming word is an opt-in.
    return verdict is ReadingClass.OPT_IN and own.klass is ReadingClass.OPT_IN_CONFIRM
