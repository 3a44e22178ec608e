"""What small alterations of the interpreter showed to be untested."""

import pkgutil
from dataclasses import is_dataclass
from importlib import import_module

import pytest

import gateway.keywords
from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.lexicon import read_lexicon
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, Reach, ReadingClass
from gateway.keywords.rules import Rule
from gateway.keywords.source import Source
from gateway.keywords.tags import broader


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Interpreter.shipped().for_programs([ProgramWords("offers", "Acme")])


@pytest.mark.parametrize("marketing", [True, False])
def test_phrases_of_both_directions_in_one_message_decide_nothing(reader: Reader, marketing: bool) -> None:  # noqa: FBT001 - a parameter of the test
    text = "Please stop texting me. On second thought, sign me up again"
    reading = reader.read(text, Context(marketing=marketing))
    assert (reading.klass, reading.band, reading.rule) == (
        ReadingClass.OTHER,
        Band.UNCLEAR,
        Rule.BOTH_DIRECTIONS,
    )


def test_a_phrase_inside_a_longer_one_says_nothing_else(reader: Reader) -> None:
    reading = reader.read("Add me to your do not contact list", Context(marketing=True))
    assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.PROBABLE)


@pytest.mark.parametrize(
    ("text", "klass"),
    [
        ("No, stop texting me", ReadingClass.OPT_OUT),  # the comma ends the negation
        ("Don't stop texting me", ReadingClass.OTHER),
    ],
)
def test_a_guard_with_a_comma_inside_holds_nothing(reader: Reader, text: str, klass: ReadingClass) -> None:
    assert reader.read(text, Context(marketing=True)).klass is klass


@pytest.mark.parametrize(
    ("language", "text", "klass"),
    [
        ("en", "Can't make it tomorrow, please cancel", ReadingClass.OTHER),
        ("en", "Stop it, you're making me blush haha", ReadingClass.OTHER),
        ("en", "Stop, you're annoying me", ReadingClass.OPT_OUT),
        ("de", "Stopp, ich meinte Größe 40", ReadingClass.OTHER),
        ("de", "Stopp, ich will das nicht mehr", ReadingClass.OPT_OUT),
        ("fr", "Je ne peux pas venir demain, merci d'annuler", ReadingClass.OTHER),
        ("it", "Basta, mi fate morire", ReadingClass.OTHER),
        ("it", "Basta, mi avete stufato", ReadingClass.OPT_OUT),
        ("es", "No puedo ir mañana, cancelen por favor", ReadingClass.OTHER),
        ("pt", "Cancela o meu pedido, não quero mais", ReadingClass.OTHER),
        ("nl", "Stop, ik bedoelde maat 40", ReadingClass.OTHER),
        ("nl", "Hou op, ik wil dit niet meer", ReadingClass.OPT_OUT),
    ],
)
def test_a_guard_that_is_written_with_a_comma_reaches_across_it(
    language: str, text: str, klass: ReadingClass
) -> None:
    reader = Interpreter.shipped().for_programs([ProgramWords("offers", "Acme", (language,))])
    assert reader.read(text, Context(marketing=True)).klass is klass


@pytest.mark.parametrize("head", ["", "(", '"', "\u201c"])
def test_googles_form_needs_its_emoji(reader: Reader, head: str) -> None:
    quoted = "\u201c20% off! Reply STOP to end\u201d"
    assert reader.read(f"{head}to {quoted}").klass is not ReadingClass.REACTION
    assert reader.read(f"\U0001f44d to {quoted}").klass is ReadingClass.REACTION


def test_a_keyword_typed_apart_and_with_a_slip_is_read(reader: Reader) -> None:
    for text in ("opt uot", "otp out", "un subscirbe"):
        assert (reader.read(text).klass, reader.read(text).rule) == (ReadingClass.OPT_OUT, Rule.TYPO), text


def test_nothing_that_readers_share_can_be_changed() -> None:
    names = [f"gateway.keywords.{module.name}" for module in pkgutil.iter_modules(gateway.keywords.__path__)]
    classes = [
        one
        for name in names
        for one in vars(import_module(name)).values()
        if isinstance(one, type) and is_dataclass(one) and one.__module__ == name
    ]
    assert len(classes) > 20
    for one in classes:
        assert one.__dataclass_params__.frozen, one  # type: ignore[attr-defined]  # dataclasses writes it
        assert "__slots__" in vars(one), one


