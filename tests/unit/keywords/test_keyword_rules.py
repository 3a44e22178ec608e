"""The requirements R1 to R10, R13 and R26 on whole-message keywords, one test or more for each."""

import time
from functools import cache

import pytest

from gateway.errors import ConfigurationError
from gateway.keywords.interpreter import STAGES, Interpreter, Reader
from gateway.keywords.lexicon import read_lexicon, shipped_lexicons
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, Reach, Reading, ReadingClass

OPT_OUT, OPT_IN, HELP, OTHER = (
    ReadingClass.OPT_OUT,
    ReadingClass.OPT_IN,
    ReadingClass.HELP,
    ReadingClass.OTHER,
)
CONFIRM = ReadingClass.OPT_IN_CONFIRM
PENDING = Context(pending_opt_in=True)
PROTECTED_SPELLINGS = (
    "stop",
    "quit",
    "end",
    "revoke",
    "cancel",
    "unsubscribe",
    "opt out",
    "opt-out",
    "optout",
)


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    """Stages 1 and 4 alone: what whole-message keywords decide, and what they leave to the later stages."""
    return Interpreter(shipped_lexicons(), stages=[stage for stage in STAGES if stage.name == "keywords"])


@pytest.fixture(scope="module")
def reader(interpreter: Interpreter) -> Reader:
    return interpreter.for_programs([ProgramWords("offers", "Acme Offers")])


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("STOP.", (0, 4)),
        ("stop!!!", (0, 4)),
        ("\uff33\uff34\uff2f\uff30", (0, 4)),  # full width
        ("STOP\u200b", (0, 4)),
        ("\u00a0Stop\n", (1, 5)),
        ("*STOP*", (1, 5)),
        ("\u201cSTOP\u201d", (1, 5)),
        ("\u2018stop\u2019", (1, 5)),
        ("ST\u00adO\u2060P", (0, 6)),
        ("\u202eSTOP\u202c", (1, 5)),
        ("S\ufe0fTOP\u200a", (0, 5)),
        ("\U0001f6d1 stop \U0001f64f\U0001f3fd", (2, 6)),
        ("\ufeffSTOP", (1, 5)),
        ("ST\u041eP", (0, 4)),  # a Cyrillic O
        ("\u24c8\u24c9\u24c4\u24c5", (0, 4)),  # circled
        ("\U0001d412\U0001d413\U0001d40e\U0001d40f", (0, 4)),  # mathematical bold
        ("STOP\u2122", (0, 4)),
        ("S.T.O.P.", (0, 7)),
        ("[s-t-o-p]", (1, 8)),
    ],
)
def test_r01_the_form_of_the_characters_does_not_matter_and_the_span_is_of_the_raw_text(
    reader: Reader, text: str, span: tuple[int, int]
) -> None:
    assert reader.read(text) == Reading(
        OPT_OUT,
        rule="keyword@1",
        language="en",
        keyword="stop",
        span=span,
        stages=("normalise", "keywords"),
    )


@pytest.mark.parametrize("text", ["St\u00f6p", "St\u00f3p", "Sto\u0301p", "S\u0337t\u0337o\u0337p\u0337"])
def test_r02_diacritics_are_folded_for_keywords(reader: Reader, text: str) -> None:
    assert reader.read(text).klass is OPT_OUT


def test_r02_folding_that_would_merge_two_meanings_is_refused() -> None:
    text = 'language = "xx"\n[words]\nopt_out = ["arr\u00eat"]\nhelp = ["arret"]\n'
    with pytest.raises(
        ConfigurationError, match=r'xx\.toml:4: "arret" cannot be .* help: .* opt_out \(xx\.toml:3\)'
    ):
        read_lexicon("xx.toml", text)


