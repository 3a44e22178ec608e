"""A language is one file: the Polish one of the how-to, taken out of the page and put into a deployment's folder."""

import re
from pathlib import Path

import pytest

from gateway.configuration.languages import interpreter_of
from gateway.configuration.loading import load
from gateway.errors import ConfigurationError
from gateway.flows.interpret import Interpretation, Question, interpret
from gateway.flows.replies import ReplyKey
from gateway.flows.segments import segments
from gateway.keywords.lexicon import shipped_lexicons
from gateway.keywords.lint import lint
from gateway.keywords.reading import Reach
from gateway.programs import ProgramBook

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "add-a-language.md"
SENDER = "+15550100100"
CONFIG = """
[keys]
master = "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
[interpreter]
languages = "{folder}"
[programs.offers]
name = "Acme"
purpose = "marketing"
default_choice = "y"
senders = ["+15550100100"]
contact = "help@example.com"
languages = ["{language}"]
"""


def polish() -> str:
    (text,) = re.findall(
        r"^```toml title=pl\.toml\n(.*?)^```", HOW_TO.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(text)


def book_with(tmp_path: Path, text: str, language: str = "pl") -> ProgramBook:
    folder = tmp_path / "languages"
    folder.mkdir()
    (folder / "own.toml").write_text(text, encoding="utf-8")
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(folder=folder, language=language), encoding="utf-8")
    settings = load(config, {})
    return ProgramBook(settings.programs, interpreter_of(settings), settings.source)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> ProgramBook:
    return book_with(tmp_path_factory.mktemp("deployment"), polish())


def read(book: ProgramBook, text: str, **about: object) -> Interpretation:
    return interpret(book, Question(text, sender=SENDER, **about))  # type: ignore[arg-type]  # as each test says


def test_the_file_of_the_page_is_without_a_remark() -> None:
    assert lint("pl.toml", polish(), shipped_lexicons(), segments) == []


@pytest.mark.parametrize(
    "text",
    [
        "Wyłącz!",
        "WYLACZ",
        "wypisz mnie",
        "usun mnie",
        "rezygnuje, dziękuję",
        "nie pisz",
        "nie-pisz",
        "koniec",
        "ANULUJ",
        "wypsiz",
        "STOP",
        "wypisz te smsy",
        "S T O P",
    ],
)
def test_its_keywords_spellings_fillers_and_typing_errors_opt_out(book: ProgramBook, text: str) -> None:
    found = read(book, text)
    assert (found.reading.klass, found.choice) == ("opt_out", "n")


@pytest.mark.parametrize(
    ("text", "klass"),
    [
        ("Proszę, nie wysyłajcie mi już smsów", "opt_out"),
        ("przestańcie do mnie pisać", "opt_out"),
        ("Nie chcę więcej dostawać reklam!", "opt_out"),
        ("usuńcie mój numer z waszej listy", "opt_out"),
        ("rezygnuję z subskrypcji", "opt_out"),
        ("Dzień dobry. Nie piszcie więcej do mnie.", "opt_out"),
        ("to nie ten numer", "wrong_number"),
        ("pomyłka", "wrong_number"),
        ("Jak się wypisać?", "help"),
        ("pomoc", "help"),
        ("zapisz", "opt_in"),
    ],
)
def test_its_phrases_are_read(book: ProgramBook, text: str, klass: str) -> None:
    assert read(book, text).reading.klass == klass
    assert read(book, text, marketing=False).reading.klass == klass


@pytest.mark.parametrize(
    "text",
    [
        "nie przestawajcie do mnie pisać",
        "nie wypisujcie mnie z listy",
        "anulujcie moją wizytę",
        "konie",
        "zapis",
        "do zobaczenia jutro",
        "nie",
        "tak",
        "jak się macie?",
    ],
)
def test_its_guards_and_real_words_hold_back(book: ProgramBook, text: str) -> None:
    assert read(book, text).reading.klass == "other"


@pytest.mark.parametrize(
    ("text", "klass"),
    [("Przestańcie!", "opt_out"), ("nie jestem zainteresowana", "opt_out"), ("spadaj", "refusal")],
)
def test_what_ends_messages_as_an_answer_to_advertising_is_chat_elsewhere(
    book: ProgramBook, text: str, klass: str
) -> None:
    assert read(book, text).reading.klass == klass
    assert read(book, text, marketing=False).reading.klass == "other"


