"""A lexicon is checked when it is read, and every fault is told with file and line."""

import pytest

from gateway.errors import ConfigurationError
from gateway.keywords.interpreter import Interpreter
from gateway.keywords.lexicon import read_lexicon, shipped_lexicons
from gateway.keywords.protected import PROTECTED
from gateway.keywords.reading import ReadingClass

HEAD = """\
language = "en"

[words]
opt_out = [
    "stop", "quit", "end", "revoke",
    "opt out", "cancel", "unsubscribe",
]
"""


def test_the_shipped_english_has_every_protected_word() -> None:
    english = next(lexicon for lexicon in shipped_lexicons() if lexicon.language == "en")
    opt_outs = {word.text for word in english.words if word.klass is ReadingClass.OPT_OUT}
    assert opt_outs >= set(PROTECTED)
    assert set(PROTECTED) == {"stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"}


def test_a_word_knows_its_spellings_class_language_and_place() -> None:
    lexicon = read_lexicon("en.toml", HEAD + 'help = ["Aid-Me"]\n[spellings]\n"mayday" = "aid me"\n')
    word = lexicon.words[-1]
    assert (word.text, word.spellings, word.place) == ("aid me", ("aid me", "aidme", "mayday"), "en.toml:8")
    assert (word.klass, word.language, word.program, word.reaches_all) == (
        ReadingClass.HELP,
        "en",
        None,
        False,
    )


def test_a_keyword_of_two_words_may_be_answered_in_another_language() -> None:
    text = 'language = "xx"\n[words]\nopt_out = ["halt", "halt all"]\n[answered_in]\nfr = ["halt all"]\n'
    assert [word.language for word in read_lexicon("xx.toml", text).words] == ["xx", "fr"]


def test_an_accent_is_kept_in_the_canonical_form() -> None:
    lexicon = read_lexicon("fr.toml", 'language = "fr"\n[words]\nopt_out = ["ARR\u00caT"]\n')
    assert (lexicon.words[0].text, lexicon.words[0].spellings) == ("arr\u00eat", ("arret",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('language = "en\n', r"^en\.toml: no valid TOML: .*line 1"),
        (
            HEAD + 'opt_outs = ["x"]\n',
            r'^en\.toml:8: unknown class "opt_outs"; known are opt_out, opt_in, opt_in_confirm, help',
        ),
        (
            HEAD + "[fillers]\nbefore = []\n",
            r'^en\.toml:9: unknown key "before"; known are anywhere, after, all',
        ),
        (
            HEAD + "\n[colours]\nred = 1\n",
            r'^en\.toml:9: unknown "colours"; known are language, protected, words',
        ),
        ("colour = 1\n" + HEAD, r'^en\.toml:1: unknown "colour"'),
        ('language = "en"\ncolour = 1\n', r'^en\.toml:2: unknown "colour"'),
        ('words = 1\nlanguage = "en"\n', r'^en\.toml:1: "words" must be a table'),
        ("[words]\n", r'^en\.toml: give "language" as a string'),
        ('\nlanguage = ""\n', r'^en\.toml:2: give "language" as a string'),
        (HEAD + 'help = "help"\n', r'^en\.toml:8: "help" must be a list of strings'),
        (HEAD + "help = [1]\n", r'^en\.toml:8: "help" must be a list of strings'),
        (HEAD + 'help = ["aid", "!!"]\n', r'^en\.toml:8: "!!" has no letter or digit'),
        (HEAD + "[spellings]\nhalt = 1\n", r'^en\.toml:9: "halt" must be a string'),
        (HEAD + '[spellings]\n"halt" = "whoa"\n', r'^en\.toml:9: "whoa" in \[spellings\] stands for no word'),
        (
            HEAD + 'opt_in = ["go"]\nhelp = ["sos", "go"]\n',
            r'^en\.toml:9: "go" cannot be a word of help: .* opt_in \(en\.toml:8\)',
        ),
        (
            HEAD + 'opt_in = ["yes"]\nopt_in_confirm = ["yes"]\n',
            r'^en\.toml:9: "yes" cannot be a word of opt_in_confirm',
        ),
        (
            HEAD + 'opt_in = ["go"]\n[spellings]\n"stop now" = "go"\n"opt-out" = "go"\n',
            r'^en\.toml:8: "go" cannot be a word of opt_in: it is a word of opt_out \(protected by 47 CFR',
        ),
        (
            HEAD + 'help = ["aid"]\n[fillers]\nafter = ["aid"]\n',
            r'^en\.toml:8: "aid" is both a keyword and a filler',
        ),
        (
            HEAD.replace('"end", ', ""),
            r'^en\.toml:4: the protected word "end" is missing; put it into opt_out \(47 CFR',
        ),
        (HEAD.replace('"opt out", ', '"optout", '), r'the protected word "opt out" is missing'),
        (
            HEAD.replace('"quit", ', "") + 'help = ["quit"]\n',
            r'^en\.toml:8: "quit" cannot be a word of help: .*\(protected by 47 CFR',
        ),
        ('language = "yy"\n[words]\nopt_in = ["End"]\n', r'^en\.toml:3: "end" cannot be a word of opt_in'),
        ('language = "yy"\n[words]\nhelp = ["OptOut"]\n', r'^en\.toml:3: "optout" cannot be a word of help'),
        (
            'language = "yy"\n[fillers]\nafter = ["a", "end"]\n',
            r'^en\.toml:3: the protected word "end" cannot be a filler',
        ),
        (
            'language = "yy"\nprotected = ["arret"]\n[words]\nhelp = ["aide"]\n',
            r'^en\.toml:3: the protected word "arret" is missing',
        ),
        (
            'language = "yy"\nprotected = ["arret"]\n[words]\nhelp = ["arret"]\n',
            r'^en\.toml:4: "arret" cannot be a word of help',
        ),
    ],
)
def test_a_fault_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_lexicon("en.toml", text)


def test_a_second_lexicon_of_a_language_adds_to_the_first() -> None:
    added = 'language = "en"\n[words]\nopt_out = ["enough"]\n[phrases]\nopt_out = ["^ basta $"]\n'
    reader = Interpreter([*shipped_lexicons(), read_lexicon("b.toml", added, is_addition=True)]).for_programs(
        []
    )
    for text in ("stop", "enough", "basta", "please stop texting me"):
        assert reader.read(text).klass is ReadingClass.OPT_OUT, text
