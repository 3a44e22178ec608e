"""A dead letter of any provider can be read again without its proof, and holds none of the account's secrets."""

from dataclasses import replace

import pytest
from support.rehearsals import VARIANTS, Case

from gateway.flows.dead_letters import Copies, request_of, secrets_in
from gateway.providers.base import WebhookRequest
from gateway.providers.registry import KINDS
from gateway.store.dead_letters import DeadLetter, LetterKind


@pytest.fixture(params=[*KINDS, *VARIANTS])
def case(request: pytest.FixtureRequest) -> Case:
    return Case.of(request.param)


def letter_of(case: Case, request: WebhookRequest) -> DeadLetter:
    return Copies("acme", secrets_in(case.model())).letter(request, LetterKind.INBOUND, "why")


def test_what_is_kept_is_read_as_what_came(case: Case):
    request = case.request("Stöp ✋ please", message_id="m-1")
    letter = letter_of(case, request)
    assert case.provider().parse(request_of(letter)) == case.provider().parse(request)


def test_no_secret_and_no_header_of_proof_is_kept(case: Case):
    secrets = set(secrets_in(case.model()))
    assert secrets or case.name in ("aws", "telnyx")  # known by a public key alone
    request = case.request("STOP", message_id="m-1")
    everywhere = " ".join(sorted(secrets))
    letter = letter_of(case, replace(request, body=request.body + everywhere.encode()))
    content = f"{letter.url} {dict(letter.headers)} {letter.body.decode()}"
    assert [secret for secret in secrets if secret in content] == []
    assert not {name for name in letter.headers if "signature" in name or name == "authorization"}


def test_the_same_content_is_the_same_letter(case: Case):
    request = case.request("STOP", message_id="m-1")
    later = replace(request, received_at=request.received_at + 1, headers={**request.headers, "x-other": "1"})
    assert letter_of(case, request).id == letter_of(case, later).id
    other = replace(request, body=request.body + b" ")
    assert letter_of(case, request).id != letter_of(case, other).id
