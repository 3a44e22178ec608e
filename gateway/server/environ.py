"""What an environ is made of: header keys, request targets, the scheme, the fixed part of a connection."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from gateway.server.refusal import RefusedError

_MAX_HEADER_NAMES = 256
_MAX_TARGETS = 1024
_MAX_CACHED_TARGET = 512
_ABSOLUTE = re.compile(r"https?://([^/?#@]+)((?:[/?#].*)?)", re.ASCII | re.IGNORECASE)
# RFC 3986 has printable ASCII only; everything else must come percent-encoded.
_PRINTABLE = re.compile(rb"[\x21-\x7e]+")
_NOT_PREFIXED = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


class HeaderNames(dict[bytes, str]):
    """Header name as it came over the wire -> environ key; "" for a name that must be dropped.

    `X-A` and `X_A` would share a key, so that a client could forge what a proxy sets; names with an
    underscore are therefore dropped, or refused with a 400 if `refuse` is set.
    """

    def __init__(self, *, refuse: bool = False) -> None:
        super().__init__()
        self._refuse = refuse

    def __missing__(self, name: bytes) -> str:
        key = self._key(name.decode("ascii"))
        if len(self) < _MAX_HEADER_NAMES:
            self[name] = key
        return key

    def _key(self, name: str) -> str:
        if "_" not in name:
            key = name.upper().replace("-", "_")
            return key if key in _NOT_PREFIXED else "HTTP_" + key
        if self._refuse:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "header name with an underscore")
        return ""


class Target(NamedTuple):
    """A request target in the forms an environ wants. `host` is set for the absolute form only."""

    raw: str  # RAW_URI, as it came
    path: str  # PATH_INFO: percent-decoded bytes as latin-1
    query: str
    host: str


class Targets(dict[bytes, Target]):
    """Request target as it came over the wire -> `Target` (RFC 9112 section 3.2).

    `mount` is the SCRIPT_NAME under which the application lives, without a trailing slash. Raises
    `RefusedError`: 400 for a malformed target, 404 for a path outside of the mount.
    """

    def __init__(self, mount: str = "") -> None:
        super().__init__()
        self._mount = mount

    def __missing__(self, raw: bytes) -> Target:
        target = self._read(raw)
        if len(self) >= _MAX_TARGETS:
            self.clear()
        if len(raw) <= _MAX_CACHED_TARGET:
            self[raw] = target
        return target

    def _read(self, raw: bytes) -> Target:
        if not _PRINTABLE.fullmatch(raw):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "request target is not printable ASCII")
        text = raw.decode("ascii")
        if text == "*":
            return Target(text, text, "", "")
        host, rest = _split_authority(text)
        path, _, query = rest.partition("#")[0].partition("?")
        inner = self._below_mount(path)
        return Target(text, unquote_to_bytes(inner).decode("latin-1"), query, host)

    def _below_mount(self, path: str) -> str:
        if not self._mount:
            return path
        inner = path.removeprefix(self._mount)
        if inner == path or (inner and not inner.startswith("/")):
            raise RefusedError(HTTPStatus.NOT_FOUND, "path outside of the mount")
        return inner


def _split_authority(text: str) -> tuple[str, str]:
    if text.startswith("/"):
        return "", text
    absolute = _ABSOLUTE.fullmatch(text)
    if absolute is None:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "unknown form of request target")
    host, rest = absolute.groups()
    return host, rest if rest.startswith("/") else "/" + rest


class SchemeRule(NamedTuple):
    """A header of a trusted proxy that tells whether the client came by https."""

    key: str
    secure: str


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """Peers whose scheme headers are believed, as gunicorn's `forwarded_allow_ips` lists them."""

    rules: tuple[SchemeRule, ...]
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    everyone: bool = False

    @classmethod
    def from_lists(cls, secure_headers: Mapping[str, str], allowed: Iterable[str]) -> "TrustedProxies":
        """Build it from gunicorn's `secure_scheme_headers` and `forwarded_allow_ips` ("*": everyone)."""
        peers = tuple(allowed)
        rules = (
            SchemeRule("HTTP_" + name.upper().replace("-", "_"), value)
            for name, value in secure_headers.items()
        )
        networks = (ipaddress.ip_network(peer) for peer in peers if peer != "*")
        return cls(tuple(rules), tuple(networks), everyone="*" in peers)

    def rules_for(self, peer: object) -> tuple[SchemeRule, ...]:
        """Return the rules that hold for a peer as `accept` gave it; none for a stranger.

        Whoever can open a unix socket is on this machine and was given access to it: trusted.
        """
        if self.everyone or not isinstance(peer, tuple):
            return self.rules
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
        return self.rules if any(address in network for network in self.networks) else ()


def scheme_of(environ: WSGIEnvironment, rules: tuple[SchemeRule, ...]) -> str:
    """Return "https" or "http" by what a trusted proxy says; raise `RefusedError` if it contradicts itself."""
    said = ""
    for key, secure in rules:
        if key not in environ:
            continue
        scheme = "https" if environ[key] == secure else "http"
        if said and said != scheme:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "contradicting scheme headers")
        said = scheme
    return said or "http"


def server_names(address: object) -> dict[str, str]:
    """Return SERVER_NAME and SERVER_PORT of a listener by its `getsockname`.

    A unix socket has neither, and PEP 3333 forbids empty ones; the Host header goes before them anyway.
    """
    if isinstance(address, tuple):
        return {"SERVER_NAME": str(address[0]), "SERVER_PORT": str(address[1])}
    return {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}


def peer_names(peer: object) -> dict[str, str]:
    """Return REMOTE_ADDR and REMOTE_PORT of a peer as `accept` gave it; a unix peer has no address."""
    if isinstance(peer, tuple):
        return {"REMOTE_ADDR": str(peer[0]), "REMOTE_PORT": str(peer[1])}
    return {"REMOTE_ADDR": ""}
