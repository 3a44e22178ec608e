"""A link of ours was opened to act: unsubscribe, or take that back. RFC 8058 and the page's buttons."""

import json
from dataclasses import dataclass
from hashlib import blake2b

from gateway.consent.address import subject_of
from gateway.consent.choice import Choice
from gateway.consent.entry import Entry
from gateway.consent.event import Source
from gateway.keywords.reading import ReadingClass
from gateway.mail.one_click import PostKind
from gateway.mail.tokens import LinkGrant
from gateway.store.group import Ticket
from gateway.store.recorder import Recorder

_ACCOUNT = "link"
_PERSONS = frozenset({PostKind.CONFIRM, PostKind.UNDO})
_CLAIM_BYTES = 12


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of the request, as evidence: never a reason to act or not."""

    token: str
    ip: str
    user_agent: str
    received_at: int


class Unsubscribes:
    """The use case for every kind of POST to a link."""

    def __init__(self, recorder: Recorder, subject_key: bytes) -> None:
        self._recorder = recorder
        self._subject_key = subject_key

    def stage(self, grant: LinkGrant, kind: PostKind, visit: Visit) -> Ticket:
        """Stage the choice. A repeat of what stands already leaves no event (RFC 8058, R59)."""
        undo = kind is PostKind.UNDO
        return self._recorder.stage(
            Entry(
                address=grant.address,
                subject=subject_of(grant.address, self._subject_key),
                account=_ACCOUNT,
                message_id=_claim(visit),
                klass=ReadingClass.OPT_IN if undo else ReadingClass.OPT_OUT,
                choice=Choice.YES if undo else Choice.NO,
                scope=grant.scope,
                sender="",
                source=Source.PAGE if kind in _PERSONS else Source.ONE_CLICK,
                rule=f"{kind}@1",
                said_at=visit.received_at,
                received_at=visit.received_at,
                evidence=_evidence(grant, visit),
                only_if_new=True,
                # The way back leads only to where the person was: a link is no general opt-in.
                only_over=Choice.NO if undo else None,
            )
        )


def _claim(visit: Visit) -> str:
    """Return the claim of a visit. The same link may unsubscribe again after a return: the time is part of it."""
    digest = blake2b(visit.token.encode(), digest_size=_CLAIM_BYTES).hexdigest()
    return f"{digest}.{visit.received_at}"


def _evidence(grant: LinkGrant, visit: Visit) -> str:
    found = {
        "ip": visit.ip,
        "user_agent": visit.user_agent,
        "message": grant.message,
        "link_issued_at": grant.issued_at,
    }
    return json.dumps({key: value for key, value in found.items() if value}, separators=(",", ":"))
