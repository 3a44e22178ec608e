"""Webhooks that could not be read: how one is kept, without its proof, and how it is read again later."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

from gateway.consent.entry import Result
from gateway.errors import CallerError, NotForUsError
from gateway.flows.addresses import parsed
from gateway.flows.intake import ApiAccount, Intake, settle
from gateway.providers.base import Provider, Received, WebhookRequest
from gateway.store.dead_letters import DeadLetter, DeadLetters, LetterKind

_ID_LETTERS = 24
_LONGEST_REASON = 500
_HIDDEN = "***"
_SHORTEST_SECRET = 6  # a shorter one would be found in what people write; it goes where it is a whole value
# What parsers read. All other headers go: Authorization, signatures, and secrets under names of somebody's choice.
_READ_HEADERS = frozenset({"content-type", "content-encoding", "webhook-id", "webhook-timestamp"})
# CloudEvents 1.0, HTTP binding, section 3.1.3; Azure Event Grid; Amazon SNS.
_READ_PREFIXES = ("ce-", "aeg-", "x-amz-sns-")
# Vonage signs with a parameter of the URL or the form.
_SIGNATURE = re.compile(r"(?<=[?&])(sig|signature)=[^&#]*", re.IGNORECASE)


class NoAccountError(CallerError):
    """The account of the letter is configured no more."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of reading a letter again. `problem` says what is still unreadable, "" when nothing is."""

    recorded: int = 0
    repeated: int = 0
    problem: str = ""


def secrets_in(settings: object) -> Iterator[str]:
    """Yield every secret of an account's settings, however deep it stands."""
    if isinstance(settings, SecretStr):
        yield settings.get_secret_value()
    elif isinstance(settings, BaseModel):
        for name in type(settings).model_fields:
            yield from secrets_in(getattr(settings, name))
    elif isinstance(settings, Mapping):
        yield from (secret for value in settings.values() for secret in secrets_in(value))
    elif isinstance(settings, list | tuple | set | frozenset):
        yield from (secret for value in settings for secret in secrets_in(value))


class Copies:
    """Makes copies of an account's requests that hold none of its secrets."""

    def __init__(self, account: str, secrets: Iterable[str]) -> None:
        self._account = account
        given = {secret for secret in secrets if secret}
        forms = {form for secret in given for form in (secret, quote(secret, safe=""), quote_plus(secret))}
        self._forms = sorted((form for form in forms if len(form) >= _SHORTEST_SECRET), key=len, reverse=True)
        values = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        self._value = re.compile(rf"(?<==)(?:{values})(?=[&#]|$)") if values else None

    def letter(self, request: WebhookRequest, kind: LetterKind, reason: str) -> DeadLetter:
        """Return the dead letter of a verified request. The same content makes the same id."""
        url = self._url(request.url)
        body = self._bytes(request.body)
        content = (self._account, kind, request.method, url)
        digest = sha256("\0".join(content).encode("utf-8", "surrogatepass") + b"\0" + body)
        return DeadLetter(
            id=digest.hexdigest()[:_ID_LETTERS],
            account=self._account,
            kind=kind,
            reason=reason[:_LONGEST_REASON],
            received_at=request.received_at,
            method=request.method,
            url=url,
            headers={name: self._text(request.headers[name]) for name in request.headers if _is_read(name)},
            body=body,
            repeated_at=request.received_at,
        )

    def _url(self, url: str) -> str:
        url = _SIGNATURE.sub(rf"\1={_HIDDEN}", url)
        return self._text(url if self._value is None else self._value.sub(_HIDDEN, url))

    def _text(self, value: str) -> str:
        for form in self._forms:
            value = value.replace(form, _HIDDEN)
        return value.replace("\0", "\ufffd")

    def _bytes(self, value: bytes) -> bytes:
        for form in self._forms:
            value = value.replace(form.encode(), _HIDDEN.encode())
        return value


def request_of(letter: DeadLetter) -> WebhookRequest:
    """Return the request as it came, but for its proof."""
    return WebhookRequest(letter.method, letter.url, letter.headers, letter.body, letter.received_at)


def reason_of(received: Received, *, refused: bool) -> str:
    """Say what of a webhook could not be read or recorded; "" when all could. Without personal data."""
    found = Counter(piece.reason for piece in received.unreadable)
    reasons = [reason if number == 1 else f"{reason} ({number} times)" for reason, number in found.items()]
    if refused:
        reasons.append("the database refused what it says")
    return "; ".join(reasons)


class Replays:
    """The use case: read a letter with today's code, without a look at its proof, which was checked when it came."""

    def __init__(
        self,
        letters: DeadLetters,
        intake: Intake,
        providers: Mapping[str, Provider],
        kinds: Mapping[str, str],
    ) -> None:
        self._letters = letters
        self._intake = intake
        self._providers = providers
        self._kinds = kinds

    def replay(self, letter: DeadLetter, *, actor: str, now: int) -> Replayed:
        """Record what the letter holds, as said when it came, and mark it handled if all could be read.

        What was recorded before makes no second event. Raises `NoAccountError`, and `OurTroubleError`.
        """
        account = self._account(letter.account)
        try:
            received = self._parsed(letter)
        except NotForUsError:
            received = Received()
        except CallerError as error:
            return Replayed(problem=str(error))
        found = settle(self._intake.stage(received, account, letter.received_at))
        problem = reason_of(received, refused=found.poison is not None)
        if not problem:
            self._letters.handle(letter.id, actor=actor, now=now)
        recorded = sum(outcome.result is Result.RECORDED for outcome in found.outcomes)
        return Replayed(recorded, len(found.outcomes) - recorded, problem)

    def _account(self, name: str) -> ApiAccount:
        if name not in self._providers:
            raise NoAccountError(f"the account {name} is not configured any more")
        return ApiAccount(name, self._kinds[name], self._providers[name])

    def _parsed(self, letter: DeadLetter) -> Received:
        return parsed(self._providers[letter.account], request_of(letter), letter.kind)


def _is_read(name: str) -> bool:
    return name in _READ_HEADERS or name.startswith(_READ_PREFIXES)