@pytest.mark.parametrize(
    ("texts", "keyword"),
    [
        (("OPT OUT", "OPT-OUT", "OPTOUT", "opt_out", "Opt  out", "opt\u2011out"), "opt out"),
        (("STOP ALL", "STOPALL", "stop-all"), "stop all"),
        (("UN SUBSCRIBE", "UNSUBSCRIBE", "un-subscribe"), "unsubscribe"),
        (("un sub", "unsub", "UN-SUB"), "unsub"),
        (("opt me out",), "opt out"),
    ],
)
def test_r03_blank_hyphen_and_nothing_between_parts_are_equal(
    reader: Reader, texts: tuple[str, ...], keyword: str
) -> None:
    for text in texts:
        reading = reader.read(text)
        assert (reading.klass, reading.band, reading.keyword) == (OPT_OUT, Band.CERTAIN, keyword), text
        assert reading.rule == "keyword@1"


@pytest.mark.parametrize("text", ["en d", "st op", "can cel", "qui t", "re move", "he lp"])
def test_r03_other_words_are_not_joined(reader: Reader, text: str) -> None:
    assert reader.read(text).klass is OTHER


@pytest.mark.parametrize("before", ["", " ", "...", "(", "\t-> "])
@pytest.mark.parametrize("after", ["", ".", "!!!", "?", " )", "\r\n", "...", "'", "/", " :-)"])
@pytest.mark.parametrize("text", ["help", "Help", "HELP", "hELp"])
def test_r04_case_and_punctuation_do_not_matter(reader: Reader, before: str, text: str, after: str) -> None:
    reading = reader.read(before + text + after)
    assert (reading.klass, reading.band, reading.rule) == (HELP, Band.CERTAIN, "keyword@1")
    assert reading.span == (len(before), len(before) + 4)


@cache
def reader_of_odd_programs(languages: tuple[str, ...]) -> Reader:
    bare = read_lexicon("xx.toml", 'language = "xx"\n[words]\nopt_in = ["ja"]\n')
    program = ProgramWords(
        "offers",
        languages=languages,
        keywords={"opt_out": ["no"], "opt_in": ["yes", "endless"], "help": ["stop what"]},
    )
    return Interpreter([bare, *shipped_lexicons()]).for_programs([program])


@pytest.mark.parametrize("languages", [("en",), (), ("xx",), ("xx", "en"), ("en-AU",)])
@pytest.mark.parametrize("context", [Context(), PENDING])
@pytest.mark.parametrize("word", PROTECTED_SPELLINGS)
def test_r05_the_protected_words_are_certain_opt_outs_in_every_configuration(
    word: str, context: Context, languages: tuple[str, ...]
) -> None:
    reader = reader_of_odd_programs(languages)
    for text in (word, word.upper(), f" {word.title()}. "):
        reading = reader.read(text, context)
        assert (reading.klass, reading.band, reading.reach) == (OPT_OUT, Band.CERTAIN, Reach.DEFAULT)
        assert (reading.language, reading.rule) == ("en", "keyword@1")


@pytest.mark.parametrize("klass", ["opt_in", "opt_in_confirm", "help"])
@pytest.mark.parametrize(
    "word", [*PROTECTED_SPELLINGS, "END.", "\uff33\uff34\uff2f\uff30", "End now", "stoppp", "s t o p"]
)
def test_r05_a_program_that_gives_a_protected_word_another_class_does_not_start(
    interpreter: Interpreter, word: str, klass: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"\[programs\.offers\].* it is a word of opt_out"):
        interpreter.for_programs([ProgramWords("offers", keywords={klass: [word]})])


def test_r05_a_program_of_another_language_cannot_take_a_protected_word_either() -> None:
    interpreter = Interpreter([read_lexicon("xx.toml", 'language = "xx"\n')])
    with pytest.raises(ConfigurationError, match=r'"end" cannot be .* \(protected by 47 CFR 64\.1200'):
        interpreter.for_programs([ProgramWords("offers", languages=("xx",), keywords={"opt_in": ["END"]})])


