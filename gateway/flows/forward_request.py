"""The request that an application gets: the provider's own, our reading beside it, and the signature over both. Pure."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from gateway.errors import ConfigurationError
from gateway.flows.status import event_name
from gateway.net.addresses import Inside
from gateway.net.outgoing import Call
from gateway.providers import standard_webhooks
from gateway.providers.account import AccountSettings, Forwarded
from gateway.store.forwards import Forward, RecordedEvent

READING = "consent-gateway-reading"
# Servers take 8 KiB of a header line and less; all of them take this.
_MOST_READING_BYTES = 4096
# Standard Webhooks 1.0: 15 to 30 seconds.
_SECONDS = 20.0
_FROM_EVIDENCE = ("band", "language", "keyword")


@dataclass(frozen=True, slots=True)
class Target:
    """The application of an account or a sender, and the keys that sign what it gets, newest first."""

    url: str
    keys: tuple[bytes, ...] = field(repr=False)
    provider: str
    mode: Forwarded


class Targets:
    """The applications behind the gateway."""

    def __init__(self, accounts: Mapping[str, AccountSettings], inside: Inside) -> None:
        """Take the accounts; raise `ConfigurationError` for an application that is reached in the clear."""
        self._by_route: dict[tuple[str, str], Target] = {}
        for name, account in accounts.items():
            for sender, url in _urls(account).items():
                _require_allowed(name, sender, url, inside)
                self._by_route[name, sender] = _target(account, url)

    def of(self, forward: Forward) -> Target | None:
        """Return where a forward goes today; the account's application where its sender has no own any more."""
        return self._by_route.get((forward.account, forward.sender)) or self._by_route.get(
            (forward.account, "")
        )


def call_of(forward: Forward, target: Target, events: Sequence[RecordedEvent], at: int) -> Call:
    """Return the request for an attempt at `at` (microseconds UTC). `events` are what the ledger has of it."""
    document = reading_of(forward, target.provider, events)
    return Call(
        forward.method,
        _with_query(target.url, forward.url),
        {
            **dict(json.loads(forward.headers)),
            **_public(forward.url),
            **_signed(forward, target.keys, document, at),
            READING: base64.urlsafe_b64encode(document).decode(),
        },
        forward.body,
        timeout=_SECONDS,
    )


def reading_of(forward: Forward, provider: str, events: Sequence[RecordedEvent]) -> bytes:
    """Return the signed document: what we made of the request, and the digests that bind it to the request.

    It has no number and no text of the person. As many events as fit are in it; `left_out` counts the rest.
    """
    told = [_event(event) for event in events]
    while True:
        document = _document(forward, provider, told, left_out=len(events) - len(told))
        if len(document) <= _MOST_READING_BYTES or not told:
            return document
        told.pop()


def _document(forward: Forward, provider: str, told: Sequence[Mapping[str, Any]], *, left_out: int) -> bytes:
    data = {
        "account": forward.account,
        "provider": provider,
        "method": forward.method,
        "url_sha256": sha256(forward.url.encode("utf-8", "surrogatepass")).hexdigest(),
        "body_sha256": sha256(forward.body).hexdigest(),
        "events": told,
        "left_out": left_out,
    }
    document = {"type": "webhook.forwarded", "timestamp": _moment(forward.received_at), "data": data}
    return json.dumps(document, separators=(",", ":")).encode()


def _event(event: RecordedEvent) -> dict[str, Any]:
    evidence = json.loads(event.evidence) if event.evidence else {}
    return {
        "event": event_name(event.subject, event.seq),
        "message_id": event.message_id,
        "class": event.klass,
        "choice": event.choice,
        "scope": event.scope,
        "sender": event.sender,
        "source": event.source,
        "rule": event.rule,
        "said_at": _moment(event.said_at),
        **{name: evidence[name] for name in _FROM_EVIDENCE if name in evidence},
    }


def _signed(forward: Forward, keys: Sequence[bytes], document: bytes, at: int) -> dict[str, str]:
    """Sign with every key: an application that has one of them can verify while a secret is being rotated."""
    message_id = f"forward_{forward.id.hex()}"
    made = [standard_webhooks.signed(key, message_id=message_id, at=at, body=document) for key in keys]
    signatures = " ".join(each["webhook-signature"] for each in made)
    return {**made[0], "webhook-signature": signatures}


def _public(url: str) -> dict[str, str]:
    """Return the public URL as proxies tell it: the provider's own signature may be over it."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return {
        "x-forwarded-proto": scheme,
        "x-forwarded-host": host,
        "x-forwarded-uri": slash + path,
    }


def _with_query(target: str, url: str) -> str:
    """Return the target with the query of the request, letter by letter."""
    query = url.partition("?")[2]
    if not query:
        return target
    return f"{target}{'&' if '?' in target else '?'}{query}"


def _moment(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def _urls(account: AccountSettings) -> dict[str, str]:
    """Return the applications by sender, "" for the account's."""
    own = {sender: settings.forward_to for sender, settings in account.senders.items()}
    return {sender: url for sender, url in {"": account.forward_to, **own}.items() if url is not None}


def _target(account: AccountSettings, url: str) -> Target:
    keys = tuple(standard_webhooks.key_of(secret.get_secret_value()) for secret in account.forward_secret)
    return Target(url, keys, account.provider, account.forward)


def _require_allowed(name: str, sender: str, url: str, inside: Inside) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" or inside.names(parts.hostname or ""):
        return
    place = f"senders.{sender}.forward_to" if sender else "forward_to"
    raise ConfigurationError(
        f"accounts.{name}.{place}: plain http shows what people wrote to whoever listens: use https, or name the "
        "host in outgoing.allow if it is in your own network"
    )
