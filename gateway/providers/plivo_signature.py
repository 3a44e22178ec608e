"""Plivo's webhook signatures, second and third version, and the parameters of a request.

Sources: Plivo, "Validating requests" (signature validation V2 and V3); agrees with the official library wherever
that one reads parameters as UTF-8. The first version (HMAC-SHA1, without nonce) is not accepted.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from gateway.errors import NotAuthenticError
from gateway.providers.base import WebhookRequest

FORM_TYPE = "application/x-www-form-urlencoded"

_V2, _V3 = "v2", "v3"

Pairs = Sequence[tuple[str, str]]


class Verifier:
    """Proves that requests come from Plivo, with the auth tokens of one account and of its main account."""

    __slots__ = ("_by_header",)

    def __init__(self, tokens: Sequence[str], main_tokens: Sequence[str]) -> None:
        own = [token.encode() for token in tokens]
        main = [token.encode() for token in main_tokens]
        # "Ma" is the same signature by the token of the main account, for the traffic of subaccounts.
        self._by_header = {"": own, "ma-": main}

    def verified_fields(self, request: WebhookRequest) -> Mapping[str, str]:
        """Return the parameters of a genuine request; raise `NotAuthenticError` for every other one.

        The third version covers everything and is checked where the request has it. The second covers scheme,
        host and path alone: whoever saw one can sign anything with its nonce.
        """
        pairs = read_pairs(request)
        version = _V3 if self._offers(request, _V3) else _V2
        content = _covered(request, pairs) if version == _V3 else _place(request.url)
        if not self._is_signed(request, version, content):
            raise NotAuthenticError("the signature does not match")
        return first_values(pairs)

    def reusable_nonce(self, request: WebhookRequest) -> str | None:
        """Return the nonce of a true signature of the second version, which would fit other content as well.

        Also beside the third version: somebody could take that one off and keep the other.
        """
        is_true = self._offers(request, _V2) and self._is_signed(request, _V2, _place(request.url))
        return _nonce(request, _V2) if is_true else None

    def headers(self, request: WebhookRequest, nonce: str) -> dict[str, str]:
        """Return the headers with which Plivo would sign this request, by the first token, in both versions."""
        contents = {_V2: _place(request.url), _V3: _covered(request, read_pairs(request))}
        token = self._by_header[""][0]
        signatures = {
            f"x-plivo-signature-{version}": _signature(token, version, content, nonce)
            for version, content in contents.items()
        }
        nonces = {_nonce_header(version): nonce for version in contents}
        return signatures | nonces

    def _offers(self, request: WebhookRequest, version: str) -> bool:
        return any(request.headers.get(f"x-plivo-signature-{who}{version}") for who in self._by_header)

    def _is_signed(self, request: WebhookRequest, version: str, content: str) -> bool:
        nonce = _nonce(request, version)
        if not nonce:
            return False
        for who, tokens in self._by_header.items():
            text = request.headers.get(f"x-plivo-signature-{who}{version}", "")
            offered = [one.strip().encode("utf-8", "replace") for one in text.split(",")]
            wanted = [_signature(token, version, content, nonce).encode() for token in tokens]
            if any(hmac.compare_digest(one, each) for one in offered for each in wanted):
                return True
        return False


def read_pairs(request: WebhookRequest) -> Pairs:
    """Return the parameters: of the URL for GET, else of the form; raise `NotAuthenticError` unless UTF-8.

    Any other body holds none, so that nothing is ever read that the third version does not cover.
    """
    if request.method == "GET":
        return _pairs(_query(request.url).encode("utf-8", "surrogatepass"))
    if request.method != "POST":
        raise NotAuthenticError("Plivo uses GET and POST only")
    return _pairs(request.body) if request.content_type == FORM_TYPE else ()


def first_values(pairs: Pairs) -> Mapping[str, str]:
    """Return the first value of each name."""
    return dict(reversed(pairs))


def _covered(request: WebhookRequest, pairs: Pairs) -> str:
    """Return what the third version signs before the nonce."""
    query = pairs if request.method == "GET" else _pairs(_query(request.url).encode("utf-8", "surrogatepass"))
    form = () if request.method == "GET" else pairs
    mark = "?" if query or form else ""
    point = "." if query and form else ""
    written = "&".join(f"{name}={value}" for name, value in sorted(query))
    return (
        f"{_place(request.url)}{mark}{written}{point}{''.join(name + value for name, value in sorted(form))}"
    )


def _signature(token: bytes, version: str, content: str, nonce: str) -> str:
    joined = f"{content}.{nonce}" if version == _V3 else content + nonce
    digest = hmac.digest(token, joined.encode("utf-8", "surrogatepass"), "sha256")
    return base64.b64encode(digest).decode()


def _nonce(request: WebhookRequest, version: str) -> str:
    """Return the nonce of a signature, "" when there is none that is ASCII."""
    nonce = request.headers.get(_nonce_header(version), "").strip()
    return nonce if nonce.isascii() else ""


def _nonce_header(version: str) -> str:
    return f"x-plivo-signature-{version}-nonce"


def _place(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]


def _query(url: str) -> str:
    return url.partition("#")[0].partition("?")[2]


def _pairs(text: bytes) -> Pairs:
    pairs = []
    for pair in filter(None, text.replace(b"+", b" ").split(b"&")):
        name, _, value = pair.partition(b"=")
        try:
            pairs.append((unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()))
        except UnicodeDecodeError:
            raise NotAuthenticError("the parameters are not UTF-8") from None
    return pairs
