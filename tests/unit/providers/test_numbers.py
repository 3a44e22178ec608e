"""The ends of a message in every way in which providers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.consent.address import Channel
from gateway.providers.numbers import business_end, person


@pytest.mark.parametrize(
    "written", ["15555550100", "+15555550100", " 15555550100", " +15555550100", "0015555550100"]
)
def test_a_number_is_a_person_with_or_without_its_plus(written):
    assert person(written).value == "+15555550100"


@pytest.mark.parametrize(
    "written",
    [
        "54321",
        "MTN",
        "+1800FLOWERS",
        "",
        "05555550100",
        "1" * 16,
        "\uff11\uff15\uff15\uff15\uff15\uff15\uff15\uff10",
        "+",
        "123456",
    ],
)
def test_what_is_no_number_is_no_person(written):
    assert person(written) is None


def test_whatsapp_has_ids_beside_numbers():
    assert person("US.1234", Channel.WHATSAPP).value == "US.1234"
    assert person("US.1234") is None


@pytest.mark.parametrize(
    ("written", "end"),
    [
        ("15555550199", "+15555550199"),
        ("+15555550199", "+15555550199"),
        ("54321", "54321"),
        ("acme", "ACME"),
        ("0555550199", "0555550199"),
    ],
)
def test_only_a_number_gets_a_plus(written, end):
    assert business_end(written) == end


@given(st.text(), st.sampled_from([Channel.SMS, Channel.WHATSAPP]))
def test_no_text_is_a_fault(written, channel):
    person(written, channel)
    business_end(written)
