"""What the demo needs of a running gateway: to speak to it as its provider, a mail client and an operator."""

import secrets
import time
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import quote

import requests

from gateway.cli.delivery import Delivered, UnreachableError, deliver
from gateway.errors import OurTroubleError
from gateway.flows.dead_letters import secrets_in
from gateway.mail.tokens import LinkTokens
from gateway.net.outgoing import Call, NothingSentError, Outgoing, Returned
from gateway.providers.account import AccountSettings
from gateway.providers.base import Provider, Rehearsal, WebhookRequest
from gateway.providers.registry import build, rehearsal_account, settings_of

_TIMEOUT = 10
_SHORTEST_SECRET = 6  # a shorter one would be found in what people write
# Numbers kept for fiction: 555-0100 to 555-0199 of each area.
_AREAS = (205, 206, 212, 213, 214, 216, 303, 305, 312, 313, 404, 415, 503, 504, 512, 602, 615, 617, 702, 808)
_FICTION = tuple(f"+1{area}55501{line:02d}" for area in _AREAS for line in range(100))


class NoCalls(Outgoing):
    """For a provider that shall call nobody."""

    def call(self, call: Call) -> Returned:
        """Raise `NothingSentError`."""
        raise NothingSentError(f"no call to {call.method} is allowed here")


@dataclass(frozen=True, slots=True)
class Line:
    """One account of the gateway, seen from its provider's side."""

    url: str
    kind: str
    provider: Provider
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    signing_key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str, settings: AccountSettings, signing_key: str | None = None) -> "Line":
        """Return the line of an account; it calls nobody."""
        provider = build(settings, NoCalls())
        return cls(url, settings.provider, provider, frozenset(secrets_in(settings)), signing_key)

    def masked(self, text: str) -> str:
        """Return the text without the account's secrets."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            for form in (secret, quote(secret, safe="")):
                text = text.replace(form, "***") if len(form) >= _SHORTEST_SECRET else text
        return text

    def message(
        self, text: str, number: str, sender: str, *, at: int, message_id: str = ""
    ) -> WebhookRequest:
        """Return the request that brings a message. Raises `CannotRehearseError`."""
        rehearsal = Rehearsal(
            self.url, number, sender, text, message_id or secrets.token_hex(16), at, self.signing_key
        )
        return self.provider.rehearse(rehearsal)

    def forged(self, text: str, number: str, sender: str, *, at: int) -> WebhookRequest:
        """Return the same as somebody would send it who does not have the secrets."""
        return impostor(self.kind, self.url).message(text, number, sender, at=at)


def impostor(kind: str, url: str) -> Line:
    """Return a line of a provider that signs with secrets of its own."""
    settings, key = rehearsal_account(kind)
    return Line.of(url, settings_of(kind).model_validate(settings), key)


@dataclass(frozen=True, slots=True)
class Shop:
    """The running gateway. `links` are None where nobody plays the mail client."""

    base: str
    line: Line
    sender: str
    program: str
    bearer: str = field(repr=False)
    links: LinkTokens | None = field(default=None, repr=False)

    def say(self, text: str, number: str, *, message_id: str, at: int | None = None) -> Delivered:
        """Deliver a message of a person."""
        return deliver(self.line.message(text, number, self.sender, at=at or moment(), message_id=message_id))

    def forge(self, text: str, number: str) -> Delivered:
        """Deliver a message in a person's name without the secrets."""
        return deliver(self.line.forged(text, number, self.sender, at=moment()))

    def state(self, channel: str, address: str) -> str:
        """Say whether the address may be sent to, and why."""
        answer = self._ask(f"/v1/consents/{channel}/{address}", program=self.program)
        (decision,) = answer["decisions"]
        verdict = "may be sent to" if decision["allowed"] else "out"
        return f"{verdict}: {decision['reason']}" + (f", {decision['rule']}" if decision.get("rule") else "")

    def events(self, number: str) -> list[dict[str, str]]:
        """Return what the ledger has of the number, newest first."""
        return self._ask(f"/v1/consents/sms/{number}/events")["events"]

    def strangers(self, count: int) -> list[str]:
        """Return numbers kept for fiction of whom the gateway knows nothing: an earlier demo may have run.

        Raises `OurTroubleError` where too few are left.
        """
        drawn = secrets.SystemRandom().sample(_FICTION, len(_FICTION))
        found = list(islice((number for number in drawn if not self.events(number)), count))
        if len(found) < count:
            raise OurTroubleError(
                f"the demos of this gateway have used up all {len(_FICTION)} made-up numbers"
            )
        return found

    def _ask(self, path: str, **parameters: str) -> dict[str, list[dict[str, str]]]:
        headers = {"Authorization": f"Bearer {self.bearer}"}
        try:
            answer = requests.get(self.base + path, params=parameters, headers=headers, timeout=_TIMEOUT)
            answer.raise_for_status()
        except requests.RequestException as error:
            status = getattr(error.response, "status_code", None)
            told = f"answers {status} to the operator token" if status else "does not answer"
            raise UnreachableError(
                f"the gateway at {self.base} {told}: start it with gateway serve"
            ) from None
        found: dict[str, list[dict[str, str]]] = answer.json()
        return found


def moment() -> int:
    """Return the present time in microseconds."""
    return time.time_ns() // 1_000
