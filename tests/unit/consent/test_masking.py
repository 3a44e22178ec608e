"""An address as it is shown to whoever holds a link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.consent.address import Address, Channel
from gateway.consent.masking import mask_address


@pytest.mark.parametrize(
    ("channel", "value", "shown"),
    [
        (Channel.EMAIL, "jane.doe@example.org", "j•••@example.org"),
        (Channel.EMAIL, "ja@example.org", "j•••@example.org"),
        (Channel.EMAIL, "j@example.org", "•••@example.org"),
        (Channel.EMAIL, '"j@home"@example.org', '"•••@example.org'),
        (Channel.EMAIL, "üna@example.org", "ü•••@example.org"),
        (Channel.SMS, "+15550100123", "•••0123"),
        (Channel.WHATSAPP, "+4915550100", "•••0100"),
        (Channel.SMS, "+1555010", "•••10"),
        (Channel.PUSH, "f3a9c1d2e4b5", "•••e4b5"),
        (Channel.PUSH, "abc", "•••"),
        (Channel.POSTAL, "x", "•••"),
    ],
)
def test_the_person_knows_the_address_again(channel: Channel, value: str, shown: str) -> None:
    assert mask_address(Address(channel, value)) == shown


@given(st.emails())
def test_a_mailbox_shows_one_character_at_most_and_not_its_length(mailbox: str) -> None:
    local, _, domain = mailbox.rpartition("@")
    shown = mask_address(Address(Channel.EMAIL, mailbox))
    assert shown in {f"{local[0]}•••@{domain}", f"•••@{domain}"}
    assert mailbox not in shown


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=256))
def test_an_id_never_shows_more_than_half_of_itself(value: str) -> None:
    shown = mask_address(Address(Channel.PUSH, value)).removeprefix("•••")
    assert len(shown) <= min(4, len(value) / 2)
    assert value.endswith(shown)
