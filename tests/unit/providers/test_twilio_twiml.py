"""TwiML, read back by an XML parser."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers import twiml


def messages(document: bytes) -> list[str]:
    root = ET.fromstring(document)
    assert root.tag == "Response"
    assert {child.tag for child in root} <= {"Message"}
    return [child.text or "" for child in root]


def is_legal(char: str) -> bool:
    # XML 1.0 (Fifth Edition), production 2
    code = ord(char)
    return code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


@given(st.lists(st.text(st.characters(), max_size=40), max_size=3))
def test_any_text_comes_back_less_what_xml_cannot_carry(texts):
    kept = ["".join(filter(is_legal, text)) for text in texts]
    assert messages(twiml.render(texts)) == [text for text in kept if text.strip()]


@pytest.mark.parametrize("texts", [[], [""], [" \n"], ["\0"]])
def test_no_text_is_the_empty_response(texts):
    assert twiml.render(texts) == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


def test_markup_in_a_text_stays_text():
    document = twiml.render(["</Message><Redirect>http://x.example</Redirect> & ]]>"])
    assert messages(document) == ["</Message><Redirect>http://x.example</Redirect> & ]]>"]


def test_lone_surrogates_and_controls_are_dropped():
    assert messages(twiml.render(["a\ud800b\x00\x0b\ufffe\r\nc"])) == ["ab\r\nc"]


def test_two_texts_are_two_messages_in_order():
    assert twiml.render(["one", "zwö"]) == (
        '<?xml version="1.0" encoding="UTF-8"?>'
        "<Response><Message>one</Message><Message>zwö</Message></Response>".encode()
    )
