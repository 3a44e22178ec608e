"""Sending by Sinch's SMS REST API and by its Conversation API.

Sources: Sinch, "SMS: Batches", "Conversation: Messages", "Authentication".
"""

from dataclasses import dataclass, field
from typing import Protocol

from gateway.consent.address import Address, Channel
from gateway.net.outgoing import Call, Outgoing
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.payload import found
from gateway.providers.rest import Attempt, attempt, json_call

_TOKEN_URL = "https://auth.sinch.com/oauth2/token"  # noqa: S105 - an address, no secret
_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
_UNAUTHORIZED = 401


class Sender(Protocol):
    """What sends a message."""

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message, once. Never raises for what Sinch or the network does."""


@dataclass(frozen=True, slots=True)
class SmsSender(Sender):
    """Sends from one service plan."""

    net: Outgoing
    region: str
    service_plan_id: str
    api_token: str = field(repr=False)

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message, once. Never raises for what Sinch or the network does."""
        if message.address.channel is not Channel.SMS:
            return SendResult(SendOutcome.REFUSED, error_code="unsupported_channel")
        tried = attempt(self.net, self._call(message))
        code = found(tried.document, "code")
        return tried.result(message_id=found(tried.document, "id"), error_code=code)

    def _call(self, message: OutboundMessage) -> Call:
        document = {
            "from": number(message.sender),
            "to": [number(message.address.value)],
            "body": message.text,
            "type": "mt_text",
        }
        if message.reference:
            document["client_reference"] = message.reference
        return json_call(
            f"https://{self.region}.sms.api.sinch.com/xms/v1/{self.service_plan_id}/batches",
            document,
            headers={"authorization": f"Bearer {self.api_token}"},
        )


class ProjectClient:
    """Calls with an OAuth token of a project's access key, which is kept until Sinch no longer takes it."""

    __slots__ = ("_key", "_net", "_token")

    def __init__(self, net: Outgoing, key_id: str, key_secret: str) -> None:
        self._net = net
        self._key = (key_id, key_secret)
        self._token = ""

    def attempt(self, url: str, document: object = None, *, method: str = "POST") -> Attempt:
        """Make a call, once more with a new token where the old one has run out. Never raises."""
        if self._token:
            tried = self._attempt(url, document, method)
            if tried.status != _UNAUTHORIZED:
                return tried
        failed = self._renew()
        return failed or self._attempt(url, document, method)

    def _attempt(self, url: str, document: object, method: str) -> Attempt:
        headers = {"authorization": f"Bearer {self._token}"}
        return attempt(self._net, json_call(url, document, method=method, headers=headers))

    def _renew(self) -> Attempt | None:
        """Fetch a token. Return what came of the attempt when there is none: nothing was sent by then."""
        call = Call("POST", _TOKEN_URL, _FORM, b"grant_type=client_credentials", basic=self._key)
        tried = attempt(self._net, call)
        self._token = found(tried.document, "access_token") if tried.outcome is SendOutcome.SENT else ""
        if self._token:
            return None
        is_final = tried.outcome is SendOutcome.REFUSED
        return Attempt(SendOutcome.REFUSED if is_final else SendOutcome.BUSY, tried.status)


@dataclass(frozen=True, slots=True)
class ConversationSender(Sender):
    """Sends from one app of a project."""

    client: ProjectClient
    region: str
    project_id: str
    app_id: str

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message, once. Never raises for what Sinch or the network does."""
        url = f"https://{self.region}.conversation.api.sinch.com/v1/projects/{self.project_id}/messages:send"
        tried = self.client.attempt(url, self._document(message))
        return tried.result(
            message_id=found(tried.document, "message_id"),
            error_code=found(tried.document, "error", "status"),
        )

    def _document(self, message: OutboundMessage) -> dict[str, object]:
        channel = "WHATSAPP" if message.address.channel is Channel.WHATSAPP else "SMS"
        identity = {"channel": channel, "identity": number(message.address.value)}
        document: dict[str, object] = {
            "app_id": self.app_id,
            "recipient": {"identified_by": {"channel_identities": [identity]}},
            "message": {"text_message": {"text": message.text}},
            "channel_priority_order": [channel],
        }
        # Apps and RCS agents are no senders of an SMS: there Sinch takes the app's default.
        if channel == "SMS" and number(message.sender).isdecimal():
            document["channel_properties"] = {"SMS_SENDER": number(message.sender)}
        if message.reference:
            document["correlation_id"] = message.reference
        return document


def number(value: str) -> str:
    """Return a number as Sinch writes it, without its plus; anything else as it is."""
    return value.removeprefix("+")


def identity_of(address: Address) -> str:
    """Return a person as Sinch's lists name them."""
    return number(address.value)
