"""Sending by Clickatell's Platform API or One API.

Sources: Clickatell, "Platform REST API: Send message", "One API: Send plain text message".
"""

from dataclasses import dataclass, field
from typing import Literal

from gateway.consent.address import Channel
from gateway.net.outgoing import Outgoing
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.payload import Fields, found
from gateway.providers.rest import Attempt, attempt, json_call

_HOST = "https://platform.clickatell.com"


@dataclass(frozen=True, slots=True)
class ClickatellApi:
    """One integration's API."""

    net: Outgoing
    api: Literal["platform", "one"]
    api_key: str = field(repr=False)

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message, once. Never raises for what Clickatell or the network does."""
        if self.api == "one":
            return self._sent("/v1/message", {"messages": [_one(message)]})
        if message.address.channel is not Channel.SMS:
            return SendResult(SendOutcome.REFUSED, error_code="unsupported_channel")
        return self._sent("/messages", _platform(message))

    def _sent(self, path: str, document: Fields) -> SendResult:
        call = json_call(_HOST + path, document, headers={"authorization": self.api_key})
        return _result(attempt(self.net, call))


def _platform(message: OutboundMessage) -> Fields:
    return {
        "to": [_number(message.address.value)],
        "content": message.text,
        **_sender(message),
        **_reference(message),
    }


def _one(message: OutboundMessage) -> Fields:
    return {
        "channel": "whatsapp" if message.address.channel is Channel.WHATSAPP else "sms",
        "to": _number(message.address.value),
        "content": message.text,
        **_sender(message),
        **_reference(message),
    }


def _sender(message: OutboundMessage) -> Fields:
    """Name the number of a two-way integration; without one Clickatell takes the integration's own."""
    return {"from": _number(message.sender)} if message.sender else {}


def _reference(message: OutboundMessage) -> Fields:
    return {"clientMessageId": message.reference} if message.reference else {}


def _result(tried: Attempt) -> SendResult:
    """Read the answer: accepted by HTTP, a message may still carry an error of its own."""
    error = _error(tried)
    if tried.outcome is not SendOutcome.SENT:
        return tried.result(error_code=error)
    message_id = found(tried.document, "messages", 0, "apiMessageId")
    if message_id:
        return tried.result(message_id=message_id)
    return SendResult(SendOutcome.REFUSED, error_code=error) if error else SendResult(SendOutcome.UNKNOWN)


def _error(tried: Attempt) -> str:
    """Return the error of the message or of the request: a code of the One API, a text of the Platform."""
    for place in (("messages", 0), ()):
        error = found(tried.document, *place, "error", "code") or found(tried.document, *place, "error")
        if error:
            return error
    return found(tried.document, "errorCode")


def _number(value: str) -> str:
    return value.removeprefix("+")
