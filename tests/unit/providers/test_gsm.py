"""The GSM default alphabet, by examples of 3GPP TS 23.038 and by its own inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers import gsm


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"STOP", "STOP"),
        (b"\x00\x01\x02", "@£$"),
        (b"\x10\x11\x12\x1a", "Δ_ΦΞ"),
        (b"\x40\x60\x24", "¡¿¤"),
        (b"\x5b\x5c\x5d\x5e\x5f\x7b\x7c\x7d\x7e\x7f", "ÄÖÑÜ§äöñüà"),
        (b"\x1b\x65\x1b\x14\x1b\x28\x1b\x29\x1b\x2f\x1b\x3c\x1b\x3d\x1b\x3e\x1b\x40\x1b\x0a", "€^{}\\[~]|\f"),
        (b"St\x7cp", "Stöp"),
        (b"\x1bA", "A"),
        (b"a\x1b\x1bb", "a b"),
        (b"a\x1b", "a "),
        (b"", ""),
    ],
)
def test_septets_are_read(octets, text):
    assert gsm.decode(octets) == text


@pytest.mark.parametrize("octets", [b"\x80", b"STOP\xff"])
def test_an_octet_beyond_the_alphabet_is_refused(octets):
    with pytest.raises(ValueError, match="GSM"):
        gsm.decode(octets)


@given(st.binary())
def test_any_octets_are_read_or_refused(octets):
    if all(octet < 0x80 for octet in octets):
        assert gsm.encode(gsm.decode(octets)) is not None
        return
    with pytest.raises(ValueError, match="GSM"):
        gsm.decode(octets)


@given(st.text(alphabet=st.sampled_from([*gsm._SEPTETS])))
def test_what_is_written_is_read_again(text):
    assert gsm.decode(gsm.encode(text)) == text


@pytest.mark.parametrize("text", ["🛑", "ç", "\x1b", "日"])
def test_a_text_beyond_the_alphabet_is_not_written(text):
    assert gsm.encode(text) is None
