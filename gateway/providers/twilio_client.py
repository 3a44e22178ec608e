"""The transport of Twilio's official library: its requests leave by the same way as all other calls."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from twilio.http import HttpClient  # type: ignore[import-untyped]  # the library ships no types
from twilio.http.response import Response  # type: ignore[import-untyped]  # the library ships no types

from gateway.net.outgoing import Call, Outgoing

_FORM = "application/x-www-form-urlencoded"


class OutgoingClient(HttpClient):  # type: ignore[misc]  # the library ships no types
    """Makes each request once, and never follows a redirect."""

    def __init__(self, net: Outgoing, *, timeout: float) -> None:
        super().__init__(None, is_async=False, timeout=timeout)
        self._net = net

    def request(  # noqa: PLR0913 - the library's signature
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        *,
        allow_redirects: bool = False,  # noqa: ARG002 - the library's signature; it asks for none
    ) -> Any:
        """Return the library's form of the answer. Raises `NothingSentError` and `OutcomeUnknownError`."""
        url = f"{uri}?{urlencode(params, doseq=True)}" if params else uri
        sent = dict(headers or {})
        body = _body(data, sent)
        returned = self._net.call(
            Call(method.upper(), url, sent, body, auth, self.timeout if timeout is None else timeout)
        )
        return Response(returned.status, returned.body.decode("utf-8", "replace"), dict(returned.headers))


def _body(data: Mapping[str, object] | None, headers: dict[str, str]) -> bytes:
    if data is None:
        return b""
    if headers.get("Content-Type", _FORM) != _FORM:
        return json.dumps(data).encode()
    headers["Content-Type"] = _FORM
    return urlencode(data, doseq=True).encode()
