"""Sending by Twilio's REST API, through the official library."""

import json
from dataclasses import dataclass, field

from twilio.base.exceptions import TwilioRestException, TwilioServiceException  # type: ignore[import-untyped]  # the library ships no types
from twilio.rest import Client  # type: ignore[import-untyped]  # the library ships no types

from gateway.consent.address import Channel
from gateway.net.outgoing import NothingSentError, OutcomeUnknownError, Outgoing
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.twilio_client import OutgoingClient

_TIMEOUT_SECONDS = 10.0
_MAX_CHARACTERS = 1600
_TOO_LONG = "21617"
_SERVER_ERROR = 500

# Twilio's own error codes. 20503 comes in its JSON only, so Twilio itself has turned the request down.
_BY_CODE = {
    21610: SendOutcome.OPTED_OUT,
    20429: SendOutcome.BUSY,
    20503: SendOutcome.BUSY,
}
# RFC 9110 section 15.5.9 and RFC 6585 section 4: the request was not taken.
_BY_STATUS = {408: SendOutcome.BUSY, 429: SendOutcome.BUSY}


@dataclass(frozen=True, slots=True)
class RestAccount:
    """Who sends: an account, its credentials (account SID and token, or an API key) and its preferences."""

    account_sid: str
    username: str
    password: str = field(repr=False)
    service: str | None = None
    status_callback: str | None = None
    region: str | None = None
    edge: str | None = None


class RestClient:
    """Sends messages of one account."""

    __slots__ = ("_account", "_client")

    def __init__(self, account: RestAccount, net: Outgoing) -> None:
        self._account = account
        self._client = _client(account, net)

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message, once. Every failure is an outcome; only a certain one may be repeated."""
        if len(message.text) > _MAX_CHARACTERS:
            return SendResult(SendOutcome.REFUSED, error_code=_TOO_LONG)
        try:
            sent = self._client.messages.create(**self._parameters(message))
        except (TwilioRestException, TwilioServiceException) as error:
            return SendResult(_outcome(error.status, error.code), error_code=str(error.code))
        except json.JSONDecodeError:
            # Accepted, with an answer that cannot be read.
            return SendResult(SendOutcome.UNKNOWN)
        except NothingSentError:
            return SendResult(SendOutcome.BUSY)
        except OutcomeUnknownError:
            return SendResult(SendOutcome.UNKNOWN)
        return SendResult(SendOutcome.SENT, message_id=sent.sid)

    def _parameters(self, message: OutboundMessage) -> dict[str, str]:
        prefix = "whatsapp:" if message.address.channel is Channel.WHATSAPP else ""
        parameters = {"to": prefix + message.address.value, "body": message.text}
        service = message.service or self._account.service
        # A reply comes from the number that was written to. Other ends (RCS agents) send through their service.
        if service and not message.sender.removeprefix("+").isdecimal():
            parameters["messaging_service_sid"] = service
        else:
            parameters["from_"] = prefix + message.sender
        if self._account.status_callback:
            parameters["status_callback"] = self._account.status_callback
        return parameters


def _client(account: RestAccount, net: Outgoing) -> Client:
    # No retries in the transport: a repeated POST is a second message.
    return Client(
        account.username,
        account.password,
        account.account_sid,
        region=account.region,
        edge=account.edge,
        http_client=OutgoingClient(net, timeout=_TIMEOUT_SECONDS),
    )


def _outcome(status: int, code: int | None) -> SendOutcome:
    """Read an error answer.

    Of a 5xx Twilio says that the message may have gone out all the same (its page on error 20500), and a bare
    503 may come from a proxy after the request was passed on, so both are unknown: one reply at most.
    """
    known = _BY_CODE.get(code or 0) or _BY_STATUS.get(status)
    if known is not None:
        return known
    return SendOutcome.UNKNOWN if status >= _SERVER_ERROR else SendOutcome.REFUSED
