"""The JSON documents of the API, as bytes. Pure: the same value, the same bytes, whoever sends them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from gateway.consent import scope
from gateway.consent.address import Address, Channel
from gateway.consent.decision import Decision
from gateway.consent.event import Event
from gateway.consent.state import State
from gateway.flows.check import CheckResult
from gateway.flows.interpret import Interpretation
from gateway.flows.links import LinkHeaders
from gateway.flows.status import Asked, ProgramStatus, Status, event_name, is_by_default
from gateway.providers.base import Answer
from gateway.settings import ProgramSettings
from gateway.store.reader import Suppression

JSON_TYPE = "application/json"

_HEADERS = (("Cache-Control", "no-store"),)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC throughout, and quicker without saying so
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Document = dict[str, Any]


def json_answer(body: bytes) -> Answer:
    """Return the answer that carries a document."""
    return Answer(200, JSON_TYPE, body, _HEADERS)


@lru_cache(maxsize=1024)  # a document names the same times again and again
def instant(at: int) -> str:
    """Return microseconds since 1970 UTC as RFC 3339 writes them, always with six decimals."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds") + "Z"


def status_document(status: Status) -> bytes:
    """Return the document of `GET /v1/consents/<channel>/<address>`."""
    subject = status.subject
    return _bytes(
        {
            "channel": status.address.channel,
            "address": status.address.value,
            "subject": subject.hex(),
            "known": status.known,
            "last_event": event_name(subject, status.last_seq) if status.last_seq else None,
            "decisions": [_program(status, found) for found in status.programs],
            "states": [_state(status, key, state) for key, state in sorted(status.states.items())],
            "suppressions": [_suppression(found) for _, found in sorted(status.suppressions.items())],
        }
    )


def events_document(
    address: Address, subject: bytes, events: Sequence[Event], next_before: int | None
) -> bytes:
    """Return the document of the timeline: newest first, and the cursor of what comes after."""
    return _bytes(
        {
            "channel": address.channel,
            "address": address.value,
            "subject": subject.hex(),
            "events": [_event(event) for event in events],
            "next_before": next_before,
        }
    )


def check_document(channel: Channel, program: Asked, results: Iterable[CheckResult]) -> bytes:
    """Return the document of a check: one result for each address, in their order."""
    return _bytes(
        {
            "channel": channel,
            "program": program.rule.slug,
            "name": program.name,
            "purpose": program.rule.purpose,
            "default_choice": program.rule.default_choice,
            "results": [_result(found) for found in results],
        }
    )


def links_document(channel: Channel, program: str, links: Iterable[LinkHeaders]) -> bytes:
    """Return the document of minted links: one for each recipient, in their order."""
    return _bytes({"channel": channel, "program": program, "links": [_link(link) for link in links]})


def interpretation_document(found: Interpretation) -> bytes:
    """Return the document of a dry run."""
    reading = found.reading
    return _bytes(
        {
            "class": reading.klass,
            "band": reading.band,
            "reach": reading.reach,
            "program": reading.program,
            "choice": found.choice,
            "scopes": found.scopes,
            "reply": found.reply,
            "reply_text": found.reply_text,
            "rule": reading.rule,
            "language": reading.language or None,
            "keyword": reading.keyword or None,
            "span": reading.span,
            "stages": reading.stages,
            "sender": found.sender or None,
            "marketing": found.marketing,
        }
    )


def programs_document(programs: Mapping[str, tuple[ProgramSettings, Asked]]) -> bytes:
    """Return the document of the configured programs."""
    return _bytes({"programs": [_program_settings(slug, *program) for slug, program in programs.items()]})


def _bytes(document: Document) -> bytes:
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:
        # Evidence may hold half of a surrogate pair, as a provider's JSON can, or a very large number.
        return _encode(document).encode(errors="replace")


def _program(status: Status, found: ProgramStatus) -> Document:
    rule, decision = found.program.rule, found.decision
    event = status.event_of(decision.state)
    return {
        "program": rule.slug,
        "name": found.program.name,
        "purpose": rule.purpose,
        **_decision(decision, status.address.channel, status.subject),
        "source": None if event is None else event.source,
        "rule": None if event is None else event.rule,
        "default_choice": rule.default_choice,
        "by_default": is_by_default(found.decision),
        "warning": found.warning,
    }


def _decision(decision: Decision, channel: Channel, subject: bytes) -> Document:
    state = decision.state
    return {
        "allowed": decision.allowed,
        "reason": decision.reason,
        "ajo_code": decision.ajo_code(channel),
        "scope": decision.scope,
        "choice": None if state is None else state.choice,
        "said_at": None if state is None else instant(state.said_at),
        "event": None if state is None else event_name(subject, state.seq),
    }


def _state(status: Status, key: str, state: State) -> Document:
    event = status.event_of(state)
    return {
        "scope": key,
        "choice": state.choice,
        "said_at": instant(state.said_at),
        "event": event_name(status.subject, state.seq),
        "class": None if event is None else event.klass,
        "source": None if event is None else event.source,
        "rule": None if event is None else event.rule,
        "account": None if event is None else event.account,
        "message_id": None if event is None else event.message_id,
        "received_at": None if event is None else instant(event.received_at),
    }


def _suppression(found: Suppression) -> Document:
    return {"reason": found.reason, "since": instant(found.since), "source": found.source}


def _event(event: Event) -> Document:
    return {
        "event": event.event_id,
        "seq": event.seq,
        "class": event.klass,
        "choice": event.choice,
        "scopes": scope.split(event.scope),
        "sender": event.sender or None,
        "source": event.source,
        "rule": event.rule,
        "said_at": instant(event.said_at),
        "received_at": instant(event.received_at),
        "recorded_at": instant(event.recorded_at),
        "account": event.account,
        "message_id": event.message_id,
        "actor": event.actor,
        "reply": event.reply,
        "text": event.text,
        "evidence": _evidence(event.evidence),
    }


def _evidence(text: str | None) -> object:
    """Return the evidence as JSON; as it stands where somebody has altered it."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _result(found: CheckResult) -> Document:
    if found.address is None or found.subject is None or found.decision is None:
        return {**_NO_ADDRESS, "error": found.error}
    return {
        "address": found.address.value,
        **_decision(found.decision, found.address.channel, found.subject),
        "by_default": is_by_default(found.decision),
        "warning": found.warning,
        "error": None,
    }


_NO_ADDRESS = {
    "address": None,
    "allowed": False,
    "reason": None,
    "ajo_code": None,
    "scope": None,
    "choice": None,
    "said_at": None,
    "event": None,
    "by_default": False,
    "warning": None,
}


def _link(link: LinkHeaders) -> Document:
    return {
        "address": None if link.address is None else link.address.value,
        "url": link.url or None,
        "headers": dict(link.headers),
        "error": link.error,
    }


def _program_settings(slug: str, program: ProgramSettings, asked: Asked) -> Document:
    return {
        "program": slug,
        "name": program.name,
        "purpose": program.purpose,
        "default_choice": program.default_choice,
        "senders": program.senders,
        "languages": program.languages,
        "stop_scope": program.stop_scope,
        "double_opt_in": program.double_opt_in,
        "path": asked.rule.path,
    }
