"""Unsubscribe links and their header fields for many recipients, one at a time, so that any number streams."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from gateway.consent.address import Address, AddressError, Channel
from gateway.mail.list_unsubscribe import HeaderError, unsubscribe_headers
from gateway.mail.tokens import GrantError, LinkGrant, LinkPurpose, LinkTokens
from gateway.programs import ProgramBook
from gateway.settings import Settings

_MICROSECONDS = 1_000_000
_SECONDS_A_DAY = 86_400

Headers = tuple[tuple[str, str], ...]


class LinkParts(Protocol):
    """What minting needs of the gateway's parts."""

    @property
    def settings(self) -> Settings:
        """Where the gateway is reached, and how long links work."""

    @property
    def book(self) -> ProgramBook:
        """The programs that a link can be about."""

    @property
    def links(self) -> LinkTokens:
        """What makes the tokens."""


@dataclass(frozen=True, slots=True)
class LinkHeaders:
    """One recipient's link: its page, and for mail the header fields; or the `error` why there is none.

    `address` is in normal form, None when the recipient is no address of the channel.
    """

    address: Address | None
    url: str = ""
    headers: Headers = ()
    error: str | None = None


def mint_links(
    house: LinkParts,
    *,
    recipients: Iterable[str],
    program: str,
    now: int,
    channel: Channel = Channel.EMAIL,
    message: str = "",
) -> Iterator[LinkHeaders]:
    """Return the links of the recipients in their order, each made when it is asked for.

    `program` is a slug or `*`; `message` names the message or campaign, as evidence; `now` is in
    microseconds UTC. A recipient that cannot have a link gets its error. Raises `UnknownProgramError` at
    once.
    """
    house.book.rule(program)
    order = _Order(channel, program, message, now // _MICROSECONDS)
    return map(_Press(house, order).link, recipients)


@dataclass(frozen=True, slots=True)
class _Order:
    """What all links of one call share. `issued_at` in whole seconds UTC."""

    channel: Channel
    program: str
    message: str
    issued_at: int


class _Press:
    """Makes links that differ in their address only."""

    def __init__(self, house: LinkParts, order: _Order) -> None:
        settings = house.settings
        self._tokens = house.links
        self._order = order
        self._base = f"{settings.server.public_url}/u/"
        self._mailbox = settings.mail.unsubscribe_mailto
        days = settings.limits.link_expiry_days
        self._expires_at = None if days is None else order.issued_at + days * _SECONDS_A_DAY

    def link(self, recipient: str) -> LinkHeaders:
        try:
            address = Address.parse(self._order.channel, recipient)
        except AddressError as error:
            return LinkHeaders(None, error=str(error))
        try:
            token = self._token(address)
            url = self._base + token
            return LinkHeaders(address, url, self._headers(url, token))
        except (GrantError, HeaderError) as error:
            return LinkHeaders(address, error=str(error))

    def _token(self, address: Address) -> str:
        return self._tokens.mint(
            LinkGrant(
                purpose=LinkPurpose.UNSUBSCRIBE,
                address=address,
                scope=self._order.program,
                issued_at=self._order.issued_at,
                message=self._order.message,
                expires_at=self._expires_at,
            )
        )

    def _headers(self, url: str, token: str) -> Headers:
        if self._order.channel is not Channel.EMAIL:
            return ()
        plain = url.startswith("http://")  # the settings take it for this machine only
        if self._mailbox is not None:
            # The token tells whom to unsubscribe: a From line proves nothing.
            mailto = f"mailto:{quote(self._mailbox, safe='@')}?subject={token}"
            with suppress(HeaderError):  # too long for one line: the link alone is what RFC 8058 asks for
                return unsubscribe_headers(url, mailto, allow_loopback=plain)
        return unsubscribe_headers(url, allow_loopback=plain)
