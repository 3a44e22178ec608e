"""`/u/<token>`: the page that asks, RFC 8058's one-click POST, and the page's own buttons.

GET, HEAD and OPTIONS change nothing, whatever they carry. A POST needs no cookie, script, referrer, known
user agent or even a body; the token alone says for whom and for what.
"""

from flask import Blueprint, Response, request

from gateway.consent.entry import Result
from gateway.consent.masking import mask_address
from gateway.errors import NotAuthenticError
from gateway.house import House
from gateway.mail.one_click import PostKind, read_post
from gateway.mail.tokens import LinkGrant
from gateway.providers.base import Answer
from gateway.store.group import Ticket
from gateway.web.answers import Conclude, DeferredResponse, respond
from gateway.web.bad_links import BadLinks
from gateway.web.guard import Guard, guarded
from gateway.web.links import LinkDesk
from gateway.web.pages import unsubscribe_page
from gateway.web.unsubscribe_page import PageState, UnsubscribePage, bad_link_page
from gateway.web.wire import client_ip

# What a person sees after pressing a button: whether it changed anything, or stood so already.
_FACES = {
    (PostKind.CONFIRM, True): PageState.DONE,
    (PostKind.CONFIRM, False): PageState.ALREADY,
    (PostKind.UNDO, True): PageState.UNDONE,
    (PostKind.UNDO, False): PageState.ASK,
}
_CAN_UNDO = frozenset({PageState.DONE, PageState.ALREADY})


def blueprint(house: House, links: LinkDesk) -> Blueprint:
    """Return the route `/u/<token>`."""
    routes = Blueprint("one_click", __name__)
    bad_links = BadLinks()

    @routes.get("/u/<token>")
    @guarded(Guard.LINK)
    def page(token: str) -> Response:
        return respond(_page(house, links.open(token), PageState.ASK))

    @routes.post("/u/<token>")
    @guarded(Guard.LINK)
    def act(token: str) -> Response:
        grant = links.open(token)
        kind = read_post(request.headers.get("Content-Type"), request.get_data())
        if kind is PostKind.BARE and links.asks_on_empty_post:
            return respond(_page(house, grant, PageState.ASK))
        ticket = links.stage(grant, kind, token, request.environ)
        is_person = kind in (PostKind.CONFIRM, PostKind.UNDO)
        return DeferredResponse(_after(house, grant, kind, ticket) if is_person else links.conclude(ticket))

    @routes.errorhandler(NotAuthenticError)
    def bad_link(_error: NotAuthenticError) -> Response:
        wait = bad_links.wait(client_ip(request.environ, house.settings.server.trusted_proxies))
        return respond(_too_many(wait) if wait else unsubscribe_page(bad_link_page(), status=404))

    return routes


def _after(house: House, grant: LinkGrant, kind: PostKind, ticket: Ticket) -> Conclude:
    def answer() -> Answer:
        return _page(house, grant, _FACES[kind, ticket.outcome().result is Result.RECORDED])

    return answer


def _page(house: House, grant: LinkGrant, state: PageState) -> Answer:
    return unsubscribe_page(
        UnsubscribePage(
            state=state,
            program=house.book.name(grant.scope),
            masked=mask_address(grant.address),
            can_undo=state in _CAN_UNDO,
        )
    )


def _too_many(wait: int) -> Answer:
    return Answer(429, "text/plain; charset=utf-8", b"", (("Retry-After", str(wait)),))
