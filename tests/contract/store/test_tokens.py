"""Operator tokens, the same on both engines."""

import hashlib
import json
import re
from base64 import urlsafe_b64decode

import pytest
from sqlalchemy import Engine, select
from support.entries import NOW

from gateway.errors import NotAuthenticError, OurTroubleError
from gateway.store import tokens as tokens_module
from gateway.store.audit import record
from gateway.store.engine import open_engine, writing
from gateway.store.reader import Reader
from gateway.store.tables import audit, tokens
from gateway.store.tokens import (
    FRESH_MICROSECONDS,
    TokenError,
    TokenRow,
    create_token,
    list_tokens,
    revoke_token,
)


class Clock:
    """A clock that stands until it is set."""

    now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def reader(engine: Engine, clock: Clock):
    reader = Reader(engine, clock=clock)
    yield reader
    reader.close()


def _create(engine: Engine, **changes) -> str:
    return create_token(
        engine, **{"name": "shop", "scopes": ["read", "links"], "actor": "kim", "now": NOW, **changes}
    )


def _id(token: str) -> str:
    return token.split("_")[1]


def _other_secret(token: str) -> str:
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def test_a_token_proves_who_calls_and_what_it_may(engine: Engine, reader: Reader):
    token = _create(engine)
    identity = reader.tokens.verify(token)
    assert (identity.id, identity.name, identity.scopes) == (_id(token), "shop", {"read", "links"})


def test_a_token_has_its_form_and_no_two_are_alike(engine: Engine):
    made = [_create(engine) for _ in range(20)]
    assert all(re.fullmatch(r"gw_[a-z2-7]{8}_[A-Za-z0-9_-]{43}", token) for token in made)
    assert len({_id(token) for token in made}) == len({token[12:] for token in made}) == 20
    assert len(urlsafe_b64decode(made[0][12:] + "=")) == 32


def test_of_the_secret_only_its_hash_is_kept(engine: Engine):
    secret = _create(engine)[12:]
    with engine.connect() as connection:
        (row,) = connection.execute(select(tokens)).all()
        noted = connection.execute(select(audit)).all()
    assert bytes(row.secret_hash) == hashlib.sha256(secret.encode()).digest()
    assert secret not in repr((row, noted))
    assert row.secret_hash.hex() not in repr(list_tokens(engine))


@pytest.mark.parametrize("bad", ["unknown", "wrong", "revoked", "expired", "malformed"])
def test_every_token_that_is_no_good_looks_the_same(engine: Engine, reader: Reader, clock: Clock, bad: str):
    token = _create(engine, expires_at=NOW + 10)
    clock.now = NOW + (10 if bad == "expired" else 9)
    if bad == "revoked":
        revoke_token(engine, _id(token), actor="kim", now=NOW)
    wrong = {"unknown": "gw_aaaaaaaa_" + token[12:], "wrong": _other_secret(token), "malformed": token + "x"}
    with pytest.raises(NotAuthenticError) as caught:
        reader.tokens.verify(wrong.get(bad, token))
    assert str(caught.value) == "not authentic"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("seen", ["never", "seen"])
@pytest.mark.parametrize("bad", ["unknown", "wrong", "revoked", "expired"])
def test_every_refusal_costs_the_same_steps(
    engine: Engine, reader: Reader, clock: Clock, monkeypatch: pytest.MonkeyPatch, bad: str, seen: str
):
    """One read and two comparisons, whether the token was seen before or not."""
    token = _create(engine, expires_at=NOW + 10)
    if seen == "seen":
        reader.tokens.verify(token)
    if bad == "revoked":
        revoke_token(engine, _id(token), actor="kim", now=NOW)
        clock.now = NOW - 1  # what is remembered does not count either
    clock.now = NOW + 10 if bad == "expired" else clock.now
    steps = []
    compare, find = tokens_module.compare_digest, reader.token
    monkeypatch.setattr(tokens_module, "compare_digest", lambda *a: steps.append("compare") or compare(*a))
    monkeypatch.setattr(reader.tokens, "_find", lambda token_id: steps.append("read") or find(token_id))
    given = {"unknown": "gw_aaaaaaaa_" + token[12:], "wrong": _other_secret(token)}.get(bad, token)
    with pytest.raises(NotAuthenticError):
        reader.tokens.verify(given)
    assert steps == ["compare", "read", "compare"]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "gw__",
        "gw_aaaaaaaa_",
        "gw_AAAAAAAA_" + "a" * 43,
        "gw_aaaaaaaa_" + "é" * 43,
        "gw_aaaaaaaa_" + "a" * 44,
        "gw_aaaaaaaa_" + "a" * 43 + "\n",
        "GW_aaaaaaaa_" + "a" * 43,
        "gw_aaaaaaaa_" + "a" * 42 + "=",
        "x" * 100_000,
    ],
)
def test_what_has_not_the_form_is_refused_without_a_read(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, token: str
):
    monkeypatch.setattr(reader.tokens, "_find", lambda _: pytest.fail("read"))
    with pytest.raises(NotAuthenticError):
        reader.tokens.verify(token)


