"""A templated HTTP request: `{to}`, `{from}`, `{text}` and `{reference}` are filled in where they stand."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from gateway.errors import CallerError
from gateway.providers.payload import read_json

NAMES = frozenset({"to", "from", "to_digits", "from_digits", "text", "reference"})

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
}

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Template:
    """URL and body before they are filled in."""

    url: str = field(repr=False)
    kind: str | None  # json, form, None: no body
    content: Any = field(repr=False)  # a JSON value, or the pairs of a form

    @classmethod
    def compile(cls, url: str, kind: str | None, body: str) -> "Template":
        """Read the template; raise `ValueError`, without its text, for one that cannot be filled in."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "{" in parts.netloc:
            raise ValueError("url must be an http or https URL with a fixed host")
        _require_known(url + body)
        content = _content(kind, body)
        used = set(_PLACEHOLDER.findall(url + body))
        if not used & {"to", "to_digits"} or "text" not in used:
            raise ValueError(
                "the call names neither person nor text: put {to} and {text} into url or template"
            )
        return cls(url, kind, content)

    @property
    def content_type(self) -> str | None:
        """The media type of the body, None without one."""
        return _CONTENT_TYPES[self.kind] if self.kind else None

    def filled_url(self, values: Values) -> str:
        """Return the URL, every value percent-encoded (RFC 3986 section 2.1)."""
        escaped = {name: quote(value, safe="", errors="replace") for name, value in values.items()}
        return _filled(self.url, escaped)

    def filled_body(self, values: Values) -> bytes:
        """Return the body. Values cannot leave the place where they stand."""
        if self.kind == "json":
            document = _filled_in(self.content, values)
            return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        if self.kind == "form":
            pairs = [(name, _filled(value, values)) for name, value in self.content]
            return urlencode(pairs, errors="replace").encode()
        return b""


def _content(kind: str | None, body: str) -> Any:
    if kind == "json":
        try:
            return read_json(body.encode("utf-8", "surrogatepass"))
        except CallerError:
            raise ValueError("template is no JSON: placeholders stand inside texts, in quotes") from None
    return parse_qsl(body, keep_blank_values=True) if kind == "form" else None


def _require_known(text: str) -> None:
    strangers = sorted(set(_PLACEHOLDER.findall(text)) - NAMES)
    if strangers:
        known = ", ".join(f"{{{name}}}" for name in sorted(NAMES))
        raise ValueError(f"{{{strangers[0]}}} is no placeholder: choose from {known}")


def _filled(text: str, values: Values) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _filled_in(value: Any, values: Values) -> Any:
    if isinstance(value, str):
        return _filled(value, values)
    if isinstance(value, list):
        return [_filled_in(each, values) for each in value]
    if isinstance(value, dict):
        return {name: _filled_in(each, values) for name, each in value.items()}
    return value
