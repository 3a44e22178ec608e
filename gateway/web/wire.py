"""A request as it came over the wire, from its WSGI environment."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from gateway.providers.base import WebhookRequest
from gateway.store.ledger import now_microseconds

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_UNPREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class WireHeaders(Mapping[str, str]):
    """The headers of an environment under their lower-case names, looked up when asked for."""

    __slots__ = ("_environ",)

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        value: str = self._environ[_variable(name)]
        return value

    def __iter__(self) -> Iterator[str]:
        for key in self._environ:
            if key.startswith("HTTP_"):
                yield key[5:].replace("_", "-").lower()
        yield from (name for name, key in _UNPREFIXED.items() if key in self._environ)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def webhook_request(environ: "WSGIEnvironment", base: str, body: bytes) -> WebhookRequest:
    """Return the request under its public URL: the configured base and the target as it was sent.

    The framework's own URL is decoded and normalised, and its host comes from the caller: a signature over
    the real one would not fit.
    """
    url = base + raw_target(environ)
    return WebhookRequest(environ["REQUEST_METHOD"], url, WireHeaders(environ), body, now_microseconds())


def raw_target(environ: "WSGIEnvironment") -> str:
    """Return path and query undecoded, as the request line had them."""
    raw: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if raw.startswith("/"):
        return raw
    # Another server, or a proxy that sent the absolute form: the path as near as WSGI lets us know it.
    path = quote(environ.get("PATH_INFO", "/").encode("latin-1"), safe="/:@!$&'()*+,;=~")
    query = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


def client_ip(environ: "WSGIEnvironment", trusted_proxies: int) -> str:
    """Return the caller's address as seen by the outermost proxy that we trust. Evidence, never identity."""
    peer: str = environ.get("REMOTE_ADDR", "")
    if trusted_proxies == 0:
        return peer
    forwarded = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    hops = [*forwarded, peer]
    return str(hops[-1 - min(trusted_proxies, len(forwarded))])


@lru_cache(maxsize=512)
def _variable(name: str) -> str:
    return _UNPREFIXED.get(name) or "HTTP_" + name.upper().replace("-", "_")