def test_r05_an_added_word_leaves_every_word_of_the_language_as_it_was(
    interpreter: Interpreter, reader: Reader
) -> None:
    added = interpreter.for_programs(
        [
            ProgramWords(
                "offers",
                "Acme Offers",
                keywords={"opt_out": ["no"], "opt_in": ["pizza", "text", "ok", "all"]},
            )
        ]
    )
    for text in [*reader.vocabulary.words, "stop text", "ok stop", "cancel all texts", "stop ok"]:
        for context in (Context(), PENDING):
            assert added.read(text, context) == reader.read(text, context), text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "stop",
            "stopall",
            "stop all",
            "unsubscribe",
            "unsub",
            "cancel",
            "end",
            "quit",
            "revoke",
            "opt out",
        ),
        *("remove", "stop2quit", "stop 2 quit", "STOP=QUIT", "stop = quit", "stop to quit", "stoptoquit"),
    ],
)
def test_r06_the_union_set_opts_out(reader: Reader, text: str) -> None:
    reading = reader.read(text)
    assert (reading.klass, reading.band, reading.language) == (OPT_OUT, Band.CERTAIN, "en")
    assert reading.reach is (Reach.ALL if "all" in text else Reach.DEFAULT)


@pytest.mark.parametrize("text", ["NO", "OUT", "OFF", "TD", "T"])
def test_r06_words_of_other_places_opt_out_only_where_a_program_adds_them(
    interpreter: Interpreter, reader: Reader, text: str
) -> None:
    assert reader.read(text).klass is OTHER
    added = interpreter.for_programs([ProgramWords("offers", keywords={"opt_out": [text]})])
    assert added.read(f"{text.lower()}!") == Reading(
        OPT_OUT,
        rule="keyword@1",
        language="en",
        keyword=text.lower(),
        span=(0, len(text)),
        stages=("normalise", "keywords"),
    )


@pytest.mark.parametrize(
    "text", ["START", "UNSTOP", "un-stop", "SUBSCRIBE", "opt in", "Opt-In", "OPTIN", "start please"]
)
def test_r07_the_words_of_opt_in_opt_in_and_confirm_while_an_opt_in_is_pending(
    reader: Reader, text: str
) -> None:
    assert reader.read(text).klass is OPT_IN
    assert reader.read(text).band is Band.CERTAIN
    assert reader.read(text, PENDING).klass is CONFIRM


@pytest.mark.parametrize(
    "text", ["YES", "Y", "GO", "JOIN", "RESUME", "CONTINUE", "BEGIN", "Yes please!", "yesss", "g o"]
)
def test_r07_a_bare_yes_changes_nothing_unless_an_opt_in_is_pending(reader: Reader, text: str) -> None:
    assert reader.read(text) == Reading(OTHER, stages=("normalise", "keywords"))
    reading = reader.read(text, PENDING)
    assert (reading.klass, reading.band, reading.reach) == (CONFIRM, Band.CERTAIN, Reach.DEFAULT)


def test_r07_a_program_may_name_yes_as_its_opt_in_keyword(interpreter: Interpreter) -> None:
    reader = interpreter.for_programs(
        [ProgramWords("offers", keywords={"opt_in": ["YES"]}), ProgramWords("alerts")]
    )
    reading = reader.read("Yes!")
    assert (reading.klass, reading.reach, reading.program) == (OPT_IN, Reach.NAMED, "offers")
    pending = reader.read("Yes!", PENDING)
    assert (pending.klass, pending.reach, pending.program) == (CONFIRM, Reach.DEFAULT, None)


def test_r07_a_word_that_two_programs_name_opts_in_to_no_single_one(interpreter: Interpreter) -> None:
    reader = interpreter.for_programs(
        [ProgramWords(slug, keywords={"opt_in": ["JOIN"]}) for slug in ("offers", "alerts")]
    )
    assert (reader.read("join").klass, reader.read("join").reach) == (OPT_IN, Reach.DEFAULT)


