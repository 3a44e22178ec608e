"""Renders the public pages. A Jinja environment of our own: some pages are made after the request is gone."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.providers.base import Answer
from gateway.web.unsubscribe_page import PAGE_HEADERS, UnsubscribePage

# Relative to /u/<token>, so that it is right behind any path prefix of a proxy.
_STYLESHEET = "../static/unsubscribe.css"


def unsubscribe_page(page: UnsubscribePage, *, status: int = 200) -> Answer:
    """Return the page as an answer."""
    body = _environment().get_template("unsubscribe.html").render(page=page, stylesheet=_STYLESHEET)
    return Answer(status, "text/html; charset=utf-8", body.encode(), PAGE_HEADERS)


@cache
def _environment() -> Environment:
    loader = PackageLoader("gateway.web", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