FILE = """\
language = "tlh"
[words]
opt_out = ["mev", "qaplaqapla", "qaplaqaplu", "loqmejloq"]
opt_in = ["taghqa", "loqmejlon"]
[phrases]
opt_out = ["mev nabeq", "mev nabeq tin", "nabeq <digits>", "ghobe mev tin", "tin ghobe mev",
    "taghqa nabeq tin", "tin taghqa nabeq", "^ hab", "dor $"]
opt_out_all = ["hoch nabeq"]
opt_out_reply = ["mev yap"]
opt_in = ["taghqa nabeq"]
help = ["qab nabeq"]
wrong_number_reply = ["loq"]
unclear = ["jav"]
[guards]
phrases = ["ghobe mev", "taq ghobe mev"]
[wrappers]
reactions = ["nob {quote}", "nob {quote} tin", "nob {quote} ti'n", "{quote} tin qo", "vel nob jax {quote}",
    "no'b {quote}", "{emoji} to {quote}", "{emoji} \u9000 {quote}"]
objects = ["an image"]
signatures = ["sent by"]
auto_replies = ["robot says", "robot says hi"]
[typos]
real_words = ["qaplaqapxx"]
"""
MARKETING = Context(marketing=True)


@pytest.fixture(scope="module")
def small() -> Reader:
    interpreter = Interpreter([read_lexicon("tlh.toml", FILE)])
    programs = [
        ProgramWords("offers", "Qapla Offers", languages=("tlh",)),
        ProgramWords("alerts", languages=("tlh",)),
    ]
    return interpreter.for_programs(programs)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("mev nabeq", Rule.PHRASE),
        ("ghobe mev nabeq", Rule.GUARDED),
        ("ghobe, mev nabeq", Rule.PHRASE),  # the comma ends the negation
        ("taq ghobe, mev nabeq", Rule.PHRASE),
        ("ghobe mev, nabeq", Rule.GUARDED),  # a comma behind it ends nothing
        ("ghobe mev tin", Rule.PHRASE),  # a phrase that holds the guard stands
        ("tin ghobe mev", Rule.PHRASE),
        ("taghqa nabeq tin", Rule.PHRASE),  # and takes what its part would say
        ("tin taghqa nabeq", Rule.PHRASE),
        ("nabeq 123", Rule.PHRASE),
        ("nabeq 12", Rule.NONE),  # no number of a sender
        ("mev nabeq, taghqa nabeq", Rule.BOTH_DIRECTIONS),
        ("mev yap", Rule.PHRASE_REPLY),
        ("mev yap, xyz taghqa", Rule.BOTH_DIRECTIONS),
        ("xyz. mev please please please please please", Rule.KEYWORD_SENTENCE),
        ("xyz. mev please please please please please please", Rule.NONE),
        ("xyz? mev", Rule.KEYWORD_SENTENCE),
        ("mev? xyz", Rule.NONE),
        ("hab thank", Rule.PHRASE),
        ("xyz hab thank", Rule.NONE),  # half a filler is none
        ("dor thank you", Rule.PHRASE),
        ("dor thank. you", Rule.NONE),  # nor are two halves in two sentences
        ("loq", Rule.WRONG_NUMBER),
        ("jav", Rule.PHRASE),
    ],
)
def test_the_rules_of_free_text_in_a_small_language(small: Reader, text: str, rule: Rule) -> None:
    assert small.read(text, MARKETING).rule == rule


@pytest.mark.parametrize("text", ["loq", "jav", "mev yap", "xyz. mev", "XYZ. MEV"])
def test_what_ends_advertising_only_is_chat_elsewhere(small: Reader, text: str) -> None:
    assert small.read(text).klass is ReadingClass.OTHER
    assert small.read("xyz. MEV").rule == Rule.KEYWORD_SENTENCE  # shouted


def test_the_longest_phrase_decides_and_of_equals_the_first(small: Reader) -> None:
    assert small.read("mev nabeq tin").keyword == "mev nabeq tin"
    assert small.read("mev nabeq xyz nabeq 123").span == (0, 9)


@pytest.mark.parametrize(
    ("text", "reach", "program"),
    [
        ("mev nabeq xyz offers", Reach.NAMED, "offers"),
        ("mev nabeq qapla offers", Reach.NAMED, "offers"),
        ("mev nabeq offers alerts", Reach.DEFAULT, None),
        ("offers mev nabeq", Reach.DEFAULT, None),  # what it stops stands behind it
        ("hoch nabeq offers", Reach.ALL, None),
        ("qab nabeq offers", Reach.DEFAULT, None),
    ],
)
def test_a_phrase_reaches_the_program_that_the_message_names(
    small: Reader, text: str, reach: Reach, program: str | None
) -> None:
    reading = small.read(text)
    assert (reading.reach, reading.program) == (reach, program)


