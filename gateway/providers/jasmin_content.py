"""The content of an SMS as SMPP carries it: octets, and a number that says how to read them.

Sources: SMPP 3.4 section 5.2.19 (data_coding); 3GPP TS 23.038 section 4 (message classes).
"""

import re
from enum import StrEnum

from gateway.errors import CallerError
from gateway.providers import gsm


class Alphabet(StrEnum):
    """What a message centre takes coding 0 for."""

    GSM = "gsm"
    LATIN_1 = "latin-1"
    UTF_8 = "utf-8"


_DEFAULT, _UCS2 = 0, 8
# 2 and 4 are octets of no stated sense, in practice Latin-1: a STOP must not be lost for that.
_ENCODINGS = {
    1: "ascii",
    2: "latin-1",
    3: "latin-1",
    4: "latin-1",
    5: "shift_jis",
    6: "iso8859-5",
    7: "iso8859-8",
    8: "utf-16-be",
    10: "iso2022_jp",
    13: "euc_jp",
    14: "euc_kr",
}
_CODING = re.compile(r"[0-9]{1,3}", re.ASCII)
_MESSAGE_CLASSES = range(0xF0, 0x100)
_EIGHT_BIT = 0x04


def octets(binary: str, content: bytes) -> bytes:
    """Return the octets: from the hex of `binary`, or from the content where Jasmin is too old to send that."""
    if not binary:
        return content
    try:
        return bytes.fromhex(binary)
    except ValueError:
        raise CallerError("binary is no hex") from None


def decode(content: bytes, coding: str, alphabet: Alphabet) -> str:
    """Return the text; raise `CallerError` for an unknown coding. What does not fit becomes U+FFFD."""
    number = _number(coding)
    if number in _MESSAGE_CLASSES:
        number = 4 if number & _EIGHT_BIT else _DEFAULT
    if number == _DEFAULT:
        return _default(content, alphabet)
    if number not in _ENCODINGS:
        raise CallerError(f"coding {number} is unknown")
    return content.decode(_ENCODINGS[number], "replace")


def encode(text: str, alphabet: Alphabet) -> tuple[int, bytes]:
    """Return coding and octets: the default alphabet where it holds the text, else UTF-16."""
    content = gsm.encode(text) if alphabet is Alphabet.GSM else _encoded(text, alphabet)
    if content is None:
        return _UCS2, text.encode("utf-16-be", "replace")
    return _DEFAULT, content


def _number(coding: str) -> int:
    if not coding:
        return _DEFAULT
    if not _CODING.fullmatch(coding):
        raise CallerError("coding is no number")
    return int(coding)


def _default(content: bytes, alphabet: Alphabet) -> str:
    if alphabet is Alphabet.LATIN_1:
        return content.decode("latin-1")
    try:
        return gsm.decode(content) if alphabet is Alphabet.GSM else content.decode("utf-8")
    except ValueError:
        return _guessed(content)


def _guessed(content: bytes) -> str:
    """Read what a misconfigured message centre sent: text in UTF-8 is hardly ever anything else."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _encoded(text: str, alphabet: Alphabet) -> bytes | None:
    try:
        return text.encode(alphabet)
    except UnicodeEncodeError:
        return None
