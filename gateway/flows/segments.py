"""How many SMS a text needs: 3GPP TS 23.038 (GSM 7 bit default alphabet) and TS 23.040 (concatenation)."""

from gateway.providers import gsm

_GSM7_SINGLE, _GSM7_PART = 160, 153
_UCS2_SINGLE, _UCS2_PART = 70, 67


def segments(text: str) -> int:
    """Return the number of SMS that the text needs, 0 for none."""
    septets = gsm.encode(text)
    if septets is not None:
        return _count(len(septets), _GSM7_SINGLE, _GSM7_PART)
    return _count(len(text.encode("utf-16-be")) // 2, _UCS2_SINGLE, _UCS2_PART)


def _count(units: int, single: int, part: int) -> int:
    if units <= single:
        return min(units, 1)
    return -(-units // part)
