"""The GSM 7 bit default alphabet with its extension table, one septet an octet, as SMPP carries it.

Source: 3GPP TS 23.038 section 6.2.1. National language tables are not used over SMPP.
"""

_ESCAPE = 0x1B
_BLANK = " "
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_SEPTETS = {character: bytes([code]) for code, character in enumerate(_BASIC) if code != _ESCAPE} | {
    character: bytes([_ESCAPE, code]) for code, character in _EXTENSION.items()
}


def decode(octets: bytes) -> str:
    """Return the text of unpacked septets; raise `ValueError` for an octet beyond the alphabet's 128.

    After an escape a code outside the extension table stands for its character of the basic table, and
    another escape for a blank.
    """
    if octets and max(octets) >= len(_BASIC):
        raise ValueError("not in the GSM default alphabet")
    pieces = iter(octets)
    return "".join([_extended(next(pieces, _ESCAPE)) if code == _ESCAPE else _BASIC[code] for code in pieces])


def encode(text: str) -> bytes | None:
    """Return the text as unpacked septets, None when a character is not in the alphabet."""
    try:
        return b"".join([_SEPTETS[character] for character in text])
    except KeyError:
        return None


def _extended(code: int) -> str:
    return _BLANK if code == _ESCAPE else _EXTENSION.get(code, _BASIC[code])