@pytest.mark.parametrize(
    ("text", "rule", "span"),
    [
        ("mev - a b c", Rule.KEYWORD, (0, 3)),
        ("mev- xyz", Rule.KEYWORD, (0, 3)),
        ("mev - a b c d", Rule.NONE, None),  # too long for a name
        ("mev-xyz", Rule.NONE, None),
        ("mev sent by phone", Rule.KEYWORD, (0, 3)),
        ("sent by mev nabeq", Rule.PHRASE, (8, 17)),  # nothing else is there
        ("> mev nabeq", Rule.PHRASE, (2, 11)),
        ("xyz\n> mev\nxyz\n> mev nabeq", Rule.NONE, None),
        ("> xyz\nmev\n> xyz", Rule.KEYWORD, (6, 9)),
        ("robot says mev", Rule.KEYWORD, (11, 14)),
        ("robot says hi mev", Rule.KEYWORD, (14, 17)),
        ("robot says hi xyz", Rule.AUTO_REPLY, (0, 13)),
        ('nob "mev"', Rule.REACTION, (0, 8)),
        ("nob an image", Rule.REACTION, (0, 12)),
        ('nob "mev nabeq" tin', Rule.REACTION, (0, 19)),
        ('"mev nabeq" tin qo', Rule.REACTION, (1, 18)),
        ("nob mev nabeq", Rule.PHRASE, (4, 13)),
        ('nob "mev nabeq', Rule.PHRASE, (5, 14)),
        ('nob mev nabeq"', Rule.PHRASE, (4, 13)),
        ('vel xyz xyz "mev nabeq"', Rule.PHRASE, (13, 22)),
        ("nob don't mev nabeq\"", Rule.PHRASE, (10, 19)),  # an apostrophe is no quote
        ("no'b mev nabeq\"", Rule.PHRASE, (5, 14)),
        ("nob \"mev nabeq don't", Rule.PHRASE, (5, 14)),
        ("nob \"mev nabeq ti'n", Rule.PHRASE, (5, 14)),
        ('\u9000 "mev nabeq"', Rule.PHRASE, (3, 12)),  # a letter is no emoji
        ('\U0001f44d \u9000 "mev nabeq"', Rule.REACTION, (2, 14)),
        ("nob", Rule.NONE, None),
        ('nob "" tin', Rule.NONE, None),
        ('\u2100 to "mev nabeq"', Rule.REACTION, (2, 15)),
        ('\u20bf to "mev nabeq"', Rule.PHRASE, (6, 15)),  # a sign of money is no emoji
    ],
)
def test_what_is_put_around_a_message(
    small: Reader, text: str, rule: Rule, span: tuple[int, int] | None
) -> None:
    reading = small.read(text)
    assert (reading.rule, reading.span) == (rule, span)


@pytest.mark.parametrize(
    ("text", "ours", "span"),
    [
        ("mev nabeq", "mev nabeq", (0, 9)),  # two words may be a person's own
        ("xyz mev nabeq", "xyz mev nabeq", None),
        ("mev nabeq", "mev nabeq and more", (0, 9)),
        ("mev nabeq xyz mev nabeq", "xyz mev nabeq", (0, 9)),
        ("xyz mev nabeq mev nabeq", "XYZ: mev nabeq!", (14, 23)),
        ("mev xyz mev nabeq nabeq", "xyz mev nabeq", (0, 23)),
        ("xyz mev nabeqs mev nabeq", "xyz mev nabeq", (15, 24)),  # words, not letters
    ],
)
def test_a_copy_of_our_message_is_taken_off(
    small: Reader, text: str, ours: str, span: tuple[int, int] | None
) -> None:
    assert small.read(text, Context(last_sent=ours)).span == span


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("stpo please please please please please", Rule.TYPO),
        ("stpo please please please please please please", Rule.NONE),
        ("o pt uot", Rule.TYPO),
        ("o p t uot", Rule.NONE),
    ],
)
def test_a_slip_is_looked_for_in_a_short_message(reader: Reader, text: str, rule: Rule) -> None:
    assert reader.read(text).rule == rule


@pytest.mark.parametrize(
    ("text", "rule"), [("qaplaqapyy", Rule.TYPO), ("qaplaqapxx", Rule.NONE), ("qaplaqayyy", Rule.NONE)]
)
def test_two_slips_in_a_long_word_are_forgiven_unless_they_make_a_real_one(
    small: Reader, text: str, rule: Rule
) -> None:
    assert small.read(text).rule == rule


def test_a_source_keeps_the_tables_that_are_wanted_and_no_other() -> None:
    source = Source.of("x.toml", "[a]\n[b.c]\n[d]\n", tables=("a", "b"))
    assert [source.place(table) for table in ("a", "b", "d")] == ["x.toml:1", "x.toml:2", "x.toml"]


def test_a_tag_is_part_of_broader_ones() -> None:
    assert list(broader("zh-Hant-TW")) == ["zh-hant-tw", "zh-hant", "zh"]


def test_a_slip_is_of_the_nearest_keyword(small: Reader) -> None:
    assert small.read("qaplaqapyy").keyword == "qaplaqapla"  # of two as near, the first
    nearer = small.read("loq\u0438ejloq")
    assert (nearer.klass, nearer.rule) == (ReadingClass.OPT_OUT, Rule.TYPO)
    assert small.read("loq\u0438ejlox").klass is ReadingClass.OTHER  # as near to an opt-in


def test_what_stands_beside_a_slip_is_read_too(reader: Reader) -> None:
    assert (reader.read("stpo offers").rule, reader.read("stpo offers").program) == (Rule.TYPO, "offers")
    assert reader.read("o pt uot").span == (0, 8)
