"""Where a person is reached, in one normal form per channel, and the subject key that stands for it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from gateway.errors import CallerError

SUBJECT_BYTES = 16


class Channel(StrEnum):
    """Channels on which consent is kept: XDM's marketing channels. `sms` holds SMS, MMS and RCS."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    EMAIL = "email"
    PUSH = "push"
    CALL = "call"
    FAX = "fax"
    POSTAL = "postal"


_PHONE_CHANNELS = frozenset({Channel.SMS, Channel.WHATSAPP, Channel.CALL, Channel.FAX})
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_BARE_E164 = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)
_PLAIN_MAILBOX = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)
_WRITTEN_PHONE = re.compile(r"[+(]?[0-9][0-9 ().\-/\u00a0]{5,40}")
# WhatsApp's business-scoped user id: country, dot, opaque part.
_WHATSAPP_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")
_OPAQUE = re.compile(r"[\x21-\x7e]{1,256}")
_MAX_MAILBOX = 254


class AddressError(CallerError):
    """The value is no address of its channel."""


@dataclass(frozen=True, slots=True)
class Address:
    """A normalised address. Build it with `Address.parse`, never from foreign text directly."""

    channel: Channel
    value: str

    @classmethod
    def parse(cls, channel: Channel, value: str) -> "Address":
        """Return the normal form of `value` on `channel`.

        Phone channels take E.164 with or without the plus and with the usual separators; mailboxes are
        folded to lower case with an ASCII domain. Raises `AddressError`, whose message has no personal data.
        """
        if channel in _PHONE_CHANNELS:
            return cls(channel, _phone(channel, value))
        if channel is Channel.EMAIL:
            return cls(channel, _mailbox(value))
        if not _OPAQUE.fullmatch(value):
            raise AddressError(f"not an id for {channel}: 1 to 256 printable ASCII characters without blanks")
        return cls(channel, value)


def subject_of(address: Address, key: bytes) -> bytes:
    """Return the 16-byte keyed hash that stands for the address in every table.

    `key` has 16 to 64 bytes and must never change over the life of a database.
    """
    text = f"{address.channel}\0{address.value}".encode()
    return blake2b(text, digest_size=SUBJECT_BYTES, key=key, person=b"subject").digest()


def normal_sender(value: str) -> str:
    """Return the business's end in normal form: E.164 for long numbers, else trimmed upper-case text.

    Short codes (3 to 6 digits) and alphanumeric senders stay as they are: adding a plus would break them.
    """
    text = value.strip()
    if _E164.fullmatch(text):
        return text
    if _BARE_E164.fullmatch(text):
        return "+" + text
    return text.upper()


def _phone(channel: Channel, value: str) -> str:
    if _E164.fullmatch(value):
        return value
    text = value.strip()
    if _BARE_E164.fullmatch(text):
        return "+" + text
    if channel is Channel.WHATSAPP and _WHATSAPP_ID.fullmatch(text):
        return text
    return _written_phone(channel, text)


def _written_phone(channel: Channel, text: str) -> str:
    """Read a number as people write it: separators, 00 for the plus, a trunk zero in brackets."""
    if not _WRITTEN_PHONE.fullmatch(text):
        # The parser would read letters as the digits of a keypad, and skip what stands before a plus.
        raise AddressError(f"not an address for {channel}: give the number in E.164, like +15550100123")
    international = "+" + text[2:] if text.startswith("00") else text
    try:
        number = phonenumbers.parse(international, None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or number.extension is not None:
        raise AddressError(f"not an address for {channel}: give the number in E.164, like +15550100123")
    written = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    if not _E164.fullmatch(written):
        raise AddressError(f"not an address for {channel}: give the number in E.164, like +15550100123")
    return written


def _mailbox(value: str) -> str:
    text = value.strip()
    lower = text.lower()
    if len(lower) <= _MAX_MAILBOX and _PLAIN_MAILBOX.fullmatch(lower):
        return lower
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError:
        raise AddressError("not a mailbox: give it as local-part@domain") from None
    return f"{found.local_part.lower()}@{found.ascii_domain or found.domain}"
