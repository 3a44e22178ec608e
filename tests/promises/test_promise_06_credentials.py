"""6. Nobody can unsubscribe, resubscribe or look up an address without a valid token or credential; unknown, altered
and expired tokens look the same, in bytes and in time.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from statistics import median

import pytest
from flask import Flask
from support.gateways import (
    BASE,
    FORM,
    OTHER_AUTH_TOKEN,
    PAIR,
    authorization,
    bearer,
    consent_rows,
    deliver,
    house_of,
    link,
)
from support.twilio_requests import inbound
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from gateway.consent.address import Address, Channel
from gateway.mail import tokens as link_tokens
from gateway.mail.tokens import BadTokenError, LinkGrant, LinkKey, LinkPurpose, LinkTokens
from gateway.store import tokens as operator_tokens
from gateway.store.ledger import now_microseconds
from gateway.store.tokens import revoke_token
from gateway.web.guard import Guard, TokenScope, guard_of

KNOWN = "+15550100001"
MAILBOX = "eve@example.org"
_DAY = 86_400
_callers = (f"198.51.100.{host}" for host in itertools.cycle(range(1, 255)))

# Routes that anybody may call. They say nothing about anybody; a new one must be argued for here.
PUBLIC = {"static", "health.alive", "health.ready", "v1.openapi"}


@pytest.fixture(params=[True, False], ids=["lane", "views"])
def used(request: pytest.FixtureRequest, make_app, database_url: str) -> Flask:
    """An application that knows people: one by SMS, one by a link."""
    app = make_app(database_url, lane=request.param)
    deliver(app, inbound(BASE, "STOP", number=KNOWN))
    assert post(app, link(app, MAILBOX), PAIR).status_code == 200
    return app


def post(app: Flask, path: str, body: bytes) -> TestResponse:
    """Post as a caller of its own, since who tries many tokens is slowed down."""
    return send(app, "POST", path, data=body, content_type=FORM)


def send(app: Flask, method: str, path: str, **options) -> TestResponse:
    environment = {"REMOTE_ADDR": next(_callers)}
    return app.test_client().open(path, method=method, base_url=BASE, environ_base=environment, **options)


def seen(answer: TestResponse) -> tuple:
    """Return all that a caller sees of an answer."""
    headers = tuple(sorted((name, value) for name, value in answer.headers if name != "Date"))
    return answer.status_code, headers, answer.get_data()


def test_the_public_routes_are_those_that_we_know(used: Flask):
    found = {rule.endpoint for rule in used.url_map.iter_rules()}
    assert {endpoint for endpoint in found if guard_of(used, endpoint).guard is Guard.PUBLIC} == PUBLIC


# -- operator tokens -------------------------------------------------------------------------------------


def bad_bearers(app: Flask) -> dict[str, str | None]:
    """Return what may stand in the Authorization header instead of a good token."""
    house = house_of(app)
    now = now_microseconds()
    good = bearer(app)
    expired = bearer(app, now=now - 2_000_000, expires_at=now - 1_000_000)
    revoked = bearer(app)
    assert revoke_token(house.engine, revoked.split("_")[1], actor="test", now=now)
    secret = good.split("_", 2)[2]
    return {
        "none": None,
        "empty": "",
        "another scheme": f"Basic {good}",
        "no scheme": good,
        "no token": "Bearer ",
        "unknown": f"Bearer gw_aaaaaaaa_{secret}",
        "altered": f"Bearer {good[:-1]}{'A' if good[-1] != 'A' else 'B'}",
        "of another id": f"Bearer gw_{revoked.split('_')[1]}_{secret}",
        "cut": f"Bearer {good[:-1]}",
        "expired": f"Bearer {expired}",
        "revoked": f"Bearer {revoked}",
        "a link": f"Bearer {link(app, MAILBOX).removeprefix('/u/')}",
        "not ASCII": "Bearer gw_\xfc",
    }


def guarded_by_bearer(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """Yield rule, method and path of everything that asks for an operator token."""
    for rule in app.url_map.iter_rules():
        if guard_of(app, rule.endpoint).guard is Guard.BEARER:
            path = rule.rule.replace("<channel>", "sms").replace("<path:address>", KNOWN)
            yield from ((rule, method, path) for method in sorted(rule.methods & {"GET", "POST"}))


_BODY = b'{"channel":"sms","program":"offers","addresses":["+15550100001"],"recipients":["x@example.org"],"text":"x"}'


def test_no_route_of_the_api_answers_without_a_good_token(used: Flask):
    engine = house_of(used).engine
    before = consent_rows(engine)
    bad = bad_bearers(used)
    reached = 0
    for _, method, path in guarded_by_bearer(used):
        answers = set()
        for header in bad.values():
            headers = {} if header is None else {"Authorization": header}
            answer = send(used, method, path, data=_BODY, content_type="application/json", headers=headers)
            answers.add(seen(answer))
            reached += 1
        assert len(answers) == 1, path
        ((status, _, body),) = answers
        assert status == 401
        assert KNOWN.encode() not in body
    assert reached >= 7 * len(bad)
    assert consent_rows(engine) == before


def test_a_token_opens_only_what_its_scopes_say(used: Flask):
    for rule, method, path in guarded_by_bearer(used):
        wanted = guard_of(used, rule.endpoint).scope
        for scope in TokenScope:
            headers = authorization(bearer(used, [scope]))
            answer = send(used, method, path, data=_BODY, content_type="application/json", headers=headers)
            # 422: it is let in, and its body is one for all routes.
            assert answer.status_code in ({200, 422} if scope is wanted else {403}), (path, scope)


# -- links -----------------------------------------------------------------------------------------------


def bad_links(app: Flask) -> dict[str, str]:
    """Return paths that look like links and are none."""
    good = link(app, MAILBOX)
    prefix, _, sealed = good.removeprefix("/u/").partition(".")
    at = int(time.time()) - 100 * _DAY
    foreign = LinkTokens([LinkKey("0", b"f" * 32)])
    grant = LinkGrant(LinkPurpose.UNSUBSCRIBE, Address(Channel.EMAIL, MAILBOX), "offers", at)
    swapped = sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:]
    return {
        "altered": f"/u/{prefix}.{swapped}",
        "of another key": f"/u/{foreign.mint(grant)}",
        "of an unknown key": f"/u/1zz.{sealed}",
        "of another version": f"/u/2{prefix[1:]}.{sealed}",
        "expired": link(app, MAILBOX, issued_at=at, expires_at=at + 61 * _DAY),
        "of another purpose": link(app, MAILBOX, purpose=LinkPurpose.PREFERENCES),
        "cut": f"/u/{prefix}.{sealed[:-4]}",
        "longer": f"/u/{prefix}.{sealed}AAAA",
        "a word": "/u/unsubscribe",
        "an address": f"/u/{MAILBOX}",
    }


def test_no_bad_link_acts_or_shows_anything(used: Flask):
    engine = house_of(used).engine
    before = consent_rows(engine)
    answers = {
        seen(answer)
        for path in bad_links(used).values()
        for answer in (
            *(post(used, path, body) for body in (PAIR, b"", b"confirm=1", b"undo=1")),
            send(used, "GET", path),
        )
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404
    assert consent_rows(engine) == before


def test_who_tries_many_links_is_slowed_down_the_same_way_whatever_is_wrong_with_them(used: Flask):
    paths = list(bad_links(used).values())
    client = used.test_client()
    refused = [client.get(paths[0], base_url=BASE).status_code for _ in range(31)]
    assert refused[-1] == 429
    assert {client.get(path, base_url=BASE).status_code for path in paths} == {429}
    assert client.get(link(used, MAILBOX), base_url=BASE).status_code == 200


# -- providers -------------------------------------------------------------------------------------------


def test_no_webhook_acts_without_the_signature_of_its_account(used: Flask):
    engine = house_of(used).engine
    before = consent_rows(engine)
    answers = set()
    for place, text in itertools.product(("acme", "acme/status", "later"), ("STOP", "START")):
        genuine = inbound(BASE, text, number=KNOWN, account=place)
        other = inbound(BASE, text, number=KNOWN, account=place, token=OTHER_AUTH_TOKEN)
        elsewhere = inbound(BASE, text, number=KNOWN, account="other")
        for fields, headers in (
            (genuine.fields, {}),
            (genuine.fields, {"X-Twilio-Signature": ""}),
            (genuine.fields, {"X-Twilio-Signature": "x" * 28}),
            (genuine.fields, other.headers),
            (genuine.fields, elsewhere.headers),
            ({**genuine.fields, "Body": "START"[: len(text)] + "!"}, genuine.headers),
            ({**genuine.fields, "From": "+15550100009"}, genuine.headers),
        ):
            answers.add(seen(send(used, "POST", f"/sms/{place}", data=fields, headers=headers)))
    assert answers == {(403, (("Content-Length", "0"), ("Content-Type", "text/plain; charset=utf-8")), b"")}
    assert consent_rows(engine) == before


# -- the same work ---------------------------------------------------------------------------------------


class Tally:
    """Counts the calls of functions while they go on doing their work."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}

    def over(self, name: str, function: Callable) -> Callable:
        def counted(*values, **named):
            self.calls[name] = self.calls.get(name, 0) + 1
            return function(*values, **named)

        return counted


