"""What every provider has to stand: forgeries, repetitions, clocks, malformed bodies and trouble of ours.

Every row of the registry runs through all of it, from its own made-up account. What a provider cannot have is
in `TRAITS` with the reason, and the test then shows that it has it not.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from pydantic import ValidationError
from sqlalchemy import Engine, select, text
from support.databases import sqlite_url
from support.logs import everything_logged
from support.rehearsals import BASE, NOW, SENDER, VARIANTS, Case, fresh_id, now, other_text, spoiled
from support.server import MASTER
from werkzeug.test import TestResponse

from gateway.app import create_app
from gateway.errors import CallerError, NotAuthenticError
from gateway.flows.dead_letters import secrets_in
from gateway.providers.base import InboundMessage, Provider, WebhookRequest
from gateway.providers.registry import KINDS
from gateway.settings import Settings
from gateway.store.tables import dead_letters, events, message_parts, nonces, outbox, states

TEXT, NUMBER = "sentinel words of a person", "+15550107777"
STORED = (events, states, outbox, dead_letters, message_parts)


@dataclass(frozen=True)
class Traits:
    """What a provider's requests are made of. A text in place of a value is the reason why there is none."""

    proofs: tuple[str, ...]  # where they stand, as `spoiled` takes it
    secrets: tuple[str, ...]  # the settings that hold what they are checked with
    # Seconds for which a signed time is good, before and after it; None: without end.
    window: int | tuple[int | None, int] | str
    cover: bool | str = True  # whether the proof covers what the person says
    nonce: bool | str = "the proof covers the body, so a repetition is a duplicate"
    required: tuple[str, ...] = ()  # the settings that must not be empty, if not `secrets`


UNSIGNED = "the provider shows a credential and signs nothing"
NO_TIME = "the provider signs no time"
ADDRESS_ONLY = "Plivo's V2 signs the address and a nonce"
WEBHOOK = ("header webhook-id", "header webhook-timestamp", "header webhook-signature")
BASIC, URL = "header authorization", "query key"
SINCH = tuple(f"header x-sinch-webhook-signature{part}" for part in ("", "-nonce", "-timestamp"))
NOTIFICATIONS = ("header messagebird-signature", "header messagebird-request-timestamp")
HEX = ("query sig",)  # hex is the same in either case
A_DAY_AND_AN_HOUR = 90_000  # for as long as Vonage repeats what was not answered, and an hour

TRAITS = {
    "aws": Traits(("json Signature",), ("certificates",), (None, 3600), required=("topics",)),
    "azure": Traits(("query code",), ("url_secrets",), UNSIGNED, UNSIGNED, UNSIGNED),
    "bandwidth": Traits((BASIC,), ("basic",), UNSIGNED, UNSIGNED, UNSIGNED),
    "bird": Traits(WEBHOOK, ("signing_keys",), 300),
    # The token is good from its making for 60 seconds, with a second of leeway on either side.
    "bird-legacy": Traits(("header messagebird-signature-jwt",), ("signing_keys",), (1, 61)),
    "bird-notifications": Traits(NOTIFICATIONS, ("signing_keys",), 300),
    "clickatell": Traits((BASIC, URL), ("basic", "url_secrets"), UNSIGNED, UNSIGNED, UNSIGNED),
    "generic": Traits(("header x-signature", "header x-timestamp"), ("hmac_secrets",), 300),
    "generic-webhooks": Traits(WEBHOOK, ("webhook_secrets",), 300),
    "infobip": Traits((BASIC, URL), ("basic", "url_secrets"), UNSIGNED, UNSIGNED, UNSIGNED),
    "jasmin": Traits((URL,), ("url_secrets",), UNSIGNED, UNSIGNED, UNSIGNED),
    "kannel": Traits((URL,), ("url_secrets",), UNSIGNED, UNSIGNED, UNSIGNED),
    "plivo": Traits(
        ("header x-plivo-signature-v2", "header x-plivo-signature-v2-nonce"),
        ("auth_tokens",),
        NO_TIME,
        ADDRESS_ONLY,
        nonce=True,
    ),
    "plivo-v3": Traits(
        ("header x-plivo-signature-v3", "header x-plivo-signature-v3-nonce"), ("auth_tokens",), NO_TIME
    ),
    "sinch": Traits(SINCH, ("webhook_secrets",), 300),
    "sinch-conversation": Traits(SINCH, ("webhook_secrets",), 300),
    "telnyx": Traits(("header telnyx-signature-ed25519", "header telnyx-timestamp"), ("public_keys",), 300),
    "twilio": Traits(("header x-twilio-signature",), ("auth_tokens",), NO_TIME),
    "vonage": Traits((BASIC,), ("signature_secrets",), A_DAY_AND_AN_HOUR),
    "vonage-sms": Traits(("query sig",), ("signature_secrets",), A_DAY_AND_AN_HOUR),
}

