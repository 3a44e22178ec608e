"""How requests to a generic account prove themselves. What is configured is needed, all of it."""

import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.errors import NotAuthenticError
from gateway.providers import standard_webhooks
from gateway.providers.base import Answer, Rehearsal, WebhookRequest
from gateway.providers.generic_settings import GenericSettings
from gateway.providers.generic_tables import Encoding, HmacSettings
from gateway.providers.shared_secret import SharedSecret, revealed

_PLACEHOLDER = re.compile(r"\{(body|timestamp|url|method)\}")
_TIME = re.compile(rb"[0-9]{1,13}")
_MILLISECONDS = 100_000_000_000  # as seconds, the year 5138
_MICROSECONDS = 1_000_000


class Proof:
    """The proofs of one account: HMAC, Standard Webhooks, a header, Basic, a secret in the URL."""

    __slots__ = ("_header", "_header_secrets", "_shared", "_signature", "_tolerance", "_webhook_keys")

    def __init__(self, settings: GenericSettings) -> None:
        self._shared = SharedSecret(settings)
        self._signature = _Signature(settings.hmac, [s.encode() for s in revealed(settings.hmac_secrets)])
        self._webhook_keys = [standard_webhooks.key_of(s) for s in revealed(settings.webhook_secrets)]
        self._header = settings.secret_header.lower()
        self._header_secrets = [s.encode() for s in revealed(settings.header_secrets)]
        self._tolerance = settings.tolerance_seconds

    def verify(self, request: WebhookRequest) -> None:
        """Raise `NotAuthenticError` unless the request carries every proof that is configured."""
        self._shared.verify(request)
        if self._header_secrets:
            value = request.headers.get(self._header, "").strip().encode("utf-8", "replace")
            if not _is_among(value, self._header_secrets):
                raise NotAuthenticError("the secret header is missing or wrong")
        if self._signature.keys:
            self._signature.verify(request, self._tolerance)
        if self._webhook_keys:
            standard_webhooks.verify(
                request.headers,
                request.body,
                self._webhook_keys,
                received_at=request.received_at,
                tolerance=self._tolerance,
            )

    def refusal(self) -> Answer:
        """Return the answer to a request without proof: with Basic the challenge, else 403."""
        return self._shared.refusal()

    def signed_url(self, url: str) -> str:
        """Return the URL as it is entered at the provider."""
        return self._shared.signed_url(url)

    def headers(self, method: str, url: str, body: bytes, rehearsal: Rehearsal) -> dict[str, str]:
        """Return the headers with which the provider proves this request, by the first secret of each kind."""
        headers = self._shared.headers()
        if self._header_secrets:
            headers[self._header] = self._header_secrets[0].decode()
        if self._signature.keys:
            headers |= self._signature.headers(WebhookRequest(method, url, {}, body), rehearsal.at)
        if self._webhook_keys:
            key = self._webhook_keys[0]
            headers |= standard_webhooks.signed(
                key, message_id=rehearsal.message_id, at=rehearsal.at, body=body
            )
        return headers


@dataclass(frozen=True, slots=True)
class _Signature:
    """An HMAC over what `signed` names."""

    settings: HmacSettings
    keys: Sequence[bytes] = field(repr=False)

    def verify(self, request: WebhookRequest, tolerance: int) -> None:
        offered = self._offered(request.headers)
        time = self._time(request, tolerance)
        wanted = [self._made(key, request, time) for key in self.keys]
        if not _is_among(offered, wanted):
            raise NotAuthenticError("the signature does not match")

    def headers(self, request: WebhookRequest, at: int) -> dict[str, str]:
        time = str(at // _MICROSECONDS)
        signature = self._made(self.keys[0], request, time.encode()).decode()
        headers = {self.settings.header.lower(): self.settings.prefix + signature}
        if self.settings.timestamp_header:
            headers[self.settings.timestamp_header.lower()] = time
        return headers

    def _offered(self, headers: Mapping[str, str]) -> bytes:
        """Return the signature of the request. Hex comes in either case, base64 has but one."""
        text = headers.get(self.settings.header.lower(), "").strip()
        prefix = self.settings.prefix
        if not text.isascii() or not text.startswith(prefix) or text == prefix:
            raise NotAuthenticError("no usable signature header")
        text = text.removeprefix(prefix)
        return (text.lower() if self.settings.encoding is Encoding.HEX else text).encode()

    def _time(self, request: WebhookRequest, tolerance: int) -> bytes:
        """Return the signed time as it is written; raise when it is outside the window."""
        if self.settings.timestamp_header is None:
            return b""
        text = request.headers.get(self.settings.timestamp_header.lower(), "").strip()
        written = text.encode("utf-8", "replace")
        if not _TIME.fullmatch(written):
            raise NotAuthenticError("no usable time")
        number = int(written)
        at = number * 1_000 if number >= _MILLISECONDS else number * _MICROSECONDS
        if abs(at - request.received_at) > tolerance * _MICROSECONDS:
            raise NotAuthenticError("the time is outside the window")
        return written

    def _made(self, key: bytes, request: WebhookRequest, time: bytes) -> bytes:
        mac = hmac.new(key, digestmod=self.settings.algorithm)
        for piece in self._pieces(request, time):
            mac.update(piece)
        if self.settings.encoding is Encoding.HEX:
            return mac.hexdigest().encode()
        return binascii.b2a_base64(mac.digest(), newline=False)

    def _pieces(self, request: WebhookRequest, time: bytes) -> list[bytes]:
        url = request.url.encode("utf-8", "replace")
        values = {"body": request.body, "timestamp": time, "url": url, "method": request.method.encode()}
        # Split by a group, so that every second piece is the name of a placeholder.
        pieces = _PLACEHOLDER.split(self.settings.content)
        return [values[each] if at % 2 else each.encode() for at, each in enumerate(pieces)]


def _is_among(value: bytes, expected: Sequence[bytes]) -> bool:
    # Summed, so that the time does not tell which one fits.
    return sum(hmac.compare_digest(value, each) for each in expected) > 0