class CountingCipher:
    """An AES-SIV that counts."""

    def __init__(self, cipher, tally: Tally) -> None:
        self.encrypt = cipher.encrypt
        self.decrypt = tally.over("decrypt", cipher.decrypt)


def test_every_bad_link_costs_one_decryption_and_one_unpacking(sqlite_app: Flask, monkeypatch):
    tally = Tally()
    links = house_of(sqlite_app).links
    paths = bad_links(sqlite_app)
    for place in ("_ciphers", "_decoy"):
        kept = getattr(links, place)
        counting = (
            {key: CountingCipher(cipher, tally) for key, cipher in kept.items()}
            if isinstance(kept, dict)
            else CountingCipher(kept, tally)
        )
        monkeypatch.setattr(links, place, counting)
    monkeypatch.setattr(link_tokens, "_unpack", tally.over("unpack", link_tokens._unpack))
    for name, path in paths.items():
        tally.calls.clear()
        with pytest.raises(BadTokenError):
            links.open(path.removeprefix("/u/"), LinkPurpose.UNSUBSCRIBE, now=int(time.time()))
        assert tally.calls == {"decrypt": 1, "unpack": 1}, name


def test_every_bad_operator_token_costs_the_same_reads_hashes_and_compares(sqlite_app: Flask, monkeypatch):
    tally = Tally()
    check = house_of(sqlite_app).reader.tokens
    bad = bad_bearers(sqlite_app)
    monkeypatch.setattr(check, "_find", tally.over("read", check._find))
    for name in ("_hash", "compare_digest"):
        monkeypatch.setattr(operator_tokens, name, tally.over(name, getattr(operator_tokens, name)))
    costs = {}
    for name in ("unknown", "altered", "of another id", "expired", "revoked"):
        tally.calls.clear()
        answer = send(sqlite_app, "GET", f"/v1/consents/sms/{KNOWN}", headers={"Authorization": bad[name]})
        assert answer.status_code == 401
        costs[name] = dict(tally.calls)
    assert len({tuple(sorted(cost.items())) for cost in costs.values()}) == 1, costs
    assert costs["unknown"]["read"] >= 1


def test_bad_links_of_one_length_take_the_same_time(sqlite_app: Flask):
    """Coarse: medians of interleaved calls, within a factor of two."""
    links = house_of(sqlite_app).links
    paths = bad_links(sqlite_app)
    names = ("altered", "of another key", "of an unknown key", "expired", "of another purpose")
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(400):
        for name in names:
            token, start = paths[name].removeprefix("/u/"), time.perf_counter()
            with pytest.raises(BadTokenError):
                links.open(token, LinkPurpose.UNSUBSCRIBE, now=int(time.time()))
            seconds[name].append(time.perf_counter() - start)
    medians = {name: median(values) for name, values in seconds.items()}
    assert max(medians.values()) < 2 * min(medians.values()), medians
