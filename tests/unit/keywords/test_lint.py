"""Remarks on language files: only what is certain."""

import pytest

from gateway.flows.segments import segments
from gateway.keywords.lexicon import read_lexicon, shipped_files, shipped_lexicons
from gateway.keywords.lint import Grade, Remark, lint

HEAD = 'language = "tlh"\n[words]\nopt_out = ["mevyap"]\nopt_in = ["taghqa"]\n'


def remarks(text: str) -> list[Remark]:
    return lint("tlh.toml", text, shipped_lexicons(), segments)


def test_a_small_file_is_without_a_remark() -> None:
    assert remarks(HEAD) == []


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            '[sets]\na = ["x"]\n[phrases]\nopt_out = ["<a> y", "y z", "Y  z!"]\n',
            "8",
            "says the same as tlh.toml:8",
        ),
        ('[phrases]\nopt_out = ["x y"]\nrefusal = ["x y"]\n', "7", "says the same as tlh.toml:6, of opt_out"),
        (
            '[phrases]\nopt_out = [\n"x y"]\n[guards]\nphrases = ["x y"]\n',
            "7",
            "guard at tlh.toml:9 says the same",
        ),
        (
            '[sets]\na = ["x"]\n\nb = ["x"]\n[phrases]\nopt_out = ["<a> y"]\n',
            "8",
            "no phrase uses the set <b>",
        ),
        ('[typos]\nreal_words = ["mevya", "far"]\n', "6", "no slips of any keyword, and guard nothing: far"),
        (f'[texts]\nopt_out = "{"x" * 150} START {{name}}"\n', "6", "needs 2 SMS"),
        ('[texts]\nopt_out = "{name}: gone"\n', "6", "names no keyword of opt_in in capital"),
        ('[texts]\nclarify = "START?"\n', "6", "names no keyword of opt_out in capital"),
        ('[texts]\nopt_in = "STOP"\n', "6", "names no keyword of help"),
        ('[texts]\nopt_in_pending = "STOP"\n', "6", "names no keyword of opt_in_confirm or opt_in"),
    ],
)
def test_what_does_nothing_is_noted_with_its_place(text: str, place: str, message: str) -> None:
    (found,) = remarks(HEAD + text)
    assert (found.grade, found.place) == (Grade.NOTE, f"tlh.toml:{place}")
    assert message in found.message


def test_a_reply_is_measured_with_a_name_of_twenty_characters() -> None:
    text = 'opt_out = "{name} START %s"\n'
    assert remarks(f"{HEAD}[texts]\n{text % ('x' * 133)}") == []
    assert "needs 2 SMS" in remarks(f"{HEAD}[texts]\n{text % ('x' * 134)}")[0].message


def test_only_an_addition_may_lack_its_protected_words() -> None:
    english = [lexicon for lexicon in shipped_lexicons() if lexicon.language == "en"]
    assert lint("a.toml", 'language = "en"\n', english, segments) == []
    (found,) = lint("a.toml", 'language = "tlh"\nprotected = ["mev"]\n', english, segments)
    assert 'the protected word "mev" is missing' in found.message


def test_a_word_written_twice_is_noted() -> None:
    (found,) = remarks('language = "tlh"\n[words]\nopt_out = ["mev yap",\n"mevyap"]\n')
    assert (found.place, found.message) == ("tlh.toml:4", '"mevyap" stands at tlh.toml:3 already')


@pytest.mark.parametrize(
    "text",
    [
        '[phrases]\nopt_out = ["mevyap x", "mevyap x y", "mevyap (x|y)"]\n',
        '[phrases]\nopt_out = ["x y"]\n[guards]\nphrases = ["^ x y"]\n',
        '[texts]\nopt_out = "{name}: TAGHQA"\nhelp = "MEVYAP"\nopt_out_nameless = "START"\n',
        '[typos]\nreal_words = ["mevya", "mevayp", "mexyap", "mevyapp"]\n',
    ],
)
def test_what_is_well_is_not_remarked_upon(text: str) -> None:
    assert remarks(HEAD + text) == []


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("language = 3", "tlh.toml:1", 'give "language" as a string'),
        ("x", "tlh.toml", "no valid TOML"),
        (HEAD + 'help = ["stop"]\n', "tlh.toml:5", '"stop" cannot be a word of help'),
        (HEAD + '[phrases]\nopt_out = ["<b>"]\n', "tlh.toml:6", "no set <b> in [sets]"),
        (HEAD + '[fillers]\nafter = ["mevyap"]\n', "tlh.toml:3", '"mevyap" is both a keyword and a filler'),
        (HEAD + '[colours]\na = "b"\n', "tlh.toml:5", 'unknown "colours"'),
        (
            'language = "en"\n[words]\nopt_in = ["remove"]\n',
            "tlh.toml:3",
            '"remove" cannot be a word of opt_in',
        ),
        ('language = "en-au"\n[words]\nhelp = ["no"]\n', "tlh.toml:3", '"no" cannot be a word of help'),
    ],
)
def test_what_makes_a_file_unusable_is_a_fault(text: str, place: str, message: str) -> None:
    (found,) = remarks(text)
    assert (found.grade, found.place) == (Grade.FAULT, place)
    assert message in found.message


def test_an_addition_is_looked_at_together_with_what_it_adds_to() -> None:
    text = '[texts]\nopt_out = "{name}: UNSTOP"\n[typos]\nreal_words = ["unstp", "subscribed"]\n'
    assert lint("a.toml", f'language = "en"\n{text}', shipped_lexicons(), segments) == []
    (idle,) = remarks(HEAD + text)
    assert "guard nothing: subscribed" in idle.message


def test_the_shipped_languages_have_no_fault_and_their_texts_name_what_to_write() -> None:
    texts = dict(shipped_files())
    lexicons = {name: read_lexicon(name, text) for name, text in texts.items()}
    for name, text in texts.items():
        others = [lexicon for other, lexicon in lexicons.items() if other != name]
        found = lint(name, text, others, segments)
        assert [each for each in found if each.grade is Grade.FAULT or "names no" in each.message] == []
