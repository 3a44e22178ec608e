"""The two ends of a message as providers write them: with a plus or without, short codes, names."""

import re

from gateway.consent.address import Address, AddressError, Channel, normal_sender

# A plus that nobody encoded arrives as a blank; 00 is the international prefix of ITU-T E.123.
_PHONE_NUMBER = re.compile(r"(?: ?\+|00| )?[1-9][0-9]{6,14}", re.ASCII)


def business_end(text: str) -> str:
    """Return the business's end in normal form: E.164 for 7 to 15 digits, else upper-case text.

    Short codes (3 to 6 digits), national forms and alphanumeric ids get no plus: it would break them.
    """
    return normal_sender(text)


def person(text: str, channel: Channel = Channel.SMS) -> Address | None:
    """Return the person's address; None for short codes, national forms and alphanumeric ids.

    An alphanumeric id may hold a plus and look like a number with letters in it. WhatsApp has ids of its own
    beside numbers.
    """
    if channel is Channel.SMS and not _PHONE_NUMBER.fullmatch(text.rstrip()):
        return None
    try:
        return Address.parse(channel, text)
    except AddressError:
        return None