@pytest.mark.parametrize(
    "text", ["HELP", "info", "Help?", "help please", "Help me", "please help", "help help"]
)
def test_r08_help_as_the_whole_message_asks_for_help(reader: Reader, text: str) -> None:
    assert (reader.read(text).klass, reader.read(text, PENDING).klass) == (HELP, HELP)
    assert reader.read(text).reach is Reach.DEFAULT


@pytest.mark.parametrize(
    "text", ["help me find my phone", "can you help", "more info on this", "helpful", "AIDE", "no help"]
)
def test_r08_help_inside_a_sentence_does_not(reader: Reader, text: str) -> None:
    assert reader.read(text) == Reading(OTHER, stages=("normalise", "keywords"))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "don't stop",
            "Don\u2019t stop!",
            "dont stop",
            "do not stop",
            "never stop",
            "START not STOP",
            "stop start",
        ),
        *("start stop", "STOP, no START", "subscribe / unsubscribe", "do not unsubscribe me", "no start"),
    ],
)
@pytest.mark.parametrize("context", [Context(), PENDING])
def test_r09_both_directions_are_not_decided_by_the_first_word(
    reader: Reader, text: str, context: Context
) -> None:
    reading = reader.read(text, context)
    assert (reading.klass, reading.band, reading.rule) == (OTHER, Band.UNCLEAR, "both_directions@1")
    assert reading.span is not None


@pytest.mark.parametrize(
    "text", ["stop tonight, then start again", "I want to start, not to stop", "yes stop"]
)
def test_r09_neither_is_a_sentence_with_both(reader: Reader, text: str) -> None:
    assert reader.read(text).klass is OTHER


def test_r09_a_confirming_word_beside_stop_does_not_confirm(reader: Reader) -> None:
    assert (reader.read("yes stop", PENDING).klass, reader.read("yes stop", PENDING).band) == (
        OTHER,
        Band.UNCLEAR,
    )


@pytest.mark.parametrize(
    ("text", "klass"), [("stop help", OPT_OUT), ("Help! Stop!", OPT_OUT), ("start help", HELP)]
)
def test_r09_a_keyword_beside_help_is_probable_and_gives_no_consent(
    reader: Reader, text: str, klass: ReadingClass
) -> None:
    reading = reader.read(text)
    assert (reading.klass, reading.band, reading.rule) == (klass, Band.PROBABLE, "keywords_mixed@1")


LOCALES = (
    (
        "en",
        'language = "en"\n[words]\nopt_out = ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"]\n',
    ),
    ("en-AU", 'language = "en-AU"\n[words]\nopt_out = ["no"]\n'),
    ("yy", 'language = "yy"\n[words]\nopt_in = ["no"]\n'),
)


def test_r10_the_locale_of_the_program_decides_what_a_word_means() -> None:
    interpreter = Interpreter(read_lexicon(f"{tag}.toml", text) for tag, text in LOCALES)
    classes = {
        tag: interpreter.for_programs([ProgramWords("a", languages=(tag,))]).read("No").klass
        for tag, _ in LOCALES
    }
    assert classes == {"en": OTHER, "en-AU": OPT_OUT, "yy": OPT_IN}


def test_r10_a_word_with_two_meanings_on_one_sender_is_refused_with_both_places() -> None:
    interpreter = Interpreter(read_lexicon(f"{tag}.toml", text) for tag, text in LOCALES)
    match = r'yy\.toml:3: "no" cannot be a word of opt_in: it is a word of opt_out \(en-AU\.toml:3\)'
    with pytest.raises(ConfigurationError, match=match):
        interpreter.for_programs([ProgramWords("a", languages=("en-au", "yy"))])
    with pytest.raises(ConfigurationError, match=match):
        interpreter.for_programs(
            [ProgramWords("a", languages=("en-AU",)), ProgramWords("b", languages=("yy",))]
        )


