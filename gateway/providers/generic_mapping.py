"""Reads messages and reports from a document by the paths of the settings."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from gateway.consent.address import Channel
from gateway.errors import CallerError
from gateway.keywords.reading import ReadingClass
from gateway.providers import numbers, times
from gateway.providers.base import DeliveryStatus, InboundMessage, Part, ProviderReplies
from gateway.providers.generic_paths import Path
from gateway.providers.generic_settings import GenericSettings
from gateway.providers.payload import clean, count
from gateway.providers.provider_replies import SenderReplies

_EVERY_REPORT = ("*",)
_MOST_PARTS = 255  # 3GPP TS 23.040 section 9.2.3.24.1: one octet


@dataclass(frozen=True, slots=True)
class Element:
    """One message or report, in the document that it came in."""

    document: Any
    own: Any

    def first(self, path: Path | None) -> Any:
        """Return the first value at the path, None where there is none."""
        return None if path is None else path.first(self.document if path.is_absolute else self.own)

    def written(self, path: Path | None) -> str:
        """Return a text or whole number as text, "" when it is absent or null."""
        value = self.first(path)
        if value is None:
            return ""
        # Python takes true for 1; a float has lost digits already.
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise CallerError("a value is neither text nor whole number")
        return clean(str(value))


class Mapping:
    """The places of one account, found once."""

    def __init__(self, settings: GenericSettings) -> None:
        self._settings = settings
        self._message = settings.message
        self._replies = SenderReplies(settings)
        self._channel = Channel(settings.channel)
        self._message_elements = settings.elements(settings.message.elements)
        self._status_elements = settings.elements(settings.status.elements)
        self._paths = _paths(settings)
        self._ids = [settings.path(path) for path in settings.message.message_id]
        self._verdicts = _verdicts(settings)
        self._opted_out = _folded(settings.status.opted_out_codes)

    def messages(self, document: Any) -> list[Element]:
        """Return every message of a document, unread; raise `CallerError` where their list is missing."""
        return _elements(self._message_elements, document)

    def reports(self, document: Any) -> list[Element]:
        """Return every report of a document, unread; raises likewise."""
        return _elements(self._status_elements, document)

    def kind(self, element: Element) -> str:
        """Return what tells messages from reports, "" where nothing does."""
        return element.written(self._paths.get("kind"))

    def message(self, element: Element) -> InboundMessage:
        """Return the message; raise `CallerError` when it lacks an id, an end or a text."""
        origin = _required(element.written(self._paths["person"]).strip(), "the person's number")
        sender = element.written(self._paths.get("sender")).strip() or self._message.only_sender or ""
        sender = numbers.business_end(_required(sender, "the business's number"))
        media = self._media(element)
        verdict = self._verdicts.get(element.written(self._paths.get("verdict")).strip().casefold())
        return InboundMessage(
            message_id=self._message_id(element),
            address=numbers.person(origin, self._channel),
            origin=origin,
            sender=sender,
            text=self._text(element, media),
            said_at=self._time(element),
            verdict=verdict,
            provider_replied=verdict is not None and self._replies.of(sender) is not ProviderReplies.NONE,
            media=media,
            service=element.written(self._paths.get("service")) or None,
            part=self._part(element),
        )

    def report(self, element: Element, received_at: int) -> DeliveryStatus:
        """Return the report; raise `CallerError` when it lacks the person or says nothing."""
        person = _required(element.written(self._paths.get("report.person")).strip(), "the person's number")
        status = element.written(self._paths.get("report.status")).strip()
        code = element.written(self._paths.get("report.error_code")).strip()
        every = self._settings.status.opted_out_codes == _EVERY_REPORT
        if not (status or code or every):
            raise CallerError("the status is missing")
        codes = {status.casefold(), code.casefold()} - {""}
        return DeliveryStatus(
            message_id=element.written(self._paths.get("report.message_id"))
            or _made_id(element, received_at),
            address=numbers.person(person, self._channel),
            sender=numbers.business_end(element.written(self._paths.get("report.sender"))),
            status=status or "reported",
            error_code=code or None,
            opted_out=every or not codes.isdisjoint(self._opted_out),
        )

    def _message_id(self, element: Element) -> str:
        values = [_required(element.written(path).strip(), "the id of the message") for path in self._ids]
        if len(values) == 1:
            return values[0]
        return ":".join(quote(value, safe=" +") for value in values)

    def _text(self, element: Element, media: int) -> str:
        path = self._paths["text"]
        # A wrong path must not turn every STOP into silence.
        if element.first(path) is None and not media:
            raise CallerError("the text is missing")
        return element.written(path)

    def _media(self, element: Element) -> int:
        path = self._paths.get("media")
        if path is None:
            return 0
        found = list(path.values(element.document if path.is_absolute else element.own))
        if None in path.steps:
            return len(found)
        value = found[0] if found else None
        return len(value) if isinstance(value, list) else count(value)

    def _time(self, element: Element) -> int | None:
        value = element.first(self._paths.get("time"))
        written = self._message.time_format
        if written == "unix":
            return times.from_epoch(value, times.SECOND)
        if written == "unix_ms":
            return times.from_epoch(value, times.MILLISECOND)
        return times.from_iso(value if written == "iso8601" else _iso(value, written))

    def _part(self, element: Element) -> Part | None:
        if "part_reference" not in self._paths:
            return None
        names = ("part_reference", "part_number", "part_total")
        reference, *figures = (element.written(self._paths.get(name)).strip() for name in names)
        number, total = map(count, figures)
        if not reference or total <= 1:
            return None
        if not 1 <= number <= total <= _MOST_PARTS:
            raise CallerError("the number of the part is out of range")
        return Part(reference, number, total)


def _paths(settings: GenericSettings) -> dict[str, Path]:
    message, status = settings.message, settings.status
    fields = ("person", "sender", "text", "time", "media", "service", "verdict")
    parts = ("part_reference", "part_number", "part_total")
    named = {name: getattr(message, name) for name in (*fields, *parts)}
    reported = ("person", "sender", "message_id", "status", "error_code")
    named |= {f"report.{name}": getattr(status, name) for name in reported}
    named["kind"] = settings.kind
    return {name: settings.path(text) for name, text in named.items() if text}


def _verdicts(settings: GenericSettings) -> dict[str, ReadingClass]:
    message = settings.message
    lists = (
        (message.help_values, ReadingClass.HELP),
        (message.opt_in_values, ReadingClass.OPT_IN),
        (message.opt_out_values, ReadingClass.OPT_OUT),
    )
    return {value: klass for values, klass in lists for value in _folded(values)}


def _folded(values: Sequence[str]) -> set[str]:
    return {value.strip().casefold() for value in values}


def _elements(path: Path, document: Any) -> list[Element]:
    # A wrong setting must not turn every message into nothing.
    if not path.has_list(document):
        raise CallerError("the list is not where elements says")
    return [Element(document, own) for own in path.values(document)]


def _required(value: str, what: str) -> str:
    if not value:
        raise CallerError(f"{what} is missing")
    return value


def _made_id(element: Element, received_at: int) -> str:
    """Return an id for a report without one. What it tells counts again when it comes again."""
    content = json.dumps(element.own, sort_keys=True).encode()
    return f"{sha256(content).hexdigest()[:32]}:{received_at}"


def _iso(value: Any, pattern: str) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.strptime(value.strip(), pattern)  # noqa: DTZ007 - what has no offset is UTC, as for ISO 8601
    except (ValueError, re.error):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()
