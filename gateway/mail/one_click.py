"""What a POST to an unsubscribe link asks for, told from its body alone. No user agent is looked at.

Every way of writing the pair counts, since a missed one is a person who goes on getting mail. Returning is
read strictly: only our own page's form asks for it.
"""

import re
from enum import StrEnum
from itertools import pairwise
from urllib.parse import unquote_to_bytes

RAW_BODY_LIMIT = 4096  # octets up to which the pair is looked for whatever the content type says

_PAIR_BODY = b"List-Unsubscribe=One-Click"
_URLENCODED = "application/x-www-form-urlencoded"
_FORMS = frozenset({_URLENCODED, "multipart/form-data"})
_PAIR = re.compile(rb"(?<![\w-])list-unsubscribe=one-click(?![\w-])")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_PART_NAME = re.compile(rb"[;\s]name=\"?list-unsubscribe(?![\w-])")
_PART_VALUE = re.compile(rb"one-click(?![\w-])")


class PostKind(StrEnum):
    """What a POST asks for. All but `UNDO` unsubscribe; `BARE` only where the operator's setting says so."""

    PAIR = "pair"  # a mail client's one-click, RFC 8058 section 3.2
    CONFIRM = "confirm"  # the button of our page
    UNDO = "undo"  # the button of our page that takes it back
    BARE = "bare_post"  # an empty body, or one without any of these


_BUTTONS = ((b"confirm=1", PostKind.CONFIRM), (b"undo=1", PostKind.UNDO))


def read_post(content_type: str | None, body: bytes) -> PostKind:
    """Return what the body asks for; where it says several things, the first in the order of `PostKind`.

    Linear in the body, which the caller bounds. The pair is found in both encodings of RFC 8058 section 3.2,
    in any case, among other pairs; and in a short body also without a form parser's help, since the multipart
    example of section 8.3 as printed, before its errata, yields no field to one.
    """
    if body == _PAIR_BODY:
        return PostKind.PAIR
    media = (content_type or "").partition(";")[0].strip().lower()
    if (media in _FORMS or len(body) < RAW_BODY_LIMIT) and _has_pair(body):
        return PostKind.PAIR
    return _button(body) if media == _URLENCODED else PostKind.BARE


def _has_pair(body: bytes) -> bool:
    text = unquote_to_bytes(body) if b"%" in body else body
    return _PAIR.search(text.lower()) is not None or _has_part(body.lower())


def _has_part(text: bytes) -> bool:
    """Look for a multipart field by its own header lines, as the boundary may be declared wrongly."""
    blocks = _BLANK_LINE.split(text)
    return any(
        _PART_NAME.search(head) and _PART_VALUE.match(rest.lstrip()) for head, rest in pairwise(blocks)
    )


def _button(body: bytes) -> PostKind:
    fields = {pair.strip() for pair in body.split(b"&")}
    return next((kind for pair, kind in _BUTTONS if pair in fields), PostKind.BARE)
