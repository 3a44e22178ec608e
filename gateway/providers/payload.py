"""Reading what providers send, JSON and forms. Whatever cannot be read raises `CallerError`, nothing else."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from gateway.errors import CallerError
from gateway.providers.base import Unreadable

Fields = Mapping[str, Any]
Piece = TypeVar("Piece")

_MOST_KEPT = 4096  # bytes of an unreadable piece
_SMALL_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
# PostgreSQL stores neither NUL nor half of a surrogate pair.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def clean(text: str) -> str:
    """Return the text with every character that cannot be stored replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def read_json(body: bytes) -> Any:
    """Return the value of a JSON body in UTF-8."""
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):  # ValueError: not UTF-8, not JSON, or a number beyond all measure
        raise CallerError("the body is no JSON") from None


def read_object(body: bytes) -> Fields:
    """Return the object that a JSON body holds."""
    return as_object(read_json(body))


def as_object(value: object) -> Fields:
    """Return the value, which must be an object."""
    if not isinstance(value, dict):
        raise CallerError("an object is expected")
    return value


def as_list(value: object) -> Sequence[Any]:
    """Return the value, which must be a list."""
    if not isinstance(value, list):
        raise CallerError("a list is expected")
    return value


def read_form(body: bytes, encoding: str = "utf-8") -> dict[str, str]:
    """Return the parameters of a form body, the first of each name, as they are: give them to `text`."""
    try:
        pairs = _pairs(body, encoding)
    except (UnicodeDecodeError, LookupError):
        raise CallerError("the form is not in the character set that it should be in") from None
    return dict(reversed(pairs))


def read_query(url: str, encoding: str = "utf-8") -> dict[str, str]:
    """Return the parameters of an undecoded URL, the first of each name."""
    query = url.partition("#")[0].partition("?")[2]
    return read_form(query.encode("utf-8", "surrogatepass"), encoding)


def text(fields: Fields, name: str) -> str:
    """Return a text, "" when it is absent or null."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise CallerError(f"{name} is no text")
    return clean(value)


def identifier(fields: Fields, name: str) -> str:
    """Return an id or number that may come as text or whole number, "" when it is absent or null."""
    value = fields.get(name)
    # Python takes true for 1; a float has lost digits already.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text(fields, name).strip()


def required(fields: Fields, name: str) -> str:
    """Return an id or number that must not be blank."""
    value = identifier(fields, name)
    if not value:
        raise CallerError(f"{name} is missing")
    return value


def inner(fields: Fields, name: str) -> Fields:
    """Return the object under `name`, empty when it is absent or null."""
    value = fields.get(name)
    return {} if value is None else as_object(value)


def listed(fields: Fields, name: str) -> Sequence[Any]:
    """Return the list under `name`, empty when it is absent or null."""
    value = fields.get(name)
    return () if value is None else as_list(value)


def count(value: object) -> int:
    """Return a small count that comes as whole number or digits; 0 for anything else."""
    written = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(written) if _SMALL_NUMBER.fullmatch(written) else 0


def found(value: object, *path: str | int) -> str:
    """Return the text or whole number deep in a JSON value as text, "" where the path leads nowhere."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return clean(value) if isinstance(value, str) else ""


def each(pieces: Iterable[Any], read: Callable[[Any], Piece]) -> tuple[list[Piece], list[Unreadable]]:
    """Read every piece of a batch by itself: a bad one is set aside, the rest counts."""
    good, bad = [], []
    for piece in pieces:
        try:
            good.append(read(piece))
        except CallerError as error:
            bad.append(unreadable(piece, error))
    return good, bad


def unreadable(piece: object, error: CallerError) -> Unreadable:
    """Return what operators see of a piece of JSON that could not be read."""
    try:
        written = json.dumps(piece)
    except RecursionError:  # read at the limit of depth, and a few frames deeper by now
        written = ""
    return Unreadable(str(error), written.encode()[:_MOST_KEPT])


def _pairs(body: bytes, encoding: str) -> list[tuple[str, str]]:
    pairs = []
    for pair in body.replace(b"+", b" ").split(b"&"):
        name, _, value = pair.partition(b"=")
        if pair:
            pairs.append((unquote_to_bytes(name).decode(encoding), unquote_to_bytes(value).decode(encoding)))
    return pairs