CASES = (*KINDS, *VARIANTS)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return Case.of(request.param)


@pytest.fixture
def traits(case: Case) -> Traits:
    return TRAITS[case.name]


def is_accepted(case: Case, request: WebhookRequest) -> bool:
    """Judge by both ways in; nothing but our own error may come of a forgery."""
    provider = case.provider()
    try:
        provider.verify(request)
    except NotAuthenticError:
        with pytest.raises(NotAuthenticError):
            provider.receive(request)
        assert provider.refuse(request).status >= 400
        return False
    return True


def test_every_provider_says_what_it_has_and_has_not():
    assert sorted(TRAITS) == sorted(CASES)


# -- proofs ----------------------------------------------------------------------------------------------


def test_a_right_request_is_accepted_and_read(case: Case):
    request = case.request("Stöp ✋ please", message_id="m-1")
    assert is_accepted(case, request)
    [message] = case.provider().receive(request).messages
    assert (message.text, message.sender, message.message_id) == ("Stöp ✋ please", SENDER, "m-1")
    assert message.address is not None
    assert message.address.value == "+15550100123"


CHANGES = {
    "missing": lambda _: None,
    "empty": lambda _: "",
    "blank": lambda _: " ",
    "truncated": lambda value: value[: len(value) // 2],
    "lengthened": lambda value: value + value[-1:],
    "altered": lambda value: value[: (at := len(value) // 2)] + chr(ord(value[at]) ^ 1) + value[at + 1 :],
    "of another case": str.swapcase,
    "Latin-1": lambda value: "\xe9" + value[1:],
    "beyond Latin-1": lambda value: "\u2603" + value,
    "half a surrogate pair": lambda value: value + "\ud800",
    "endless": lambda value: value * 500,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_spoiled_proof_is_refused(case: Case, traits: Traits, change: str):
    for proof in traits.proofs:
        request = case.request()
        forged = _spoiled(request, proof, change)
        if forged != request:
            assert is_accepted(case, forged) is (change == "of another case" and proof in HEX), proof


def _spoiled(request: WebhookRequest, proof: str, change: str) -> WebhookRequest:
    try:
        return spoiled(request, proof, CHANGES[change])
    except UnicodeEncodeError:  # a URL or form cannot carry half of a pair
        return request


def test_the_proof_of_another_account_is_refused(case: Case):
    assert not is_accepted(case, Case.of(case.name).request())


def test_other_words_under_the_same_proof(case: Case, traits: Traits):
    request = other_text(case.request("STOPNOW"), "STOPNOW", "GOONOK1")
    assert is_accepted(case, request) is (traits.cover is not True)


@pytest.mark.parametrize("empty", [[], [""], [" "], "", None])
def test_an_empty_secret_does_not_start(case: Case, traits: Traits, empty: Any):
    names = traits.required or traits.secrets
    assert case.model()
    for spoilt in (names,) if not empty else [(name,) for name in names]:
        with pytest.raises(ValidationError):
            case.with_settings(**dict.fromkeys(spoilt, empty)).model()


def test_an_account_without_its_secrets_does_not_start(case: Case, traits: Traits):
    needed = traits.required or traits.secrets
    left = {name: value for name, value in case.settings.items() if name not in needed}
    with pytest.raises(ValidationError):
        replace(case, settings=left).model()


def test_the_old_and_the_new_secret_are_good_while_they_are_changed(case: Case, traits: Traits):
    other = Case.of(case.name)
    new = replace(
        case.with_settings(**{name: other.settings[name] for name in traits.secrets}),
        signing_key=other.signing_key,
    )
    both = case.with_settings(
        **{name: [*new.settings[name], *case.settings[name]] for name in traits.secrets}
    )
    assert is_accepted(both, case.request())
    assert is_accepted(both, new.request())
    assert not is_accepted(both, Case.of(case.name).request())
    assert not is_accepted(new, case.request())


@pytest.mark.parametrize("late", [-1, 1], ids=["before", "after"])
def test_a_signed_time_is_good_for_a_while_only(case: Case, traits: Traits, late: int):
    request = case.request()
    if isinstance(traits.window, str):
        assert is_accepted(case, replace(request, received_at=NOW + late * 86_400 * 30_000_000))
        return
    windows = traits.window if isinstance(traits.window, tuple) else (traits.window, traits.window)
    window = windows[0 if late < 0 else 1]
    if window is None:
        return
    for seconds, good in ((window - 2, True), (window + 2, False)):
        moved = replace(request, received_at=NOW + late * seconds * 1_000_000)
        assert is_accepted(case, moved) is good


# -- the whole application -------------------------------------------------------------------------------


class Gate:
    """The real application on SQLite, with an account of every kind."""

    def __init__(self, url: str) -> None:
        self.cases = {name: Case.of(name) for name in CASES}
        settings = {
            "server": {"public_url": BASE},
            "keys": {"master": MASTER},
            "database": {"url": url},
            "accounts": {
                name: {**case.settings, "provider_replies": "none"} for name, case in self.cases.items()
            },
            "programs": {
                "offers": {
                    "name": "Acme Offers",
                    "purpose": "marketing",
                    "default_choice": "y",
                    "senders": [SENDER],
                    "contact": "help@example.com",
                }
            },
        }
        self.app: Flask = create_app(Settings.model_validate(settings))
        self.app.testing = False

    @property
    def engine(self) -> Engine:
        engine: Engine = self.app.extensions["gateway"].engine
        return engine

    def deliver(self, request: WebhookRequest, **options: Any) -> TestResponse:
        values = {"method": request.method, "data": request.body, **options}
        path = request.url.removeprefix(BASE)
        return self.app.test_client().open(path, base_url=BASE, headers=request.headers, **values)

    def counts(self) -> dict[str, int]:
        with self.engine.connect() as connection:
            return {table.name: len(connection.execute(select(table)).all()) for table in STORED}

    def events_of(self, message_id: str) -> list[Any]:
        with self.engine.connect() as connection:
            found = connection.execute(select(events)).all()
        return [row for row in found if message_id in row.message_id]

    def letters_of(self, account: str) -> list[Any]:
        with self.engine.connect() as connection:
            return connection.execute(select(dead_letters).where(dead_letters.c.account == account)).all()


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    found = Gate(sqlite_url(tmp_path_factory.mktemp("harness")))
    yield found
    found.app.extensions["gateway"].close()


@pytest.fixture
def mine(gate: Gate, case: Case) -> Case:
    """The account of this kind in the application."""
    return gate.cases[case.name]


def is_success(answer: TestResponse) -> bool:
    return answer.status_code // 100 == 2


def test_a_message_is_recorded_and_acknowledged(gate: Gate, mine: Case):
    message_id = fresh_id()
    assert is_success(gate.deliver(mine.request(at=now(), message_id=message_id)))
    [event] = gate.events_of(message_id)
    assert (event.account, event.klass, event.sender) == (mine.name, "opt_out", SENDER)


def test_a_duplicate_makes_no_second_event_and_no_second_reply(gate: Gate, mine: Case):
    message_id = fresh_id()
    request = mine.request(at=now(), message_id=message_id, origin=fresh_number())
    before = gate.counts()
    answers = [gate.deliver(request) for _ in range(3)]
    assert all(map(is_success, answers))
    assert len(gate.events_of(message_id)) == 1
    assert replies_of(answers) + gate.counts()["outbox"] - before["outbox"] == 1


def test_duplicates_at_the_same_time_make_one_event_and_one_reply(gate: Gate, mine: Case):
    message_id, start = fresh_id(), threading.Barrier(6)
    request = mine.request(at=now(), message_id=message_id, origin=fresh_number())
    before = gate.counts()

    def deliver(_: int) -> TestResponse:
        start.wait()
        return gate.deliver(request)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(deliver, range(6)))
    assert all(map(is_success, answers))
    assert len(gate.events_of(message_id)) == 1
    assert replies_of(answers) + gate.counts()["outbox"] - before["outbox"] == 1


def replies_of(answers: list[TestResponse]) -> int:
    return sum("Acme Offers" in answer.text for answer in answers)


def fresh_number() -> str:
    return f"+1555{int(fresh_id(), 16) % 10_000_000:07d}"


def test_other_words_under_the_same_nonce(gate: Gate, mine: Case, traits: Traits):
    request = mine.request("STOPNOW", at=now(), origin=fresh_number())
    other = other_text(request, "STOPNOW", "GOONOK1")
    if isinstance(traits.nonce, str):
        assert mine.provider().nonce(request) is None
        assert is_success(gate.deliver(request))
        assert is_success(gate.deliver(other)) is (traits.cover is not True)
        return
    assert is_success(gate.deliver(request))
    before = gate.counts()
    refused = gate.deliver(other)
    assert refused.status_code == mine.provider().refuse(other).status
    assert gate.counts() == before
    assert is_success(gate.deliver(request))
    assert gate.counts() == before
    with gate.engine.connect() as connection:
        assert connection.execute(select(nonces).where(nonces.c.account == mine.name)).all()


def test_a_forgery_is_refused_as_the_provider_wants_and_leaves_nothing(gate: Gate, mine: Case):
    forged = Case.of(mine.name).request(at=now())
    before = gate.counts()
    answer, wanted = gate.deliver(forged), mine.provider().refuse(forged)
    assert (answer.status_code, answer.data) == (wanted.status, wanted.body)
    assert dict(wanted.headers).items() <= dict(answer.headers).items()
    assert gate.counts() == before


def test_an_unknown_account_is_not_found(gate: Gate, mine: Case):
    request = mine.request(at=now())
    before = gate.counts()
    for name in ("nobody", mine.name.upper()):
        answer = gate.deliver(replace(request, url=request.url.replace(f"/sms/{mine.name}", f"/sms/{name}")))
        assert (answer.status_code, answer.data) == (404, b"")
    assert gate.counts() == before


class Unread(BytesIO):
    """A body that nobody may begin to read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = readinto = read


def test_a_body_over_the_limit_is_refused_before_it_is_read(gate: Gate, mine: Case):
    request = mine.request(at=now())
    for content_type in {request.headers.get("content-type", "text/plain"), "application/json"}:
        answer = gate.deliver(
            request, method="POST", data=None, input_stream=Unread(bytes(70_000)), content_type=content_type
        )
        assert (answer.status_code, answer.data) == (413, b"")


def test_other_methods_store_nothing(gate: Gate, mine: Case):
    request = mine.request(at=now(), origin=fresh_number())
    before = gate.counts()
    for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"):
        answer = gate.deliver(request, method=method)
        if method not in {"HEAD", "OPTIONS"}:
            assert answer.status_code == 405
        assert answer.data == b""
        assert gate.counts() == before, method


def unreadable(mine: Case, words: str = "STOP") -> WebhookRequest:
    """Return an authentic message from nobody."""
    return mine.request(words, at=now(), origin="")


def test_a_malformed_but_authentic_body_is_acknowledged_and_kept(gate: Gate, mine: Case):
    request = unreadable(mine)
    mine.provider().verify(request)
    assert not messages_in(mine.provider(), request)
    before = gate.counts()
    for _ in range(2):
        assert is_success(gate.deliver(request))
    assert gate.counts()["events"] == before["events"]
    assert gate.counts()["dead_letters"] == before["dead_letters"] + 1
    letter = gate.letters_of(mine.name)[-1]
    assert letter.deliveries == 2
    assert_no_secret(repr(letter), mine)


def test_trouble_of_the_database_is_a_5xx_and_the_next_delivery_counts(gate: Gate, mine: Case):
    message_id = fresh_id()
    good = mine.request(at=now(), message_id=message_id, origin=fresh_number())
    with without_tables(gate.engine):
        for request in (good, unreadable(mine)):
            answer = gate.deliver(request)
            assert answer.status_code // 100 == 5
            assert answer.data == b""
    assert is_success(gate.deliver(good))
    assert len(gate.events_of(message_id)) == 1


def messages_in(provider: Provider, request: WebhookRequest) -> Sequence[InboundMessage]:
    try:
        received = provider.parse(request)
    except CallerError:
        return ()
    assert received.unreadable
    return received.messages


@contextmanager
def without_tables(engine: Engine) -> Iterator[None]:
    """Take the tables away for the block."""
    names = [table.name for table in (*STORED, nonces)]
    with engine.begin() as connection:
        for name in names:
            connection.execute(text(f"ALTER TABLE {name} RENAME TO gone_{name}"))
    try:
        yield
    finally:
        with engine.begin() as connection:
            for name in names:
                connection.execute(text(f"ALTER TABLE gone_{name} RENAME TO {name}"))


def test_neither_secrets_nor_persons_are_shown(gate: Gate, mine: Case, traits: Traits, capfd):
    model, provider = mine.model(), mine.provider()
    shown = f"{model!r} {model} {provider!r} {vars(provider)!r}"
    with everything_logged(capfd) as logged:
        good = mine.request(TEXT, at=now(), origin=NUMBER)
        forged = Case.of(mine.name).request(TEXT, at=now(), origin=NUMBER)
        requests = [
            good,
            good,
            unreadable(mine, TEXT),
            forged,
            spoiled(good, traits.proofs[0], lambda _: ""),
        ]
        answers = [gate.deliver(request) for request in requests]
        answers.append(gate.deliver(replace(good, body=b"x" * 70_000), method="POST"))
        with without_tables(gate.engine):
            answers += [gate.deliver(request) for request in requests]
    assert {answer.status_code // 100 for answer in answers} >= {2, 4, 5}
    for answer in answers:
        shown += f"{answer.headers}{answer.text}"
    said = logged()
    assert f"account={mine.name}" in said  # the log is read
    shown += said
    assert_no_secret(shown, mine)
    for personal in (NUMBER[1:], "sentinel words", "sentinel+words", TEXT.encode().hex()):
        assert personal not in shown


def assert_no_secret(shown: str, case: Case) -> None:
    found = set(secrets_in(case.model())) | {case.signing_key or "-" * 50}
    parts = {part for secret in found for part in secret.split(":")[-1:] if len(part) > 7}
    assert parts
    assert [part for part in parts if part in shown] == []
