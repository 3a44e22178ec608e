"""A real server for tests, with the keys to its doors."""

import time
from collections.abc import Sequence
from contextlib import closing

from pydantic import SecretStr
from support.load import Got, Line, Message
from support.server import MASTER, Server

from gateway.consent.address import Address, Channel, subject_of
from gateway.keys import Keys
from gateway.mail.tokens import LinkGrant, LinkKey, LinkPurpose, LinkTokens
from gateway.settings import KeySettings
from gateway.store.engine import open_engine
from gateway.store.ledger import now_microseconds
from gateway.store.tokens import create_token
from gateway.web.guard import TokenScope


class Live:
    """A running server, its database seen from outside, and its credentials."""

    def __init__(self, server: Server, link_keys: Sequence[LinkKey] = ()) -> None:
        self.server = server
        self.engine = open_engine(server.database)
        self.keys = Keys.of(KeySettings(master=SecretStr(MASTER)))
        self.bearer = create_token(
            self.engine, name="test", scopes=tuple(TokenScope), actor="test", now=now_microseconds()
        )
        self._links = LinkTokens(link_keys or self.keys.links)

    def close(self) -> None:
        self.engine.dispose()

    def link(self, mailbox: str, scope: str = "offers") -> str:
        """Return the path of an unsubscribe link."""
        grant = LinkGrant(LinkPurpose.UNSUBSCRIBE, Address(Channel.EMAIL, mailbox), scope, int(time.time()))
        return "/u/" + self._links.mint(grant)

    def subject(self, address: str, channel: Channel = Channel.SMS) -> bytes:
        return subject_of(Address(channel, address), self.keys.subject)

    def line(self) -> Line:
        """Return a new connection: any of the processes may take it."""
        return Line(self.server.url)

    def say(self, text: str, number: str) -> Got:
        """Deliver a message over a new connection."""
        message = Message.of(self.server.url, text, number)
        with closing(self.line()) as line:
            return line.post(message.path, message.body, message.headers)

    def ask(self, method: str, path: str, body: bytes | None = None) -> Got:
        """Call the API over a new connection."""
        headers = {"Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json"}
        with closing(self.line()) as line:
            return line.ask(method, path, body, headers)
