"""Documents are the same bytes whichever encoder makes them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.consent.choice import Choice
from gateway.web.api.documents import _bytes

_leaves = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=()))
_documents = st.dictionaries(
    st.text(),
    st.recursive(_leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12),
)


@given(_documents)
def test_a_document_is_compact_json_in_utf_8_and_half_a_pair_becomes_a_question_mark(document):
    expected = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    assert _bytes(document) == expected.encode(errors="replace")


def test_an_enumeration_stands_for_its_value():
    assert _bytes({"choice": Choice.NO, "none": None}) == b'{"choice":"n","none":null}'
