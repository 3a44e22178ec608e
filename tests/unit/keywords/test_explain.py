"""Why a text is read as it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.keywords.explain import explain
from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.lexicon import read_lexicon
from gateway.keywords.phrases import PhraseKind
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Context, ReadingClass

FILE = """\
language = "tlh"
[words]
opt_out = ["mev"]
[phrases]
opt_out = ["mev nabeq"]
opt_out_reply = ["yap"]
[guards]
phrases = ["ghobe mev"]
[wrappers]
signatures = ["sent by"]
auto_replies = ["robot says"]
"""
MARKETING = Context(marketing=True)


@pytest.fixture(scope="module")
def reader() -> Reader:
    interpreter = Interpreter([read_lexicon("tlh.toml", FILE)])
    return interpreter.for_programs([ProgramWords("offers", languages=("tlh",))])


def test_a_keyword_is_found_at_its_stage_and_no_phrase_is_looked_for(reader: Reader) -> None:
    found = explain(reader, "Mev!", MARKETING)
    assert [step.stage for step in found.steps] == ["wrappers", "keywords"]
    assert found.steps[-1].reading is not None
    assert found.phrases == ()


def test_a_keyword_that_is_a_phrase_too_is_told_as_a_keyword() -> None:
    interpreter = Interpreter([read_lexicon("tlh.toml", FILE.replace('["mev"]', '["mev", "mev nabeq"]'))])
    reader = interpreter.for_programs([ProgramWords("offers", languages=("tlh",))])
    assert explain(reader, "mev nabeq", MARKETING).phrases == ()


def test_a_phrase_is_told_with_its_file_line_and_span(reader: Reader) -> None:
    found = explain(reader, "please, mev nabeq now", MARKETING)
    (phrase,) = found.phrases
    assert (phrase.kind, phrase.text, phrase.place) == (PhraseKind.OPT_OUT, "mev nabeq", "tlh.toml:5")
    assert (phrase.span, phrase.decided, phrase.held_by) == ((8, 17), True, None)
    assert found.reading.stages == ("normalise", *(step.stage for step in found.steps))


def test_the_guard_that_held_a_phrase_back_is_told(reader: Reader) -> None:
    found = explain(reader, "ghobe mev nabeq", MARKETING)
    guard, held = found.phrases
    assert (guard.kind, guard.decided, guard.counts) == (PhraseKind.GUARD, True, True)
    assert held.held_by is not None
    assert (held.held_by.text, held.held_by.place) == ("ghobe mev", "tlh.toml:8")
    assert (held.decided, found.reading.rule) == (False, "guarded@1")


def test_a_sentence_of_fillers_alone_holds_no_phrase(reader: Reader) -> None:
    assert explain(reader, "please", MARKETING).phrases == ()


def test_a_phrase_that_needs_advertising_before_it_is_told_as_not_counting(reader: Reader) -> None:
    (phrase,) = explain(reader, "yap", Context()).phrases
    assert (phrase.counts, phrase.decided) == (False, False)
    (phrase,) = explain(reader, "yap", MARKETING).phrases
    assert (phrase.counts, phrase.decided) == (True, True)


def test_what_a_wrapper_leaves_is_told(reader: Reader) -> None:
    found = explain(reader, "robot says: mev nabeq please sent by phone", MARKETING)
    assert found.steps[0].left == ("mev", "nabeq", "please")
    assert found.steps[0].reading is not None
    assert found.steps[0].reading.klass is ReadingClass.AUTO_REPLY
    assert found.steps[1].keys == ("mev", "nabeq", "please")
    assert found.reading.klass is ReadingClass.OPT_OUT


def test_the_provider_s_verdict_is_weighed(reader: Reader) -> None:
    found = explain(reader, "hello", Context(verdict=ReadingClass.OPT_OUT))
    assert (found.reading.klass, found.reading.rule) == (ReadingClass.OPT_OUT, "provider_verdict@1")


WORDS = st.sampled_from(
    ["mev", "nabeq", "yap", "ghobe", "robot says", "sent by", "x", "!", "?", ". ", "\n> "]
)
CONTEXTS = st.builds(Context, st.none() | st.sampled_from(ReadingClass), st.booleans(), st.booleans())


@settings(deadline=None)
@given(st.lists(WORDS).map(" ".join) | st.text(), CONTEXTS)
def test_the_explanation_is_of_the_reading(reader: Reader, text: str, context: Context) -> None:
    found = explain(reader, text, context)
    assert found.reading == reader.read(text, context)
    for phrase in found.phrases:
        start, end = phrase.span
        assert 0 <= start < end <= len(text)
        assert not (phrase.decided and phrase.held_by)
