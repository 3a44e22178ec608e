"""The links as the web sees them: a token opens, a POST is staged, its answer waits for the commit."""

import time
from typing import TYPE_CHECKING

from gateway.flows.unsubscribe import Unsubscribes, Visit
from gateway.house import House
from gateway.mail.one_click import PostKind
from gateway.mail.tokens import LinkGrant, LinkPurpose
from gateway.providers.base import Answer
from gateway.settings import EmptyPost
from gateway.store.group import Ticket
from gateway.store.ledger import now_microseconds
from gateway.web.answers import Conclude
from gateway.web.wire import client_ip

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# RFC 8058 section 3.1: no redirect, no cookie; a small body for whoever looks.
_DONE = Answer(200, "text/plain; charset=utf-8", b"Unsubscribed.\n", (("Cache-Control", "no-store"),))
_USER_AGENT_LENGTH = 300


class LinkDesk:
    """Opens tokens and stages what their links ask for."""

    def __init__(self, house: House) -> None:
        self._links = house.links
        self._unsubscribes = Unsubscribes(house.recorder, house.keys.subject)
        self._trusted_proxies = house.settings.server.trusted_proxies
        self.asks_on_empty_post = house.settings.mail.empty_post is EmptyPost.PAGE

    def open(self, token: str) -> LinkGrant:
        """Return what the token grants; raise `BadTokenError`, the same for every bad one."""
        return self._links.open(token, LinkPurpose.UNSUBSCRIBE, now=int(time.time()))

    def stage(self, grant: LinkGrant, kind: PostKind, token: str, environ: "WSGIEnvironment") -> Ticket:
        """Stage the POST with its evidence."""
        visit = Visit(
            token=token,
            ip=client_ip(environ, self._trusted_proxies),
            user_agent=environ.get("HTTP_USER_AGENT", "")[:_USER_AGENT_LENGTH],
            received_at=now_microseconds(),
        )
        return self._unsubscribes.stage(grant, kind, visit)

    @staticmethod
    def conclude(ticket: Ticket) -> Conclude:
        """Return the mail client's answer, the same for the first POST and for every repeat."""

        def answer() -> Answer:
            ticket.outcome()
            return _DONE

        return answer