def test_a_good_token_is_read_once_in_five_seconds(
    engine: Engine, reader: Reader, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    token, reads, find = _create(engine), [], reader.token
    monkeypatch.setattr(reader.tokens, "_find", lambda token_id: reads.append(token_id) or find(token_id))
    for clock.now in (NOW, NOW + 1, NOW + FRESH_MICROSECONDS - 1):
        reader.tokens.verify(token)
    assert len(reads) == 1
    clock.now = NOW + FRESH_MICROSECONDS
    reader.tokens.verify(token)
    assert len(reads) == 2


def test_a_revocation_works_within_five_seconds(engine: Engine, reader: Reader, clock: Clock):
    token = _create(engine)
    reader.tokens.verify(token)
    assert revoke_token(engine, _id(token), actor="kim", now=NOW + 1)
    clock.now = NOW + FRESH_MICROSECONDS
    with pytest.raises(NotAuthenticError):
        reader.tokens.verify(token)


def test_a_clock_that_is_set_back_makes_nothing_fresh(engine: Engine, reader: Reader, clock: Clock):
    token = _create(engine)
    reader.tokens.verify(token)
    revoke_token(engine, _id(token), actor="kim", now=NOW)
    clock.now = NOW - 3_600_000_000
    with pytest.raises(NotAuthenticError):
        reader.tokens.verify(token)


def test_an_expiry_needs_no_read_to_work(engine: Engine, reader: Reader, clock: Clock):
    token = _create(engine, expires_at=NOW + 100)
    reader.tokens.verify(token)
    clock.now = NOW + 100
    with pytest.raises(NotAuthenticError):
        reader.tokens.verify(token)


def test_a_wrong_secret_leaves_the_right_one_good(engine: Engine, reader: Reader):
    token = _create(engine)
    for _ in range(3):
        with pytest.raises(NotAuthenticError):
            reader.tokens.verify(_other_secret(token))
        assert reader.tokens.verify(token)


def test_what_is_remembered_does_not_grow_with_refusals(engine: Engine, reader: Reader):
    token = _create(engine)
    reader.tokens.verify(token)
    for number in range(50):
        with pytest.raises(NotAuthenticError):
            reader.tokens.verify(f"gw_{number:08d}_".translate(str.maketrans("0189", "abcd")) + token[12:])
    assert list(reader.tokens._good) == [_id(token)]


def test_creating_and_revoking_are_written_down(engine: Engine):
    token = _create(engine, expires_at=NOW + 5)
    assert revoke_token(engine, _id(token), actor="lee", now=NOW + 1)
    with engine.connect() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.id)).all()
    assert [(row.at, row.actor, row.action) for row in rows] == [
        (NOW, "kim", "token.create"),
        (NOW + 1, "lee", "token.revoke"),
    ]
    assert json.loads(rows[0].detail) == {
        "token": _id(token),
        "name": "shop",
        "scopes": ["links", "read"],
        "expires_at": NOW + 5,
    }
    assert json.loads(rows[1].detail) == {"token": _id(token)}


def test_the_deed_and_its_record_stand_or_fall_together(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    token = _create(engine)
    monkeypatch.setattr(tokens_module.audit, "record", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        _create(engine)
    with pytest.raises(ZeroDivisionError):
        revoke_token(engine, _id(token), actor="kim", now=NOW)
    assert [row.revoked_at for row in list_tokens(engine)] == [None]


def test_revoking_twice_keeps_the_first_time(engine: Engine):
    token = _create(engine)
    assert revoke_token(engine, _id(token), actor="kim", now=NOW + 1)
    assert not revoke_token(engine, _id(token), actor="kim", now=NOW + 2)
    assert [row.revoked_at for row in list_tokens(engine)] == [NOW + 1]
    with engine.connect() as connection:
        assert len(connection.execute(select(audit)).all()) == 2


def test_a_token_that_is_not_there_cannot_be_revoked(engine: Engine):
    with pytest.raises(TokenError):
        revoke_token(engine, "aaaaaaaa", actor="kim", now=NOW)


def test_all_tokens_are_listed_oldest_first(engine: Engine):
    made = [_create(engine, name=f"t{number}", now=NOW + number) for number in range(3)]
    found = list_tokens(engine)
    assert [row.name for row in found] == ["t0", "t1", "t2"]
    assert [row.id for row in found] == [_id(token) for token in made]
    assert found[0] == TokenRow(
        _id(made[0]), "t0", found[0].secret_hash, frozenset({"read", "links"}), NOW, None, None
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"name": "x" * 101},
        {"scopes": []},
        {"scopes": ["read links"]},
        {"scopes": [""]},
        {"expires_at": NOW},
    ],
)
def test_a_token_that_makes_no_sense_is_refused(engine: Engine, changes: dict):
    with pytest.raises(TokenError):
        _create(engine, **changes)
    assert list_tokens(engine) == []


def test_a_database_without_tables_is_our_trouble(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/empty.sqlite3")
    reader = Reader(engine)
    for deed in (
        lambda: _create(engine),
        lambda: revoke_token(engine, "aaaaaaaa", actor="kim", now=NOW),
        lambda: list_tokens(engine),
        lambda: reader.tokens.verify("gw_aaaaaaaa_" + "a" * 43),
    ):
        with pytest.raises(OurTroubleError):
            deed()
    reader.close()
    engine.dispose()


def test_a_deed_about_a_person_names_the_subject(engine: Engine):
    with writing(engine) as connection:
        record(connection, "kim", "erase", at=NOW, subject=b"s" * 16)
    with engine.connect() as connection:
        row = connection.execute(select(audit)).one()
    assert (row.at, row.actor, row.action, bytes(row.subject), row.detail) == (
        NOW,
        "kim",
        "erase",
        b"s" * 16,
        None,
    )
