"""AWS End User Messaging SMS by its API `pinpoint-sms-voice-v2`: sending, and the opt-out list.

Source: AWS, "End User Messaging SMS v2 API Reference". The protocol is JSON 1.0, signed with Signature Version 4.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.consent.address import Address, AddressError, Channel
from gateway.net.outgoing import Call, Outgoing
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.opt_outs import (
    ListEntry,
    ListPage,
    ListUnavailableError,
    OptOutList,
    PushOutcome,
    PushResult,
)
from gateway.providers.payload import found
from gateway.providers.rest import Attempt, attempt

_SERVICE = "sms-voice"
_TARGET = "PinpointSMSVoiceV2"
_TYPE = "application/x-amz-json-1.0"
_OPTED_OUT = "DESTINATION_PHONE_NUMBER_OPTED_OUT"
_THROTTLED = "ThrottlingException"
_ABSENT = "opted-out-number"  # the ResourceType of a number that is not on the list
_PAGE = 100
_BATCH = 10  # one call each
_MICROSECONDS = 1_000_000
_FAR_AWAY = 4_102_444_800  # seconds: the year 2100


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An access key of AWS, with the session token of a temporary one."""

    key_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


class Api:
    """Calls operations in one region."""

    __slots__ = ("_key", "_net", "_region", "_url")

    def __init__(self, net: Outgoing, region: str, key: ApiKey) -> None:
        self._net = net
        self._region = region
        self._key = key
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        self._url = f"https://{_SERVICE}.{region}.{suffix}/"

    def call(self, operation: str, parameters: Mapping[str, object]) -> Attempt:
        """Call an operation once. Never raises for what AWS or the network does."""
        made = attempt(self._net, self._signed(operation, json.dumps(parameters).encode()))
        # Throttling comes as a 400: nothing was taken.
        return replace(made, outcome=SendOutcome.BUSY) if code_of(made) == _THROTTLED else made

    def _signed(self, operation: str, body: bytes) -> Call:
        from botocore.auth import SigV4Auth  # type: ignore[import-untyped]  # noqa: PLC0415 - a fifth of a second, for who sends; the library ships no types
        from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]  # noqa: PLC0415 - likewise
        from botocore.credentials import Credentials  # type: ignore[import-untyped]  # noqa: PLC0415 - likewise

        headers = {"Content-Type": _TYPE, "X-Amz-Target": f"{_TARGET}.{operation}"}
        request = AWSRequest("POST", self._url, headers=headers, data=body)
        credentials = Credentials(self._key.key_id, self._key.secret, self._key.token)
        SigV4Auth(credentials, _SERVICE, self._region).add_auth(request)
        return Call("POST", self._url, dict(request.headers), body)


@dataclass(frozen=True, slots=True)
class Sending:
    """How replies are sent."""

    message_type: str
    configuration_set: str | None = None


def send(api: Api, sending: Sending, message: OutboundMessage) -> SendResult:
    """Send one SMS. AWS knows no client token: what may have gone out is never sent again."""
    parameters = {
        "DestinationPhoneNumber": message.address.value,
        "OriginationIdentity": message.sender,
        "MessageBody": message.text,
        "MessageType": sending.message_type,
    }
    optional = {
        "ConfigurationSetName": sending.configuration_set,
        # Comes back in the delivery events.
        "Context": {"reference": message.reference} if message.reference else None,
    }
    made = api.call(
        "SendTextMessage", parameters | {name: value for name, value in optional.items() if value}
    )
    if found(made.document, "Reason") == _OPTED_OUT:
        return SendResult(SendOutcome.OPTED_OUT, error_code=_OPTED_OUT)
    reason = found(made.document, "Reason") or code_of(made)
    return made.result(message_id=found(made.document, "MessageId"), error_code=reason)


def code_of(made: Attempt) -> str:
    """Return the name of AWS's exception, without its namespace; "" when there is none."""
    return found(made.document, "__type").rpartition("#")[2]


class OptedOutNumbers(OptOutList):
    """One opt-out list of AWS. It holds numbers for all senders that use it, so entries name no sender."""

    __slots__ = ("_api", "_name")
    batch = _BATCH
    can_pull = True

    def __init__(self, api: Api, name: str) -> None:
        self._api = api
        self._name = name

    def push(self, entries: Sequence[ListEntry]) -> Sequence[PushResult]:
        """Put numbers on the list or take them off, and return one result for each, in order.

        AWS takes each number off once in 30 days at most, and refuses what the person asked for by STOP.
        """
        return [self._pushed(entry) for entry in entries]

    def pull(self, cursor: str | None) -> ListPage:
        """Return a page, the first for None. Raises `ListUnavailableError`."""
        parameters: dict[str, object] = {"OptOutListName": self._name, "MaxResults": _PAGE}
        if cursor is not None:
            parameters["NextToken"] = cursor
        made = self._api.call("DescribeOptedOutNumbers", parameters)
        numbers = made.document.get("OptedOutNumbers") if isinstance(made.document, dict) else None
        if made.outcome is not SendOutcome.SENT or not isinstance(numbers, list):
            raise ListUnavailableError(f"AWS did not show the opt-out list: {code_of(made) or made.status}")
        entries = [entry for entry in map(_entry, numbers) if entry is not None]
        return ListPage(entries, found(made.document, "NextToken") or None)

    def _pushed(self, entry: ListEntry) -> PushResult:
        if entry.address.channel is not Channel.SMS:
            return PushResult(PushOutcome.REFUSED, "not_sms")
        operation = "PutOptedOutNumber" if entry.opted_out else "DeleteOptedOutNumber"
        made = self._api.call(
            operation, {"OptOutListName": self._name, "OptedOutNumber": entry.address.value}
        )
        if found(made.document, "ResourceType") == _ABSENT:
            return PushResult(PushOutcome.DONE)
        return made.pushed(found(made.document, "Reason") or code_of(made))


def _entry(value: Any) -> ListEntry | None:
    try:
        address = Address.parse(Channel.SMS, found(value, "OptedOutNumber"))
    except AddressError:
        return None
    return ListEntry(address, "", opted_out=True, at=_microseconds(value.get("OptedOutTimestamp")))


def _microseconds(seconds: object) -> int | None:
    """Read a timestamp of JSON 1.0: seconds since 1970, with a fraction."""
    if isinstance(seconds, int | float) and 0 < seconds < _FAR_AWAY:
        return int(seconds * _MICROSECONDS)
    return None
