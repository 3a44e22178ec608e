"""Who answers STOP, START and HELP: the provider, the toll-free network, or we.

Sources: Twilio, "Opt-out keyword handling for Toll-Free SMS"; Bandwidth and Sinch, on toll-free numbers.
"""

import re

from gateway.consent.address import Channel, normal_sender
from gateway.providers.account import AccountSettings
from gateway.providers.base import InboundMessage, ProviderReplies

# The toll-free network blocks and replies ("NETWORK MSG: ...") below every provider: no setting turns that off.
_NETWORK_WORDS = frozenset({"STOP", "START", "UNSTOP"})
_TOLL_FREE = re.compile(r"\+1(?:800|833|844|855|866|877|888)[0-9]{7}", re.ASCII)


class SenderReplies:
    """The setting `provider_replies` of an account, with its exceptions for single senders."""

    __slots__ = ("_account", "_overrides")

    def __init__(self, settings: AccountSettings) -> None:
        self._account = settings.provider_replies
        self._overrides = {
            normal_sender(key): sender.provider_replies
            for key, sender in settings.senders.items()
            if sender.provider_replies is not None
        }

    def of(self, sender: str) -> ProviderReplies:
        """Return what is set for a sender, given in its normal form."""
        return self._overrides.get(sender, self._account)


def answered(message: InboundMessage, replies: ProviderReplies, words: frozenset[str] = frozenset()) -> bool:
    """Tell whether the person gets an answer without us.

    `words`: what the provider answers unmarked, as the whole message, under `auto`; upper case.
    """
    if message.provider_replied or network_answers(message):
        return True
    return replies is ProviderReplies.AUTO and whole_word(message.text) in words


def network_answers(message: InboundMessage) -> bool:
    """Tell whether the toll-free network answers this message, whatever the provider does."""
    is_sms = message.address is None or message.address.channel is Channel.SMS
    return is_sms and whole_word(message.text) in _NETWORK_WORDS and is_toll_free(message.sender)


def is_toll_free(sender: str) -> bool:
    """Tell whether a sender is a North American toll-free number."""
    return _TOLL_FREE.fullmatch(sender) is not None


def whole_word(text: str) -> str:
    """Return the text as providers compare it with their keywords: trimmed, in upper case; "" beyond ASCII.

    Python's upper case would turn a long s or a ligature into the letters of STOP, theirs does not.
    """
    return text.strip(" \t\r\n").upper() if text.isascii() else ""
