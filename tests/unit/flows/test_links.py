"""Unsubscribe links for many recipients."""

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.consent.address import Address, Channel
from gateway.flows.links import mint_links
from gateway.keywords.interpreter import Interpreter
from gateway.mail.tokens import LinkKey, LinkPurpose, LinkTokens
from gateway.programs import ProgramBook, UnknownProgramError
from gateway.settings import Settings

NOW = 1_790_000_000_123_456
SECONDS = NOW // 1_000_000
_INTERPRETER = Interpreter.shipped()


@dataclass
class Parts:
    """The parts of a house that minting needs."""

    settings: Settings
    book: ProgramBook
    links: LinkTokens


def _parts(**tables) -> Parts:
    settings = Settings.model_validate(
        {
            "keys": {"master": "m" * 40},
            "server": {"public_url": "https://consent.example.com/gateway"},
            "programs": {"news": {"name": "News", "purpose": "marketing", "default_choice": "y"}},
            **tables,
        }
    )
    keys = [LinkKey("k1", b"s" * 32)]
    return Parts(settings, ProgramBook(settings.programs, _INTERPRETER), LinkTokens(keys))


def _mint(recipients, parts=None, **changes):
    values = {"recipients": recipients, "program": "news", "now": NOW, "message": "autumn", **changes}
    return list(mint_links(parts or _parts(), **values))


def _grant(parts: Parts, url: str):
    base, _, token = url.rpartition("/u/")
    assert base == "https://consent.example.com/gateway"
    return parts.links.open(token, LinkPurpose.UNSUBSCRIBE, now=SECONDS)


def test_a_link_opens_as_what_it_was_made_for():
    parts = _parts()
    (link,) = _mint(["Kim@Example.org"], parts)
    grant = _grant(parts, link.url)
    assert grant.address == link.address == Address(Channel.EMAIL, "kim@example.org")
    assert (grant.scope, grant.message, grant.issued_at, grant.expires_at) == (
        "news",
        "autumn",
        SECONDS,
        None,
    )


def test_the_header_fields_hold_the_link():
    (link,) = _mint(["kim@example.org"])
    assert link.headers == (
        ("List-Unsubscribe", f"<{link.url}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def test_a_mailbox_stands_beside_the_link_with_the_token_as_subject():
    parts = _parts(mail={"unsubscribe_mailto": "un&sub@consent.example.com"})
    (link,) = _mint(["kim@example.org"], parts)
    token = link.url.rpartition("/")[2]
    mailto = f"<mailto:un%26sub@consent.example.com?subject={token}>"
    assert dict(link.headers)["List-Unsubscribe"] == f"<{link.url}>, {mailto}"


def test_where_both_do_not_fit_into_a_line_the_link_goes_alone():
    parts = _parts(mail={"unsubscribe_mailto": "unsubscribe@consent.example.com"})
    (link,) = _mint([f"{'k' * 64}@{'e' * 60}.{'x' * 60}.org"], parts, message="m" * 180)
    assert dict(link.headers)["List-Unsubscribe"] == f"<{link.url}>"


def test_links_end_when_the_settings_say_so():
    parts = _parts(limits={"link_expiry_days": 365})
    (link,) = _mint(["kim@example.org"], parts)
    assert _grant(parts, link.url).expires_at == SECONDS + 365 * 86_400


def test_on_this_machine_plain_http_will_do():
    parts = _parts(server={"public_url": "http://127.0.0.1:8080"})
    (link,) = _mint(["kim@example.org"], parts)
    assert link.url.startswith("http://127.0.0.1:8080/u/1k1.")
    assert link.headers


def test_other_channels_have_a_link_and_no_header_fields():
    parts = _parts()
    (link,) = _mint(["+15550100123"], parts, channel=Channel.SMS)
    assert link.headers == ()
    assert _grant(parts, link.url).address == Address(Channel.SMS, "+15550100123")


def test_a_recipient_without_address_has_an_error_and_the_others_their_links():
    first, second, third = _mint(["kim@example.org", "nobody", "lee@example.org"])
    assert second.error == "not a mailbox: give it as local-part@domain"
    assert (second.address, second.url, second.headers) == (None, "", ())
    assert first.url
    assert third.url


def test_what_does_not_fit_into_a_link_is_told():
    (link,) = _mint(["kim@example.org"], message="m" * 700)
    assert link.error == "address, scope and message id together are too long for a link"
    assert link.url == ""


def test_all_programs_can_be_meant():
    parts = _parts()
    assert _grant(parts, _mint(["kim@example.org"], parts, program="*")[0].url).scope == "*"


def test_an_unknown_program_is_told_before_the_first_link():
    with pytest.raises(UnknownProgramError):
        mint_links(_parts(), recipients=[], program="nope", now=NOW)


def test_links_are_made_as_they_are_asked_for():
    endless = (f"person{number}@example.org" for number in itertools.count())
    links = mint_links(_parts(), recipients=endless, program="*", now=NOW)
    assert [link.address.value for link in itertools.islice(links, 2)] == [
        "person0@example.org",
        "person1@example.org",
    ]


def test_the_same_recipient_has_the_same_link():
    one, other = _mint(["kim@example.org", "KIM@example.org"])
    assert one == other


_PARTS = _parts()


@given(st.text(max_size=40), st.sampled_from(list(Channel)), st.text(max_size=20))
def test_any_recipient_has_either_a_link_or_an_error(recipient: str, channel: Channel, message: str):
    (link,) = _mint([recipient], _PARTS, channel=channel, message=message)
    assert bool(link.url) is (link.error is None)
    if link.url:
        assert _grant(_PARTS, link.url).address == Address.parse(channel, recipient)
