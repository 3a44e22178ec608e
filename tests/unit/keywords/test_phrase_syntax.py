"""The notation of phrases: what it means is held by the machine's tests, what is wrong in it by these."""

import pytest

from gateway.keywords.phrase_syntax import Choice, Ending, Gap, Phrase, PhraseError, Words, parse_phrase

SETS = {"texts": ("text", "text messages", "SMS"), "one": ("stop",), "none": ()}


def words(*keys: str) -> Words:
    return Words(frozenset(keys))


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("stop now", (words("stop"), words("now"))),
        ("STOP, Now!", (words("stop"), words("now"))),
        ("arr\u00eat", (words("arret"),)),
        ("stop|end now", (words("stop", "end"), words("now"))),
        ("stop | end", (words("stop", "end"),)),
        ("stop [now]", (words("stop"), Choice(((words("now"),),), is_optional=True))),
        (
            "(let me be|go) x",
            (Choice(((words("let"), words("me"), words("be")), (words("go"),))), words("x")),
        ),
        ("[a|b c] x", (Choice(((words("a"),), (words("b"), words("c"))), is_optional=True), words("x"))),
        ("a ... b", (words("a"), Gap(), words("b"))),
        ("a * b", (words("a"), Gap(1, 1), words("b"))),
        ("a *", (words("a"), Gap(1, 1))),
        ("<one>", (words("stop"),)),
        ("<one>|end", (words("stop", "end"),)),
        ("<texts>", (Choice(((words("text", "sms"),), (words("text"), words("messages")))),)),
        ("opt-out", (words("opt"), words("out"))),
        ("to #", (words("to"), words("#"))),
    ],
)
def test_what_is_written_is_meant(text: str, items: tuple[object, ...]) -> None:
    assert parse_phrase(text, SETS) == Phrase(items)  # type: ignore[arg-type]  # of the kinds above


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("stop", (False, Ending.ANY)),
        ("^ stop", (True, Ending.ANY)),
        ("^stop$", (True, Ending.END)),
        ("stop ?", (False, Ending.QUESTION)),
        ("^ stop?", (True, Ending.QUESTION)),
    ],
)
def test_the_edges_tie_a_phrase_to_its_sentence(text: str, edges: tuple[bool, Ending]) -> None:
    assert parse_phrase(text, {}) == Phrase((words("stop"),), *edges)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no word in it is required"),
        ("^ $", "no word in it is required"),
        ("[stop]", "no word in it is required"),
        ("...", "no word in it is required"),
        ("* [a] ...", "no word in it is required"),
        ("... stop", r'"\.\.\." stands between words'),
        ("stop ...", r'"\.\.\." stands between words'),
        ("* stop", r'"\*" not before the first'),
        ("stop ^ now", r'"\^" stands at the edge only'),
        ("stop $ now", r'"\$" stands at the edge only'),
        ("(stop ?) now", r'"\?" stands at the edge only'),
        ("stop)", r'"\)" closes nothing'),
        ("stop] now", r'"\]" closes nothing'),
        ("(stop", r'"\)" is missing'),
        ("[stop) now", r'"\]" is missing'),
        ("()", "an empty choice"),
        ("(a|) b", "an empty choice"),
        ("a | ", "an empty choice"),
        ("| a", "an empty choice"),
        ("a||b", "an empty choice"),
        ("<nope> a", r"no set <nope> in \[sets\]; known are texts, one, none"),
        ("<> a", r"no set <> in"),
        ("<none> a", "the set <none> is empty"),
        ("stop , now", "a comma stands between the words of a guard only"),
        ("!!", r'"!!" has no letter or digit'),
        ("a \u2014 b", "has no letter or digit"),
    ],
)
def test_what_is_wrong_is_told(text: str, message: str) -> None:
    with pytest.raises(PhraseError, match=message):
        parse_phrase(text, SETS)


def test_an_unknown_set_in_a_file_without_sets_says_so() -> None:
    with pytest.raises(PhraseError, match="known are none"):
        parse_phrase("<a>", {})
