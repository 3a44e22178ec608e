"""Tokens of links: what they hold, what they hide, and that nothing else opens."""

import base64
import hashlib
import hmac
import struct
import time
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, ConfigurationError, NotAuthenticError
from gateway.mail.tokens import (
    MAX_TOKEN_CHARS,
    MIN_UNSUBSCRIBE_SECONDS,
    BadTokenError,
    GrantError,
    LinkGrant,
    LinkKey,
    LinkPurpose,
    LinkTokens,
)

ISSUED = 1_790_000_000
OLD = LinkKey("a", b"0123456789abcdef0123456789abcdef")
NEW = LinkKey("b2", b"fedcba9876543210fedcba9876543210")
GRANT = LinkGrant(
    purpose=LinkPurpose.UNSUBSCRIBE,
    address=Address(Channel.EMAIL, "jane.doe@example.org"),
    scope="offers",
    issued_at=ISSUED,
    message="0190f3a2-7c1e-7b44-9c2d-3f6a5b1e8d70",
)
# Minted by the first release. A change that no longer opens it breaks the links in people's mail.
FIRST_RELEASE = (
    "1a.tZw9zkGOA7j2mzxBLesEiERSCSjVjYZH9_tbfaAiOr_dhCTlteygofdH5s"
    "g7sUg6TW1JVcsSuCiZTzaCZ4YDm6DtP7Yz2upPJWxOh5kJQFwUdObRu22nFFs5"
)


@pytest.fixture
def tokens() -> LinkTokens:
    return LinkTokens([OLD])


def _hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 written out, as somebody would who has only the documentation."""
    prk = hmac.digest(bytes(32), secret, "sha256")
    first = hmac.digest(prk, info + b"\x01", "sha256")
    return first + hmac.digest(prk, first + info + b"\x02", "sha256")


def _flip(token: str, at: int) -> str:
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


def _bad_tokens(tokens: LinkTokens) -> dict[str, str]:
    good = tokens.mint(GRANT)
    ending = replace(GRANT, expires_at=ISSUED + MIN_UNSUBSCRIBE_SECONDS)
    return {
        "altered": _flip(good, 20),
        "cut": good[:-8],
        "other key": LinkTokens([NEW]).mint(GRANT),
        "other purpose": tokens.mint(replace(GRANT, purpose=LinkPurpose.PREFERENCES)),
        "expired": tokens.mint(ending),
        "no base64": good[:20] + "!" + good[21:],
        "no token": "x" * len(good),
    }


def test_the_first_release_opens_still(tokens: LinkTokens) -> None:
    assert tokens.mint(GRANT) == FIRST_RELEASE
    assert tokens.open(FIRST_RELEASE, LinkPurpose.UNSUBSCRIBE, now=ISSUED + 10 * 365 * 86_400) == GRANT


def test_the_documented_format_is_all_that_is_needed_to_open_a_token() -> None:
    prefix, _, text = FIRST_RELEASE.partition(".")
    key = _hkdf(OLD.secret, b"consent-gateway link token v1 a")
    content = AESSIV(key).decrypt(
        base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), [prefix.encode(), b"unsubscribe"]
    )
    assert struct.unpack_from(">BIIHB", content) == (2, ISSUED, 0, 20, 6)
    assert content[12:] == f"jane.doe@example.orgoffers{GRANT.message}".encode()


def test_the_same_grant_gives_the_same_url_and_another_message_another(tokens: LinkTokens) -> None:
    assert tokens.mint(GRANT) == tokens.mint(replace(GRANT))
    assert tokens.mint(GRANT) != tokens.mint(replace(GRANT, message="other"))


def test_a_usual_token_is_short(tokens: LinkTokens) -> None:
    assert len(tokens.mint(GRANT)) < 180


def test_the_numbers_of_the_channels_never_change(tokens: LinkTokens) -> None:
    names = ["sms", "whatsapp", "email", "push", "call", "fax", "postal"]
    key = AESSIV(_hkdf(OLD.secret, b"consent-gateway link token v1 a"))
    for code, name in enumerate(names):
        token = tokens.mint(replace(GRANT, address=Address(Channel(name), "x")))
        text = token.partition(".")[2]
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        assert key.decrypt(sealed, [b"1a", b"unsubscribe"])[0] == code


def test_after_a_rotation_the_newest_key_mints_and_the_old_links_work() -> None:
    rotated = LinkTokens([NEW, OLD])
    assert rotated.mint(GRANT).startswith("1b2.")
    assert rotated.open(FIRST_RELEASE, LinkPurpose.UNSUBSCRIBE, now=ISSUED) == GRANT


def test_a_key_that_was_taken_out_no_longer_opens() -> None:
    with pytest.raises(BadTokenError):
        LinkTokens([NEW]).open(FIRST_RELEASE, LinkPurpose.UNSUBSCRIBE, now=ISSUED)


def test_a_key_id_cannot_be_swapped_for_another_of_ours() -> None:
    tokens = LinkTokens([LinkKey("a", OLD.secret), LinkKey("b", OLD.secret)])
    token = tokens.mint(GRANT)
    with pytest.raises(BadTokenError):
        tokens.open("1b" + token[2:], LinkPurpose.UNSUBSCRIBE, now=ISSUED)


@pytest.mark.parametrize("kind", list(_bad_tokens(LinkTokens([OLD]))))
def test_every_bad_token_gets_the_same_error(tokens: LinkTokens, kind: str) -> None:
    with pytest.raises(BadTokenError) as caught:
        tokens.open(_bad_tokens(tokens)[kind], LinkPurpose.UNSUBSCRIBE, now=ISSUED + MIN_UNSUBSCRIBE_SECONDS)
    assert isinstance(caught.value, NotAuthenticError)
    assert str(caught.value) == "this link is not valid"
    assert caught.value.__context__ is None


@pytest.fixture
def tried(tokens: LinkTokens, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of what `tokens` has tried to decrypt."""
    sizes: list[int] = []

    class Counting:
        def __init__(self, inner: AESSIV) -> None:
            self.inner = inner

        def decrypt(self, data: bytes, bound: list[bytes]) -> bytes:
            sizes.append(len(data))
            return self.inner.decrypt(data, bound)

    monkeypatch.setattr(tokens, "_decoy", Counting(tokens._decoy))
    monkeypatch.setattr(tokens, "_ciphers", {k: Counting(c) for k, c in tokens._ciphers.items()})
    return sizes


