"""Sends a reply by the templated request of the settings, and reads what the answer means."""

from collections.abc import Sequence

from gateway.net.outgoing import Call, Outgoing
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.generic_paths import Path
from gateway.providers.generic_tables import SendSettings
from gateway.providers.payload import found
from gateway.providers.rest import Attempt, attempt
from gateway.providers.shared_secret import revealed

_NO_URL = SendResult(SendOutcome.REFUSED, error_code="no_credentials")
_ANSWERED = frozenset({SendOutcome.SENT, SendOutcome.REFUSED})


class Sending:
    """The calls of one account."""

    __slots__ = ("_basic", "_code", "_headers", "_message_id", "_net", "_settings", "_template")

    def __init__(self, settings: SendSettings, net: Outgoing) -> None:
        self._settings = settings
        self._net = net
        self._template = settings.compiled() if settings.url else None
        self._headers = _headers(revealed(settings.headers))
        self._basic = _basic(settings)
        self._code = _steps(settings.code)
        self._message_id = _steps(settings.message_id)

    def send(self, message: OutboundMessage) -> SendResult:
        """Make the call once. Never raises for what the provider or the network does."""
        if self._template is None:
            return _NO_URL
        values = _values(message)
        headers = dict(self._headers)
        if self._template.content_type:
            headers.setdefault("content-type", self._template.content_type)
        made = attempt(
            self._net,
            Call(
                self._settings.method,
                self._template.filled_url(values),
                headers,
                self._template.filled_body(values),
                self._basic,
            ),
        )
        return self._result(made)

    def _result(self, made: Attempt) -> SendResult:
        code = found(made.document, *self._code) if self._code else ""
        outcome = self._outcome(made, code)
        if outcome is SendOutcome.SENT:
            sent = found(made.document, *self._message_id) if self._message_id else ""
            return SendResult(outcome, message_id=sent or None)
        return SendResult(outcome, error_code=code or (str(made.status) if made.status else None))

    def _outcome(self, made: Attempt, code: str) -> SendOutcome:
        settings = self._settings
        if not made.status:
            return made.outcome
        if _names(settings.opted_out_codes, code, str(made.status)):
            return SendOutcome.OPTED_OUT
        if _names(settings.busy_codes, code, str(made.status)):
            return SendOutcome.BUSY
        outcome = self._by_status(made)
        if outcome is not SendOutcome.SENT or not settings.accepted_codes:
            return outcome
        if not code:
            # Taken, by its status, with an answer that does not tell.
            return SendOutcome.UNKNOWN
        return outcome if _names(settings.accepted_codes, code) else SendOutcome.REFUSED

    def _by_status(self, made: Attempt) -> SendOutcome:
        """Read the HTTP status, with the settings' own list of what means accepted."""
        wanted = self._settings.accepted_statuses
        if not wanted or made.outcome not in _ANSWERED:
            return made.outcome
        return SendOutcome.SENT if made.status in wanted else SendOutcome.REFUSED


def _values(message: OutboundMessage) -> dict[str, str]:
    to, sender = message.address.value, message.sender
    return {
        "to": to,
        "to_digits": to.removeprefix("+"),
        "from": sender,
        "from_digits": sender.removeprefix("+"),
        "text": message.text,
        "reference": message.reference,
    }


def _names(values: Sequence[str], *found_values: str) -> bool:
    wanted = {value.strip().casefold() for value in values}
    return any(value and value.strip().casefold() in wanted for value in found_values)


def _headers(lines: Sequence[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _basic(settings: SendSettings) -> tuple[str, str] | None:
    if settings.username is None or settings.password is None:
        return None
    return settings.username, settings.password.get_secret_value()


def _steps(path: str | None) -> tuple[str | int, ...]:
    return tuple(step for step in Path.parse(path or "").steps if step is not None)
