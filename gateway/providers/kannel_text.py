"""What Kannel sends, still as octets, and the character sets in which a text may be.

Sources: Kannel, "User's guide" (escapes of `get-url`) and `gw/smsbox.c`: `%b` is the text as Kannel holds it, `%C`
its character set and `%c` its coding (0 GSM 7 bit, 1 octets, 2 UCS-2); by `post-url` both stand in headers.
"""

from dataclasses import dataclass
from email.message import Message

from gateway.providers.base import WebhookRequest
from gateway.providers.payload import clean, read_query

# Each octet as one character, until the character set is known.
_OCTETS = "latin-1"
_BINARY, _UCS2 = "1", "2"

# By name, never by what the request asks for: some codecs of Python are no character sets. "GSM" is missing: Kannel
# says so of text that it holds in a character set of computers.
_CHARACTER_SETS = {
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "US-ASCII": "ascii",
    "ASCII": "ascii",
    "ISO-8859-1": "latin-1",
    "LATIN1": "latin-1",
    "ISO-8859-15": "iso8859-15",
    "WINDOWS-1252": "cp1252",
    "CP1252": "cp1252",
    "UTF-16BE": "utf-16-be",
    "UCS-2": "utf-16-be",
    "UCS-2BE": "utf-16-be",
    "ISO-10646-UCS-2": "utf-16-be",
    "UTF-16": "utf-16",
    "UTF-16LE": "utf-16-le",
}


@dataclass(frozen=True, slots=True)
class Fields:
    """A message, each part "" where it is absent."""

    message_id: str
    origin: str  # the person's end
    sender: str  # the business's end
    time: str
    smsc: str
    coding: str
    charset: str
    text: bytes


def read(request: WebhookRequest) -> Fields:
    """Return what the URL tells, and for POST the headers and the body."""
    query, is_post = read_query(request.url, _OCTETS), request.method == "POST"

    def value(name: str, header: str = "") -> str:
        written = query.get(name, "") or (request.headers.get(header, "") if is_post else "")
        return clean(written.encode(_OCTETS, "replace").decode("utf-8", "replace")).strip()

    return Fields(
        message_id=value("id"),
        origin=value("from", "x-kannel-from"),
        sender=value("to", "x-kannel-to"),
        time=value("ts", "x-kannel-time"),
        smsc=value("smsc", "x-kannel-smsc"),
        coding=value("coding", "x-kannel-coding"),
        charset=_of_content_type(request) if is_post else value("charset"),
        text=request.body if is_post else query.get("text", "").encode(_OCTETS, "replace"),
    )


def is_binary(fields: Fields) -> bool:
    """Tell whether the message is octets without a character set."""
    return fields.coding == _BINARY and not _declared(fields)


def decode(fields: Fields) -> str:
    """Return the text: in the character set that is told, else in the first that fits. Nothing is ever lost."""
    for charset in (_declared(fields), "utf-8"):
        # A part of a long message may end within a character.
        errors = "surrogatepass" if charset.startswith("utf-16") else "strict"
        try:
            if charset:
                return fields.text.decode(charset, errors)
        except UnicodeDecodeError:
            continue
    return fields.text.decode("latin-1")


def _declared(fields: Fields) -> str:
    declared = _CHARACTER_SETS.get(fields.charset.upper(), "")
    return declared or ("utf-16-be" if fields.coding == _UCS2 else "")


def _of_content_type(request: WebhookRequest) -> str:
    # RFC 9110 section 8.3.1: the parameter may be in quotes, and Kannel puts it there.
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    return header.get_content_charset("")