def test_its_reactions_and_automatic_replies_are_none(book: ProgramBook) -> None:
    assert (
        read(book, "Polubiono \u201eWyprzedaż! Odpisz STOP, aby zakonczyc\u201d").reading.klass == "reaction"
    )
    assert read(book, "Zareagowano zdjęcie").reading.klass == "reaction"
    assert read(book, "Odpowiedź automatyczna: jestem na urlopie").reading.klass == "auto_reply"
    assert read(book, "Wypisz\nWysłano z iPhone'a").reading.klass == "opt_out"


def test_a_word_of_consent_waits_for_a_double_opt_in(book: ProgramBook) -> None:
    assert read(book, "tak", pending_opt_in=True).reading.klass == "opt_in_confirm"


@pytest.mark.parametrize("text", ["stop wszystko", "wypisz wszystkie", "wypiszcie mnie ze wszystkiego"])
def test_its_words_reach_every_program(book: ProgramBook, text: str) -> None:
    assert (read(book, text).reading.reach, read(book, text).scopes) == (Reach.ALL, ("*",))


def test_its_texts_answer_before_the_shipped_ones_and_those_before_english(book: ProgramBook) -> None:
    stopped, joined = read(book, "wypisz"), read(book, "zapisz")
    assert stopped.reply is ReplyKey.OPT_OUT
    assert (
        stopped.reply_text
        == "Acme: to byla ostatnia wiadomosc. Odpisz START, aby wrocic. Pomoc: help@example.com"
    )
    assert joined.reply_text is not None
    assert joined.reply_text.startswith("Acme: zapisano Cie.")  # the shipped Polish


BARE = 'language = "tlh"\n[words]\nopt_out = ["mev"]\n'


def test_a_language_of_its_own_is_read_without_any_shipped_one(tmp_path: Path) -> None:
    book = book_with(tmp_path, BARE, "tlh")
    for text in ("mev!", "STOP", "Opt out", "unsubscribe"):
        assert read(book, text).reading.klass == "opt_out", text
    assert read(book, "please stop texting me").reading.klass == "other"  # English was not asked for
    assert read(book, "START").reading.klass == "opt_in"
    assert read(book, "HELP").reading.klass == "help"
    assert read(book, "yes", pending_opt_in=True).reading.klass == "opt_in_confirm"
    assert str(read(book, "mev").reply_text).startswith("Acme: you are unsubscribed")


def test_a_language_may_read_start_in_its_own_way(tmp_path: Path) -> None:
    book = book_with(tmp_path, f'{BARE}help = ["start"]\n', "tlh")
    assert read(book, "START").reading.klass == "help"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (BARE + 'opt_in = ["stop"]\n', r'own\.toml:4: "stop" cannot be a word of opt_in'),
        (BARE + '[phrases]\nopt_out = ["<nope> x"]\n', r"own\.toml:5: .*no set <nope>"),
        ("language = 1\n", r'own\.toml:1: give "language"'),
        ("language =\n", r"own\.toml: no valid TOML"),
        ('language = "tlh"\nprotected = ["mev"]\n', r'own\.toml: the protected word "mev" is missing'),
    ],
)
def test_a_wrong_file_is_told_with_its_line_and_that_of_the_setting(
    tmp_path: Path, text: str, fault: str
) -> None:
    with pytest.raises(ConfigurationError, match=fault) as error:
        book_with(tmp_path, text, "tlh")
    assert "gateway.toml:5: interpreter.languages" in str(error.value)
    assert "programs.offers" not in str(error.value)  # which is at no fault


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(folder=tmp_path / "nowhere", language="en"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"gateway\.toml:5: interpreter\.languages: .*no folder"):
        load(config, {})


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "languages"
    folder.mkdir()
    (folder / "own.toml").write_bytes(b'language = "tlh"\n# \xff\n')
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(folder=folder, language="en"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"own\.toml:2: is not UTF-8"):
        load(config, {})


def test_a_program_that_names_an_unknown_language_is_told_with_all_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"gateway\.toml:12: programs\.offers\.languages\[0\]: .*tlh"
    ):
        book_with(tmp_path, BARE, "sux")


def test_a_clash_of_a_programs_word_is_told_with_the_line_of_the_settings(tmp_path: Path) -> None:
    folder = tmp_path / "languages"
    folder.mkdir()
    config = tmp_path / "gateway.toml"
    text = (
        CONFIG.format(folder=folder, language="en")
        + '[programs.offers.keywords]\nopt_in = [\n"YES",\n"END"]\n'
    )
    config.write_text(text, encoding="utf-8")
    settings = load(config, {})
    with pytest.raises(ConfigurationError, match=r'gateway\.toml:16: programs\.offers: "end" cannot be'):
        ProgramBook(settings.programs, interpreter_of(settings), settings.source)
