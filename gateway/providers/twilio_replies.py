"""Who answers STOP, START and HELP at Twilio: Twilio, the toll-free network, or we.

Sources: Twilio, "Opt-out keywords (SMS STOP filtering)", "Opt-out keyword handling for Toll-Free SMS",
"Advanced Opt-Out", "Unified opt-outs across RCS, SMS and MMS".
"""

import re
from collections.abc import Mapping
from enum import Enum

from gateway.providers.base import InboundMessage, ProviderReplies
from gateway.providers.provider_replies import is_toll_free, network_answers, whole_word


class SenderKind(Enum):
    """What the business's end is to Twilio, which decides who answers a keyword."""

    LONG_CODE = "long_code"
    TOLL_FREE = "toll_free"
    SHORT_CODE = "short_code"
    RCS = "rcs"
    WHATSAPP = "whatsapp"
    OTHER = "other"


_OPT_OUT_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_DEFAULT_WORDS = _OPT_OUT_WORDS | {"START", "YES", "UNSTOP", "HELP", "INFO"}
_NO_WORDS: frozenset[str] = frozenset()

# Words, as the whole message, that Twilio's default handling answers unmarked. Everything else is ours to
# answer, "Stop." and "stop please" included: there Twilio neither replies nor blocks.
_ANSWERED_BY_DEFAULT: Mapping[SenderKind, frozenset[str]] = {
    SenderKind.LONG_CODE: _DEFAULT_WORDS,
    SenderKind.TOLL_FREE: _DEFAULT_WORDS,
    # Opt-outs by RCS block since March 2026, so that an answer of ours would be refused (21610).
    SenderKind.RCS: _OPT_OUT_WORDS,
    # Short codes and WhatsApp have Advanced Opt-Out, which marks the message, or nothing.
    SenderKind.SHORT_CODE: _NO_WORDS,
    SenderKind.WHATSAPP: _NO_WORDS,
    SenderKind.OTHER: _NO_WORDS,
}
_KIND_BY_PREFIX = {"rcs": SenderKind.RCS, "whatsapp": SenderKind.WHATSAPP}
_SHORT_CODE = re.compile(r"[0-9]{3,6}", re.ASCII)


def answered(message: InboundMessage, replies: ProviderReplies) -> bool:
    """Tell whether the person gets an answer without us, under the sender's setting `replies`.

    A marked message (`OptOutType`) is always answered. Otherwise the table speaks: it knows words, not readings.
    """
    if message.provider_replied:
        return True
    kind = sender_kind(message)
    if kind is SenderKind.TOLL_FREE and network_answers(message):
        return True
    return replies is ProviderReplies.AUTO and whole_word(message.text) in _ANSWERED_BY_DEFAULT[kind]


def sender_kind(message: InboundMessage) -> SenderKind:
    """Return what the message was written to, by its prefix, then by the form of its number."""
    kind = _KIND_BY_PREFIX.get(message.origin.partition(":")[0].lower())
    if kind is not None:
        return kind
    if is_toll_free(message.sender):
        return SenderKind.TOLL_FREE
    if message.sender.startswith("+"):
        return SenderKind.LONG_CODE
    return SenderKind.SHORT_CODE if _SHORT_CODE.fullmatch(message.sender) else SenderKind.OTHER
