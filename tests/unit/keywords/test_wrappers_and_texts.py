"""Two tables of a language file: what messengers put around a message, and what we answer."""

from string import Formatter

import pytest

from gateway.errors import ConfigurationError
from gateway.keywords.lexicon import read_lexicon, shipped_lexicons
from gateway.keywords.texts import PLACES, TextKey, Texts
from gateway.keywords.wrappers import ReactionForm, Wrappers

HEAD = 'language = "tlh"\n'


def wrappers(text: str) -> Wrappers:
    return read_lexicon("tlh.toml", f"{HEAD}[wrappers]\n{text}\n").wrappers


@pytest.mark.parametrize(
    ("form", "before", "after"),
    [
        ("Liked {quote}", ("liked",), ()),
        ("{quote} gefaellt mir", (), ("gefaellt", "mir")),
        ("Hat \u201e{quote}\u201c mit \u2764 markiert", ("hat",), ("mit", "markiert")),
        ("A aim\u00e9 {quote}", ("a", "aime"), ()),
    ],
)
def test_a_form_is_what_stands_before_and_after_the_quote(
    form: str, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    assert wrappers(f'reactions = ["{form}"]').reactions == (ReactionForm(before, after),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('reactions = ["Liked"]', r'^tlh\.toml:3: "Liked" lacks \{quote\}'),
        ('reactions = ["\u2764 {quote}"]', r"^tlh\.toml:3: .* has no word"),
        ('objects = ["an image",\n"?"]', r'^tlh\.toml:4: "\?" has no letter'),
        ('auto_replies = ["[]"]', r"^tlh\.toml:3: .* has no letter"),
        ('signatures = ["--"]', r"^tlh\.toml:3: .* has no letter"),
        ('moods = ["x"]', r'^tlh\.toml:3: unknown key "moods"'),
        ('signatures = "x"', r'^tlh\.toml:3: "signatures" must be a list'),
    ],
)
def test_a_wrong_wrapper_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        wrappers(text)


def test_wrappers_of_two_languages_are_joined_without_repetition() -> None:
    joined = wrappers('objects = ["a b", "c"]') | wrappers('objects = ["c", "d"]\nsignatures = ["s"]')
    assert joined.objects == (("a", "b"), ("c",), ("d",))
    assert joined.signatures == (("s",),)


# -- texts -----------------------------------------------------------------------------------------------


def texts(text: str) -> dict[str, str]:
    return dict(read_lexicon("tlh.toml", f"{HEAD}[texts]\n{text}\n").texts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('opt_out = "{phone}"', r"^tlh\.toml:3: unknown \{phone\}; known are \{name\}, \{contact\}"),
        ('opt_out = "{}"', r"^tlh\.toml:3: unknown \{\}"),
        ('opt_out_nameless = "{name}"', r"^tlh\.toml:3: unknown \{name\}; known are none"),
        ('opt_out = "{name"', r"^tlh\.toml:3: a brace is wrong"),
        ('opt_outs = "x"', r'^tlh\.toml:3: unknown key "opt_outs"'),
        ("help = 1", r'^tlh\.toml:3: "help" must be a string'),
    ],
)
def test_a_wrong_text_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        texts(text)


def test_a_text_is_looked_for_from_the_narrowest_language_on_and_last_in_english() -> None:
    known = Texts(
        {"en": {"help": "en"}, "fr": {"help": "fr"}, "fr-ca": {"opt_out": "fr-ca"}, "pl": {"help": ""}}
    )
    assert known.find(TextKey.HELP, ["fr-CA"]) == "fr"
    assert known.find(TextKey.OPT_OUT, ["fr-CA", "en"]) == "fr-ca"
    assert known.find(TextKey.HELP, ["pl", "fr"]) == "fr"
    assert known.find(TextKey.HELP, ["tlh", ""]) == "en"
    with pytest.raises(KeyError):
        known.find(TextKey.CLARIFY, ["fr"])


def test_english_has_every_text_and_all_languages_use_only_known_places() -> None:
    by_language = {lexicon.language: lexicon.texts for lexicon in shipped_lexicons()}
    assert set(by_language["en"]) == set(TextKey)
    for found in by_language.values():
        for key, text in found.items():
            places = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
            assert places <= (set() if key.endswith("nameless") else set(PLACES))
            assert key.endswith("nameless") or "name" in places