def test_every_bad_token_costs_the_same_decryption(tokens: LinkTokens, tried: list[int]) -> None:
    bad = _bad_tokens(LinkTokens([OLD]))
    for token in bad.values():
        with pytest.raises(BadTokenError):
            tokens.open(token, LinkPurpose.UNSUBSCRIBE, now=ISSUED + MIN_UNSUBSCRIBE_SECONDS)
    assert len(tried) == len(bad)
    assert max(tried) - min(tried) <= 16, tried


def test_a_huge_token_costs_no_more_than_the_longest_we_mint(tokens: LinkTokens, tried: list[int]) -> None:
    with pytest.raises(BadTokenError):
        tokens.open("1a." + "A" * 1_000_000, LinkPurpose.UNSUBSCRIBE, now=ISSUED)
    assert tried == [MAX_TOKEN_CHARS * 3 // 4]


def test_every_bad_token_takes_nearly_the_same_time(tokens: LinkTokens) -> None:
    bad = _bad_tokens(tokens)
    best = dict.fromkeys(bad, float("inf"))
    for _ in range(400):
        for kind, token in bad.items():
            started = time.perf_counter()
            with pytest.raises(BadTokenError):
                tokens.open(token, LinkPurpose.UNSUBSCRIBE, now=ISSUED + MIN_UNSUBSCRIBE_SECONDS)
            best[kind] = min(best[kind], time.perf_counter() - started)
    assert max(best.values()) - min(best.values()) < 20e-6, best


def test_a_token_works_until_its_end_and_not_at_it(tokens: LinkTokens) -> None:
    end = ISSUED + MIN_UNSUBSCRIBE_SECONDS
    grant = replace(GRANT, expires_at=end)
    assert tokens.open(tokens.mint(grant), LinkPurpose.UNSUBSCRIBE, now=end - 1) == grant
    with pytest.raises(BadTokenError):
        tokens.open(tokens.mint(grant), LinkPurpose.UNSUBSCRIBE, now=end)


def test_a_link_for_unsubscribing_must_live_sixty_days(tokens: LinkTokens) -> None:
    short = replace(GRANT, expires_at=ISSUED + MIN_UNSUBSCRIBE_SECONDS - 1)
    with pytest.raises(GrantError, match="60 days"):
        tokens.mint(short)
    assert tokens.mint(replace(short, purpose=LinkPurpose.PREFERENCES))


@pytest.mark.parametrize(
    "change",
    [
        {"issued_at": -1},
        {"issued_at": 2**32},
        {"expires_at": ISSUED},
        {"scope": "s" * 256},
        {"message": "\ud800"},
        {"message": "m" * 600},
        {"address": Address(Channel.PUSH, "\udfff")},
    ],
)
def test_a_grant_that_does_not_fit_is_refused_without_naming_the_person(
    tokens: LinkTokens, change: dict[str, Any]
) -> None:
    with pytest.raises(GrantError) as caught:
        tokens.mint(replace(GRANT, **change))
    assert isinstance(caught.value, CallerError)
    assert "jane" not in str(caught.value)


def test_the_longest_addresses_fit(tokens: LinkTokens) -> None:
    grant = replace(GRANT, address=Address(Channel.PUSH, "p" * 256), scope="s" * 64)
    token = tokens.mint(grant)
    assert len(token) <= MAX_TOKEN_CHARS
    assert tokens.open(token, LinkPurpose.UNSUBSCRIBE, now=ISSUED) == grant


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [OLD, LinkKey("a", NEW.secret)],
        [LinkKey("", OLD.secret)],
        [LinkKey("a.b", OLD.secret)],
        [LinkKey("ä", OLD.secret)],
        [LinkKey("a" * 9, OLD.secret)],
        [LinkKey("a", OLD.secret[:31])],
    ],
)
def test_unfit_keys_do_not_start(keys: list[LinkKey]) -> None:
    with pytest.raises(ConfigurationError, match="link key"):
        LinkTokens(keys)


def test_neither_the_secret_nor_the_address_is_shown_by_repr() -> None:
    assert "0123456789" not in repr(OLD)
    assert "jane" not in repr(GRANT)


def test_two_secrets_give_unrelated_tokens() -> None:
    other = LinkKey("a", hashlib.sha256(OLD.secret).digest())
    assert LinkTokens([other]).mint(GRANT) != FIRST_RELEASE
