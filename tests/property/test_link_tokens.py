"""What holds for every token of a link, whatever is in it."""

import base64
import string
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gateway.consent.address import Address, Channel
from gateway.mail.tokens import BadTokenError, LinkGrant, LinkKey, LinkPurpose, LinkTokens

TOKENS = LinkTokens([LinkKey("a", b"0123456789abcdef0123456789abcdef")])
STRANGER = LinkTokens([LinkKey("a", b"0123456789abcdef0123456789abcdeg")])
URL_SAFE = string.ascii_letters + string.digits + "-_."
SECONDS = st.integers(min_value=0, max_value=2**32 - 1)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
addresses = st.builds(Address, st.sampled_from(Channel), texts)
grants = st.builds(
    LinkGrant,
    purpose=st.sampled_from(LinkPurpose),
    address=addresses,
    scope=texts,
    issued_at=SECONDS,
    message=texts,
)


def _refused(token: str, purpose: LinkPurpose) -> None:
    with pytest.raises(BadTokenError):
        TOKENS.open(token, purpose, now=0)


@given(grants, SECONDS)
def test_what_was_minted_opens_as_it_was(grant: LinkGrant, now: int) -> None:
    assert TOKENS.open(TOKENS.mint(grant), grant.purpose, now=now) == grant


@given(grants)
def test_a_token_needs_no_escaping_in_a_url(grant: LinkGrant) -> None:
    assert set(TOKENS.mint(grant)) <= set(URL_SAFE)


@given(grants, st.data())
def test_a_changed_character_is_refused(grant: LinkGrant, data: st.DataObject) -> None:
    token = TOKENS.mint(grant)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.one_of(st.sampled_from(URL_SAFE), st.characters()))
    assume(other != token[at])
    _refused(token[:at] + other + token[at + 1 :], grant.purpose)


@given(grants, st.data())
def test_a_flipped_bit_of_the_octets_is_refused(grant: LinkGrant, data: st.DataObject) -> None:
    prefix, _, text = TOKENS.mint(grant).partition(".")
    octets = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    bit = data.draw(st.integers(0, len(octets) * 8 - 1))
    octets[bit // 8] ^= 1 << bit % 8
    _refused(f"{prefix}.{base64.urlsafe_b64encode(octets).rstrip(b'=').decode()}", grant.purpose)


@given(grants, st.data())
def test_a_cut_or_lengthened_token_is_refused(grant: LinkGrant, data: st.DataObject) -> None:
    token = TOKENS.mint(grant)
    _refused(token[: data.draw(st.integers(0, len(token) - 1))], grant.purpose)
    _refused(token + data.draw(st.text(min_size=1, max_size=5)), grant.purpose)


@given(grants)
def test_no_second_spelling_of_a_token_is_accepted(grant: LinkGrant) -> None:
    token = TOKENS.mint(grant)
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    octets = base64.urlsafe_b64decode(token[3:] + "=" * (-len(token[3:]) % 4))
    twins = [
        token[:-1] + last
        for last in alphabet
        if last != token[-1]
        and base64.urlsafe_b64decode(token[3:-1] + last + "=" * (-len(token[3:]) % 4)) == octets
    ]
    assert len(twins) == (0, 0, 15, 3)[len(token[3:]) % 4]
    for other in [*twins, token + "=", token + "==", token[:9] + "\n" + token[9:], " " + token]:
        _refused(other, grant.purpose)


@given(grants)
def test_other_keys_and_other_purposes_are_refused(grant: LinkGrant) -> None:
    _refused(STRANGER.mint(grant), grant.purpose)
    for purpose in LinkPurpose:
        if purpose is not grant.purpose:
            _refused(TOKENS.mint(replace(grant, purpose=purpose)), grant.purpose)


@given(st.text(max_size=900), st.sampled_from(LinkPurpose))
@example("", LinkPurpose.UNSUBSCRIBE)
@example("1a.", LinkPurpose.UNSUBSCRIBE)
@example("1a." + "A" * 22, LinkPurpose.UNSUBSCRIBE)
@example("1a." + "A" * 697, LinkPurpose.UNSUBSCRIBE)
@example("1a." + "A" * 100_000, LinkPurpose.UNSUBSCRIBE)
@example("1a.\ud800", LinkPurpose.UNSUBSCRIBE)
def test_no_other_text_opens_or_raises_anything_else(text: str, purpose: LinkPurpose) -> None:
    _refused(text, purpose)


@given(st.emails(), st.from_regex(r"[a-z]{6,20}", fullmatch=True))
def test_nothing_of_the_address_or_the_scope_can_be_read(mailbox: str, scope: str) -> None:
    grant = LinkGrant(LinkPurpose.UNSUBSCRIBE, Address(Channel.EMAIL, mailbox), scope, 0)
    token = TOKENS.mint(grant)
    octets = base64.urlsafe_b64decode(token[3:] + "=" * (-len(token[3:]) % 4))
    for secret in (mailbox, mailbox.rpartition("@")[2], scope):
        pieces = {secret[i : i + 7] for i in range(len(secret) - 6)}
        assert not any(piece in token or piece.encode() in octets for piece in pieces)
