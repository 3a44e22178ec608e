"""Sending by Jasmin's HTTP API. Source: Jasmin, "HTTP API", sections "Sending SMS-MT" and "HTTP response"."""

import re
from urllib.parse import urlencode

from gateway.net.outgoing import Call, NothingSentError, OutcomeUnknownError, Outgoing, Returned
from gateway.providers import jasmin_content
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.jasmin_content import Alphabet
from gateway.providers.rest import outcome_of

_FORM = "application/x-www-form-urlencoded"
_SUCCESS = re.compile(rb'\s*Success "([\x21-\x7e]{1,200})"')
_THROTTLED = b"throughput exceeded"  # a 403 all the same


class Sender:
    """Sends through one Jasmin user."""

    __slots__ = ("_alphabet", "_credentials", "_net", "_url")

    def __init__(self, url: str, username: str, password: str, net: Outgoing, alphabet: Alphabet) -> None:
        self._url = url.rstrip("/") + "/send"
        self._credentials = {"username": username, "password": password}
        self._net = net
        self._alphabet = alphabet

    def send(self, message: OutboundMessage) -> SendResult:
        """Send one message, once. Jasmin knows no reference of ours: an unknown outcome stays so."""
        coding, content = jasmin_content.encode(message.text, self._alphabet)
        fields = {
            **self._credentials,
            # SMPP tells by the type of number that it is international; a plus is no digit there.
            "to": message.address.value.removeprefix("+"),
            "from": message.sender.removeprefix("+"),
            "coding": str(coding),
            "hex-content": content.hex(),
        }
        try:
            returned = self._net.call(
                Call("POST", self._url, {"content-type": _FORM}, urlencode(fields).encode())
            )
        except NothingSentError:
            return SendResult(SendOutcome.BUSY)
        except OutcomeUnknownError:
            return SendResult(SendOutcome.UNKNOWN)
        return _result(returned)


def _result(returned: Returned) -> SendResult:
    outcome, success = outcome_of(returned.status), _SUCCESS.match(returned.body)
    if outcome is SendOutcome.SENT:
        # Another server's page, say a proxy's, is no promise.
        return SendResult(outcome, success[1].decode()) if success else SendResult(SendOutcome.UNKNOWN)
    if _THROTTLED in returned.body.lower():
        outcome = SendOutcome.BUSY
    return SendResult(outcome, error_code=str(returned.status))
