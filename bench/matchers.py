"""How others recognise an opt-out: five matchers as their makers document them, to compare ours with.

Each is given the best of its documented behaviour: blanks around the message and the case never count.
"""

import re
from collections.abc import Callable, Mapping

Matcher = Callable[[str], bool]

# https://help.twilio.com/articles/223134027: a single word, alone in the message.
_TWILIO = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
# Salesforce help, "Opt-Out Keywords" of Marketing Cloud Next: the token before the first space.
_SALESFORCE = frozenset({"stop", "quit", "cancel", "end", "unsubscribe"})
# Klaviyo help, "SMS compliance keywords": contained as a word, which for STOP and numbers of the US is fixed.
_STOP = re.compile(r"\bstop\b", re.IGNORECASE)
_KLAVIYO = re.compile(r"\b(?:stop|quit|end|cancel)\b", re.IGNORECASE)
# Braze docs, "Fuzzy opt-out": a keyword as a run of letters anywhere, as in "Please stopppp".
_BRAZE = re.compile("stop|unsubscribe|cancel|end|quit", re.IGNORECASE)


def exact(text: str) -> bool:
    """Tell whether the message is one of Twilio's keywords."""
    return text.strip().lower() in _TWILIO


def first_token(text: str) -> bool:
    """Tell whether the message begins with one of Salesforce's keywords."""
    return text.strip().lower().partition(" ")[0] in _SALESFORCE


def contains_stop(text: str) -> bool:
    """Tell whether STOP is a word of the message."""
    return _STOP.search(text) is not None


def contains_any(text: str) -> bool:
    """Tell whether one of Klaviyo's keywords is a word of the message."""
    return _KLAVIYO.search(text) is not None


def letter_run(text: str) -> bool:
    """Tell whether one of Braze's keywords occurs in the letters of the message."""
    return _BRAZE.search(text) is not None


MATCHERS: Mapping[str, Matcher] = {
    "exact (Twilio)": exact,
    "first token (Salesforce)": first_token,
    "contains STOP (Klaviyo, US)": contains_stop,
    "contains any word (Klaviyo)": contains_any,
    "letter run (Braze)": letter_run,
}
