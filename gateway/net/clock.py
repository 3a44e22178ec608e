"""The time for requests that are signed with it, which only the moment of the call knows."""

from email.utils import formatdate


def http_date() -> str:
    """Return the present moment as RFC 9110 section 5.6.7 writes it: `Thu, 10 Aug 2023 12:39:55 GMT`."""
    return formatdate(usegmt=True)