@pytest.mark.parametrize(
    ("text", "keyword", "span"),
    [
        ("stop please", "stop", (0, 4)),
        ("Please, STOP!", "stop", (8, 12)),
        ("plz stop texting me now, thanks", "stop", (4, 8)),
        ("Stop. Thank you", "stop", (0, 4)),
        ("stop the messages", "stop", (0, 4)),
        ("cancel it", "cancel", (0, 6)),
        ("end this please sir", "end", (0, 3)),
        ("unsubscribe me", "unsubscribe", (0, 11)),
        ("fucking stop", "stop", (8, 12)),
        ("quit texting me the fuck now", "quit", (0, 4)),
        ("stop stop STOP", "stop", (0, 14)),
        ("STOP. Cancel. Unsubscribe", "stop", (0, 25)),
        ("stop and cancel", "stop", (0, 15)),
        ("stoppp", "stop", (0, 6)),
        ("STOOOP", "stop", (0, 6)),
        ("plzzz stopppp", "stop", (6, 13)),
        ("cancellll", "cancel", (0, 9)),
        ("stahp", "stop", (0, 5)),
        ("Please opt me out", "opt out", (7, 17)),
    ],
)
def test_r13_a_keyword_with_fillers_repeats_or_stretched_letters_is_the_keyword(
    reader: Reader, text: str, keyword: str, span: tuple[int, int]
) -> None:
    reading = reader.read(text)
    assert (reading.klass, reading.band, reading.keyword, reading.span) == (
        OPT_OUT,
        Band.CERTAIN,
        keyword,
        span,
    )
    assert reading.rule == ("keyword@1" if text == "stahp" else "keyword_loose@1")


@pytest.mark.parametrize(
    ("text", "span"), [("cancel all", (0, 10)), ("stop all texts", (0, 8)), ("stopallll", (0, 9))]
)
def test_r13_all_reaches_every_program(reader: Reader, text: str, span: tuple[int, int]) -> None:
    reading = reader.read(text)
    assert (reading.klass, reading.reach, reading.program, reading.span) == (OPT_OUT, Reach.ALL, None, span)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "weekend",
            "friend",
            "bus stop",
            "stop by at 5",
            "the end",
            "this end",
            "it stop",
            "me quit",
            "all end",
        ),
        *("I quit my job", "cancel my order", "Quitting time", "stopwatch", "non-stop", "stop@example.com"),
        *(
            "end of the month",
            "at the end",
            "how do I cancel",
            "remove from my cart",
            "stoop",
            "stopp by",
            "please",
        ),
        *(
            "please now",
            "",
            "   ",
            "\U0001f6d1",
            "?!",
            "STOP 12345",
            "stop acme",
            "sstop",
            "s t o p by",
            "the the",
        ),
    ],
)
def test_r13_any_other_word_leaves_the_message_undecided(reader: Reader, text: str) -> None:
    assert reader.read(text) == Reading(OTHER, stages=("normalise", "keywords"))


def test_r26_a_megabyte_is_read_in_less_than_50_milliseconds(reader: Reader) -> None:
    texts = [
        "stop " * 200_000,
        "\u00e9 " * 500_000,
        "a'" * 500_000,
        "\u200b" * 1_000_000,
        "s." * 500_000,
        "a" * 1_000_000,
    ]
    for text in texts:
        started = time.perf_counter()
        reading = reader.read(text)
        assert time.perf_counter() - started < 0.05
        assert reading.klass is (OPT_OUT if text.startswith("stop") else OTHER)


def test_r26_a_long_text_is_read_by_its_first_2000_code_points(reader: Reader) -> None:
    assert reader.read("STOP" + " " * 1_996 + "by at five").klass is OPT_OUT
    assert reader.read("STOP" + " " * 1_995 + "by at five").klass is OTHER
    assert reader.read("\u2003" * 1_996 + "STOP by").span == (1_996, 2_000)
    assert reader.read("\u2003" * 1_997 + "STOP").klass is OTHER
