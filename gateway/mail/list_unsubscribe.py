"""The two header fields that offer one-click unsubscribing (RFC 2369, RFC 8058).

Whoever puts them into a message must not fold or encode them: Python's `email` with its default policy
turns a long URI into an RFC 2047 word, which no reader takes. Use a policy with `max_line_length=998`.
A valid DKIM signature must cover both fields (RFC 8058 section 3.1).
"""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from gateway.errors import CallerError

MAX_LINE_OCTETS = 998  # RFC 5322 section 2.1.1, without the line break

_NAME = "List-Unsubscribe"
_ONE_CLICK = ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
# RFC 3986 section 2 without the comma, which parts the items of the field and naive readers split at.
_URI = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+;=-]|%[0-9A-Fa-f]{2})+", re.ASCII)
_MAILTO = re.compile(r"mailto:[^@?#]+@[^@?#]+(?:\?[^#]*)?", re.IGNORECASE)


class HeaderError(CallerError, ValueError):
    """The URIs would not make valid header fields. The message names the rule, never the URI."""


def unsubscribe_headers(
    url: str, mailto: str | None = None, *, allow_loopback: bool = False
) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the fields `List-Unsubscribe` and `List-Unsubscribe-Post`, name and value, ready to be written.

    The first holds exactly one HTTPS URI, and the mailto URI after it where one is given (RFC 8058 section
    3.1, RFC 2369 section 2: order is preference). The second is the fixed pair of RFC 8058 section 5.
    Raises `HeaderError` for any other scheme, a second URI, user info, a fragment, a comma, a line break, a
    blank, non-ASCII, or a line of more than 998 octets. `allow_loopback` lets plain HTTP to this machine
    pass, for development.
    """
    _check_url(url, allow_loopback=allow_loopback)
    value = f"<{url}>"
    if mailto is not None:
        _check_mailto(mailto)
        value = f"{value}, <{mailto}>"
    if len(_NAME) + len(": ") + len(value) > MAX_LINE_OCTETS:
        raise HeaderError(f"{_NAME} would be longer than {MAX_LINE_OCTETS} octets")
    return (_NAME, value), _ONE_CLICK


def _check_url(url: str, *, allow_loopback: bool) -> None:
    if not _URI.fullmatch(url):
        raise HeaderError("the URL must be one absolute URI in ASCII, with commas and blanks percent-encoded")
    parts = _split(url)
    if "@" in parts.netloc:
        raise HeaderError("the URL must not hold user info")
    if "#" in url:
        raise HeaderError("the URL must not hold a fragment: it would be lost in the POST")
    if parts.scheme == "https":
        return
    if not (allow_loopback and parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise HeaderError("the URL must be HTTPS (RFC 8058 section 3.1)")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise HeaderError("the URL must name a host, and a port only from 1 to 65535")
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _check_mailto(mailto: str) -> None:
    if not (_URI.fullmatch(mailto) and _MAILTO.fullmatch(mailto)):
        raise HeaderError("mailto must be one mailto:mailbox in ASCII, percent-encoded (RFC 6068)")
