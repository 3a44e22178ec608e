"""How many SMS a text needs (3GPP TS 23.038 and 23.040)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flows.segments import segments
from gateway.providers import gsm


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # two septets each
        ("€" * 81, 2),
        ("é" * 160, 1),
        ("ê", 1),
        ("ê" * 70, 1),
        ("ê" * 71, 2),
        ("🛑" * 35, 1),  # two UTF-16 units each
        ("🛑" * 36, 2),
    ],
)
def test_the_number_of_messages(text: str, number: int):
    assert segments(text) == number


@given(st.text(st.sampled_from("aé@€{"), min_size=1, max_size=153))
def test_a_text_of_the_seven_bit_alphabet_is_counted_by_its_septets(text):
    assert segments(text) == (1 if len(gsm.encode(text)) <= 160 else 2)
