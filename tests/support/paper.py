"""A provider of our own making, for what only some real ones do: batches, parts, nonces, handshakes, odd refusals.

Its webhooks are JSON lists. They are proved by a key in a header, which covers nothing; where a header brings a
nonce, that is what must not come again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, NotAuthenticError, NotForUsError
from gateway.keywords.reading import ReadingClass
from gateway.providers.base import (
    Answer,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    Part,
    Provider,
    Received,
    Rehearsal,
    SendOutcome,
    SendResult,
    Unreadable,
    WebhookRequest,
)

BASE = "https://sms.example.com"
KEY = "paper-key"
SENDER = "+15555550199"
ANN = "+15550100001"
DONE = b'{"texts": '


class Paper(Provider):
    """The provider. `understands_all` lets it read what it cannot read otherwise: the code of tomorrow."""

    def __init__(self) -> None:
        self.understands_all = False
        self.parsed = 0

    def verify(self, request: WebhookRequest) -> None:
        if request.headers.get("x-key") != KEY:
            raise NotAuthenticError("wrong key")
        if request.body == b"no proof in here":
            raise CallerError("the proof is malformed")

    def parse(self, request: WebhookRequest) -> Received:
        self.parsed += 1
        try:
            pieces = json.loads(request.body or b"null")
        except ValueError:
            if self.understands_all:
                return Received()
            raise CallerError("no JSON") from None
        if pieces == "not for us":
            raise NotForUsError("something else")
        return self._received(pieces)

    def refuse(self, request: WebhookRequest) -> Answer:  # noqa: ARG002 - the contract's signature
        return Answer(401, "text/plain; charset=utf-8", b"", (("WWW-Authenticate", "Paper"),))

    def handshake(self, request: WebhookRequest) -> Answer | None:
        origin = request.headers.get("webhook-request-origin")
        if origin is None:
            return None
        return Answer(200, "text/plain; charset=utf-8", b"", (("WebHook-Allowed-Origin", origin),))

    def replies_by_itself(self, message: InboundMessage, klass: ReadingClass) -> bool:  # noqa: ARG002 - the contract's signature
        return False

    def answer(self, texts: Sequence[str]) -> Answer:
        return Answer(200, "application/json", DONE + json.dumps(list(texts)).encode() + b"}")

    @property
    def takes_inline(self) -> bool:
        return True

    def send(self, message: OutboundMessage) -> SendResult:  # noqa: ARG002 - the contract's signature
        return SendResult(SendOutcome.SENT)

    def rehearse(self, rehearsal: Rehearsal) -> WebhookRequest:
        raise NotImplementedError

    def _received(self, pieces: list[dict[str, Any]]) -> Received:
        messages, statuses, unreadable = [], [], []
        for piece in pieces:
            if "status" in piece:
                statuses.append(_status(piece))
            elif "from" in piece or self.understands_all:
                messages.append(_message({"from": ANN} | piece))
            else:
                unreadable.append(Unreadable("from is missing", json.dumps(piece).encode()))
        return Received(messages, statuses, unreadable)


class NoncePaper(Paper):
    """The same with nonces."""

    def nonce(self, request: WebhookRequest) -> str | None:
        return request.headers.get("x-nonce")


class MutePaper(Paper):
    """The same for a provider that takes no reply in the answer to its webhook."""

    @property
    def takes_inline(self) -> bool:
        return False


def _message(piece: dict[str, Any]) -> InboundMessage:
    return InboundMessage(
        message_id=piece["id"],
        address=Address.parse(Channel.SMS, piece["from"]),
        origin=piece["from"],
        sender=SENDER,
        text=piece.get("text", "STOP"),
        said_at=piece.get("at"),
        part=Part(*piece["part"]) if "part" in piece else None,
    )


def _status(piece: dict[str, Any]) -> DeliveryStatus:
    address = Address.parse(Channel.SMS, piece["to"])
    refused = piece["status"] == "opted_out"
    return DeliveryStatus(piece["id"], address, SENDER, piece["status"], error_code="9", opted_out=refused)


@dataclass
class Desk:
    """An application whose account `acme` is of this provider."""

    app: Flask
    paper: Paper
    headers: dict[str, str] = field(default_factory=lambda: {"x-key": KEY})

    def post(self, pieces: object, *, path: str = "/sms/acme", **headers: str) -> TestResponse:
        """Deliver a list of pieces, or bytes as they are."""
        body = pieces if isinstance(pieces, bytes) else json.dumps(pieces).encode()
        return self.app.test_client().post(
            path,
            base_url=BASE,
            data=body,
            content_type="application/json",
            headers={**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}},
        )


def texts(answer: TestResponse) -> list[str]:
    """Return the replies in an answer of the provider's own form."""
    assert answer.status_code == 200, answer
    found: list[str] = json.loads(answer.data)["texts"]
    return found


def supply(monkeypatch: pytest.MonkeyPatch, paper: Paper) -> None:
    """Let every account that is made from now on be of this provider."""
    monkeypatch.setattr("gateway.house.build", lambda _account, *_: paper)
