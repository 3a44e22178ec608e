"""Delivers a provider's request over HTTP, byte for byte as it was signed."""

from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import requests

from gateway.errors import ConfigurationError
from gateway.providers.base import WebhookRequest

_TIMEOUT = 20
_SUCCESS = range(200, 300)


class UnreachableError(ConfigurationError):
    """No answer came."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the gateway answered."""

    status: int
    content_type: str
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether a provider would take it for one."""
        return self.status in _SUCCESS

    @property
    def words(self) -> str:
        """What a person would get by this answer: the texts of an XML answer, or all of a plain one."""
        if not self.is_success:
            return ""
        if "xml" in self.content_type:
            return " ".join(element.text or "" for element in ET.fromstring(self.body)).strip()  # noqa: S314 - our own answer
        return self.body.decode("utf-8", "replace").strip()


def deliver(request: WebhookRequest, *, via: str | None = None) -> Delivered:
    """Post the request to its own URL, or with the same path to the base URL `via`.

    Raises `UnreachableError` when nobody answers.
    """
    prepared = requests.Request(request.method, request.url, headers=dict(request.headers)).prepare()
    parts = urlsplit(request.url)
    base = via.rstrip("/") if via else f"{parts.scheme}://{parts.netloc}"
    # Its own quoting would alter the target, which a signature may cover.
    prepared.url = base + request.url.removeprefix(f"{parts.scheme}://{parts.netloc}")
    prepared.prepare_body(request.body or None, None)
    try:
        with requests.Session() as session:
            settings = session.merge_environment_settings(base, {}, None, None, None)
            answer = session.send(prepared, timeout=_TIMEOUT, allow_redirects=False, **settings)
    except requests.RequestException:
        raise UnreachableError(
            f"nobody answers at {base}: is the gateway running? Start it: gateway serve"
        ) from None
    return Delivered(answer.status_code, answer.headers.get("Content-Type", ""), answer.content)
