"""STOP, HELP and START as one provider delivers them, with a repetition and a forgery: for `gateway demo`."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.cli.delivery import Delivered, deliver
from gateway.cli.shop import Shop, moment
from gateway.providers.base import WebhookRequest

_SECOND = 1_000_000
_WIDTH = 160
_EMPTY = "(empty)"


@dataclass(frozen=True, slots=True)
class Scene:
    """What one request brought, what it was answered, what the gateway holds afterwards."""

    provider: str
    what: str
    sent: str
    answered: str
    recorded: str


def play(shop: Shop) -> Iterator[Scene]:
    """Play one person's words at the shop's account. Raises `CannotRehearseError` before anything is sent."""
    (number,), now, stop = shop.strangers(1), moment(), secrets.token_hex(16)
    # Some providers tell whole seconds, and at equal times the opt-out wins.
    first = shop.line.message("STOP", number, shop.sender, at=now - 20 * _SECOND, message_id=stop)
    yield _scene(shop, "STOP", number, first)
    yield _scene(shop, "the same STOP, delivered again", number, first)
    yield _scene(shop, "START, forged", number, shop.line.forged("START", number, shop.sender, at=now))
    for at, word in ((now - 10 * _SECOND, "HELP"), (now, "START")):
        yield _scene(shop, word, number, shop.line.message(word, number, shop.sender, at=at))


def _scene(shop: Shop, what: str, number: str, request: WebhookRequest) -> Scene:
    answer = deliver(request)
    events = shop.events(number)
    held = f"{shop.state('sms', number)}; events: {', '.join(map(_shown_event, reversed(events)))}"
    sent = _short(shop.line.masked(_shown_request(request)))
    return Scene(shop.line.kind, what, sent, _shown_answer(answer), held)


def _shown_request(request: WebhookRequest) -> str:
    target = request.url.partition("://")[2].partition("/")[2]
    body = request.body.decode("utf-8", "backslashreplace")
    return f"{request.method} /{target}" + (f"  {body}" if body else "")


def _shown_answer(answer: Delivered) -> str:
    body = answer.body.decode("utf-8", "replace")
    return _short(f"{answer.status} {body or _EMPTY}")


def _shown_event(event: Mapping[str, str | None]) -> str:
    """Return an event in a word. Where its reply is not in the answer, the provider's API is to carry it."""
    return f"{event['class']} (reply {event['reply']})" if event.get("reply") else str(event["class"])


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
