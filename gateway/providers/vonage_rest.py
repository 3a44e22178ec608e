"""Sending by Vonage's SMS API and Messages API.

Sources: Vonage, API references of both, "SMS API errors", "Messages API errors".
"""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from gateway.consent.address import Channel
from gateway.net.outgoing import Call, Outgoing
from gateway.providers import gsm
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.payload import found
from gateway.providers.rest import attempt, json_call
from gateway.providers.vonage_messages import OPTED_OUT, error_code

_SMS_HOST = "https://rest.nexmo.com"
_MESSAGES_HOST = "https://api.nexmo.com"
_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}

# The SMS API answers 200 and tells the outcome inside. Throttled and "too many existing binds" mean: not taken.
_BY_STATUS = {
    "0": SendOutcome.SENT,
    "1": SendOutcome.BUSY,
    "10": SendOutcome.BUSY,
    "5": SendOutcome.UNKNOWN,  # an error at Vonage "whilst processing this message"
    "": SendOutcome.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class RestClient:
    """Sends for one account. `host` replaces Vonage's default one, such as https://api-eu.vonage.com."""

    net: Outgoing
    api_key: str
    api_secret: str = field(repr=False)
    host: str | None = None

    def send_sms(self, message: OutboundMessage) -> SendResult:
        """Send one SMS by the SMS API, once."""
        form = {
            "from": message.sender.removeprefix("+"),
            "to": message.address.value.removeprefix("+"),
            "text": message.text,
            "type": "text" if gsm.encode(message.text) is not None else "unicode",
            "client-ref": message.reference,
        }
        body = urlencode({name: value for name, value in form.items() if value}, errors="replace").encode()
        url = f"{self.host or _SMS_HOST}/sms/json"
        made = attempt(self.net, Call("POST", url, _FORM, body, (self.api_key, self.api_secret)))
        if made.outcome is not SendOutcome.SENT:
            return made.result()
        status = found(made.document, "messages", 0, "status")
        outcome = _BY_STATUS.get(status, SendOutcome.REFUSED)
        if outcome is SendOutcome.SENT:
            return made.result(message_id=found(made.document, "messages", 0, "message-id"))
        return SendResult(outcome, error_code=status or None)

    def send_message(self, message: OutboundMessage) -> SendResult:
        """Send one text by the Messages API, once."""
        document = {
            "channel": "whatsapp" if message.address.channel is Channel.WHATSAPP else "sms",
            "message_type": "text",
            "from": message.sender.removeprefix("+"),
            "to": message.address.value.removeprefix("+"),
            "text": message.text,
            **({"client_ref": message.reference} if message.reference else {}),
        }
        url = f"{self.host or _MESSAGES_HOST}/v1/messages"
        made = attempt(self.net, json_call(url, document, basic=(self.api_key, self.api_secret)))
        code = "" if made.outcome is SendOutcome.SENT else error_code(made.document)
        if code == OPTED_OUT:
            return SendResult(SendOutcome.OPTED_OUT, error_code=code)
        return made.result(message_id=found(made.document, "message_uuid"), error_code=code)
