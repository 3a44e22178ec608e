"""What programs add: words that name them (R12) and keywords of their own."""

import pytest

from gateway.errors import ConfigurationError
from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, Reach, ReadingClass
from gateway.keywords.source import Source

CONFIG = """\
# "END" in a comment is not the place.
[programs.offers]
name = "Acme Offers"
words = ["deals"]

[programs.offers.keywords]
opt_in = [
    "PIZZA",
    "END",  # "JOIN" in a comment is not the place either
]
opt_inn = ["JOIN"]

[programs.alerts]
name = "Acme Alerts"
words = [ "please", "deals" ]
languages = ["tlh"]
"""
SOURCE = Source.of("gateway.toml", CONFIG)


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return Interpreter.shipped()


@pytest.fixture(scope="module")
def reader(interpreter: Interpreter) -> Reader:
    return interpreter.for_programs(
        [
            ProgramWords("acme-offers", "Acme Offers", words=("deals", "hot stuff")),
            ProgramWords("alerts", "Acme"),
            ProgramWords("news", "Acme"),
            ProgramWords("info", "Texts", keywords={"help": ["FAQ"], "opt_out": ["enough"]}),
        ]
    )


@pytest.mark.parametrize(
    ("text", "program", "span"),
    [
        ("STOP DEALS", "acme-offers", (0, 10)),
        ("stop acme-offers", "acme-offers", (0, 16)),
        ("Unsub Acme Offers please", "acme-offers", (0, 17)),
        ("END HotStuff", "acme-offers", (0, 12)),
        ("please stop the alerts, thanks", "alerts", (7, 22)),
        ("stop deals acmeoffers", "acme-offers", (0, 21)),
    ],
)
def test_r12_stop_with_the_word_of_a_program_names_that_program(
    reader: Reader, text: str, program: str | None, span: tuple[int, int] | None
) -> None:
    reading = reader.read(text)
    assert (reading.program, reading.span) == (program, span)
    if program:
        assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.CERTAIN)
        assert (reading.reach, reading.rule) == (Reach.NAMED, "keyword_program@1")


@pytest.mark.parametrize(
    "text", ["stop all deals", "stop deals all", "stop deals and alerts", "stopall news"]
)
def test_r12_an_opt_out_of_more_than_one_program_reaches_all(reader: Reader, text: str) -> None:
    reading = reader.read(text)
    assert (reading.klass, reading.reach, reading.program) == (ReadingClass.OPT_OUT, Reach.ALL, None)


@pytest.mark.parametrize("text", ["stop acme", "stop texts"])
def test_r12_a_name_of_two_programs_or_a_filler_says_no_more_than_stop(reader: Reader, text: str) -> None:
    reading = reader.read(text)
    assert (reading.klass, reading.reach, reading.program) == (ReadingClass.OPT_OUT, Reach.DEFAULT, None)


@pytest.mark.parametrize(
    "text", ["deals", "deals stop", "alerts!", "please deals", "stop yoga", "stop by alerts"]
)
def test_r12_a_name_alone_or_beside_another_word_decides_nothing(reader: Reader, text: str) -> None:
    assert reader.read(text).klass is ReadingClass.OTHER


def test_r12_start_and_help_take_the_narrower_meaning(reader: Reader) -> None:
    start = reader.read("start all deals")
    assert (start.klass, start.reach, start.program) == (ReadingClass.OPT_IN, Reach.NAMED, "acme-offers")
    assert reader.read("start all").reach is Reach.ALL
    assert reader.read("start deals alerts").klass is ReadingClass.OTHER
    helped = reader.read("help alerts")
    assert (helped.klass, helped.reach, helped.program) == (ReadingClass.HELP, Reach.NAMED, "alerts")
    assert reader.read("help all").reach is Reach.DEFAULT
    assert reader.read("go all", Context(pending_opt_in=True)).reach is Reach.DEFAULT


def test_r12_a_long_name_is_read_apart_or_together_but_not_in_every_mixture(interpreter: Interpreter) -> None:
    reader = interpreter.for_programs(
        [ProgramWords("a", "The One And Only Acme Offers Club"), ProgramWords("b")]
    )
    assert reader.read("stop The One And Only Acme Offers Club").program == "a"
    assert reader.read("stop theoneandonlyacmeoffersclub").program == "a"
    assert reader.read("stop TheOne And Only Acme Offers Club").klass is ReadingClass.OTHER
    shorter = interpreter.for_programs([ProgramWords("a", "The One And Only Acme Offers"), ProgramWords("b")])
    assert shorter.read("stop TheOne And Only AcmeOffers").program == "a"


def test_a_slug_that_is_a_keyword_stays_a_keyword(reader: Reader) -> None:
    assert reader.read("info").klass is ReadingClass.HELP
    assert (reader.read("stop info").klass, reader.read("stop info").band) == (
        ReadingClass.OPT_OUT,
        Band.PROBABLE,
    )


def test_an_added_word_of_help_names_its_program_and_an_added_opt_out_does_not(reader: Reader) -> None:
    assert (reader.read("Faq?").klass, reader.read("faq").program) == (ReadingClass.HELP, "info")
    enough = reader.read("Enough!")
    assert (enough.klass, enough.reach, enough.program) == (ReadingClass.OPT_OUT, Reach.DEFAULT, None)


def test_a_word_that_one_program_names_twice_is_still_its_own(interpreter: Interpreter) -> None:
    reader = interpreter.for_programs(
        [ProgramWords("a", keywords={"opt_in": ["pizza", "PIZZA!"]}), ProgramWords("b")]
    )
    assert (reader.read("pizza").reach, reader.read("pizza").program) == (Reach.NAMED, "a")


def test_an_added_word_with_a_letter_three_times_is_not_shortened(interpreter: Interpreter) -> None:
    reader = interpreter.for_programs([ProgramWords("a", keywords={"opt_in": ["xl"], "help": ["xxxl"]})])
    assert (reader.read("xxxl").klass, reader.read("xllll").klass) == (ReadingClass.HELP, ReadingClass.OPT_IN)


def test_an_added_phrase_may_decide_what_is_unclear_without_it(interpreter: Interpreter) -> None:
    reader = interpreter.for_programs([ProgramWords("a", keywords={"opt_out": ["no start"]})])
    assert reader.read("No start.").klass is ReadingClass.OPT_OUT


def test_an_added_word_that_is_a_filler_too_is_a_keyword_only_without_others(
    interpreter: Interpreter,
) -> None:
    reader = interpreter.for_programs([ProgramWords("offers", keywords={"opt_in": ["Hi", "TEXTS"]})])
    assert reader.read("hi").klass is ReadingClass.OPT_IN
    assert reader.read("hi, texts").klass is ReadingClass.OPT_IN
    assert reader.read("hi stop texts").klass is ReadingClass.OPT_OUT
    assert reader.read("no hi").band is Band.UNCLEAR


def test_a_dotted_key_is_found_too(interpreter: Interpreter) -> None:
    source = Source.of("gateway.toml", '[programs."offers"]\nname = "A"\nkeywords.opt_inn = ["JOIN"]\n')
    with pytest.raises(ConfigurationError, match=r"^gateway\.toml:3: programs\.offers: unknown class"):
        interpreter.for_programs([ProgramWords("offers", keywords={"opt_inn": ["JOIN"]}, source=source)])


@pytest.mark.parametrize("first", ["opt_in", "opt_in_confirm"])
def test_a_program_may_name_a_word_for_consent_and_another_one_for_confirming(
    interpreter: Interpreter, first: str
) -> None:
    second = {"opt_in": "opt_in_confirm", "opt_in_confirm": "opt_in"}[first]
    reader = interpreter.for_programs(
        [ProgramWords("a", keywords={first: ["pizza"]}), ProgramWords("b", keywords={second: ["pizza"]})]
    )
    assert reader.read("pizza").klass is ReadingClass.OPT_IN


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            ProgramWords("offers", keywords={"opt_in": ["PIZZA", "END"]}, source=SOURCE),
            r'^gateway\.toml:9: programs\.offers: "end" cannot be a word of opt_in: it is a word of opt_out \(protected by 47 CFR',
        ),
        (
            ProgramWords("offers", keywords={"opt_inn": ["JOIN"]}, source=SOURCE),
            r"^gateway\.toml:11: programs\.offers: unknown class \"opt_inn\"",
        ),
        (
            ProgramWords("offers", keywords={"help": ["?!"]}, source=SOURCE),
            r'^gateway\.toml:2: programs\.offers: "\?!" has no letter',
        ),
        (ProgramWords("offers", words=("",)), r"^\[programs\.offers\]: .* has no letter"),
        (
            ProgramWords("alerts", words=("please",), source=SOURCE),
            r'^gateway\.toml:15: programs\.alerts: "please" is a keyword or filler',
        ),
        (ProgramWords("alerts", words=("stop-all",)), r'"stop-all" is a keyword or filler'),
        (
            ProgramWords("alerts", languages=("tlh",), source=SOURCE),
            r'^gateway\.toml:16: programs\.alerts: unknown language "tlh"; known are .*\ben\b',
        ),
        (ProgramWords("offers", keywords={"opt_out": ["YES"]}), r'"yes" cannot be a word of opt_out'),
        (
            ProgramWords("offers", keywords={"opt_out": ["help me"]}),
            r'"help me" cannot be .* help \(read as "help"\)',
        ),
        (
            ProgramWords("offers", keywords={"help": ["sto ppp"]}),
            r'"sto ppp" cannot be .* opt_out \(read as "stop"\)',
        ),
        (ProgramWords("offers", keywords={"help": ["start", "x"]}), r'"start" cannot be a word of help'),
        (
            ProgramWords("offers", keywords={"help": ["pizza"], "opt_out": ["Pizza"]}),
            r'"pizza" cannot be a word of opt_out',
        ),
    ],
)
def test_a_fault_of_a_program_is_told_with_its_place(
    interpreter: Interpreter, program: ProgramWords, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        interpreter.for_programs([program])


def test_a_chosen_word_cannot_name_two_programs(interpreter: Interpreter) -> None:
    programs = [ProgramWords("offers"), ProgramWords("alerts", words=("Offers",), source=SOURCE)]
    with pytest.raises(
        ConfigurationError, match=r'^gateway\.toml:13: programs\.alerts: "Offers" names offers as well'
    ):
        interpreter.for_programs(programs)


def test_two_programs_of_one_sender_cannot_give_a_word_two_classes(interpreter: Interpreter) -> None:
    programs = [
        ProgramWords("a", keywords={"opt_in": ["pizza"]}),
        ProgramWords("b", keywords={"opt_out": ["pizza now"]}),
    ]
    with pytest.raises(
        ConfigurationError, match=r'^\[programs\.b\]: "pizza now" cannot be a word of opt_out'
    ):
        interpreter.for_programs(programs)


def test_the_language_of_an_added_word_is_the_first_of_its_program(interpreter: Interpreter) -> None:
    reader = interpreter.for_programs(
        [ProgramWords("a", languages=("en-NZ", "en"), keywords={"opt_out": ["out"]})]
    )
    assert (reader.read("out").language, reader.read("stop").language) == ("en-NZ", "en")


def test_a_sender_without_programs_is_read_in_english(interpreter: Interpreter) -> None:
    reader = interpreter.for_programs([])
    assert reader.read("please unsub me").klass is ReadingClass.OPT_OUT
    assert "en" in interpreter.languages


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("Please unsubscribe me from acme orders", "orders"),
        ("Hi there. Stop texting me about acme offers, thanks a lot", "offers"),
        ("Stop texting me. Your Acme Orders shipment was fine", None),
        ("Stop texting me, your Acme Orders shipment was fine", None),
        ("Stop texting me!\nI only wanted the Acme Orders one", None),
        ("Unsubscribe me from acme offers. I have no use for acme orders either", None),
        ("Stop texting me about deals, please", "offers"),
        ("Stop texting me, deals were fine", None),  # the very next word is of another clause
        ("Stop texting me. Deals were fine", None),
    ],
)
def test_r12_free_text_ends_one_program_only_if_its_own_clause_names_no_other(
    interpreter: Interpreter, text: str, program: str | None
) -> None:
    reader = interpreter.for_programs(
        [ProgramWords("offers", "Acme Offers", words=("deals",)), ProgramWords("orders", "Acme Orders")]
    )
    reading = reader.read(text, Context(marketing=True))
    reach = Reach.DEFAULT if program is None else Reach.NAMED
    assert (reading.klass, reading.reach, reading.program) == (ReadingClass.OPT_OUT, reach, program)


def test_an_opt_out_of_one_word_that_begins_a_sentence_has_its_whole_clause(interpreter: Interpreter) -> None:
    names = {"offers": "Acme Offers", "orders": "Acme Orders"}
    reader = interpreter.for_programs([ProgramWords(slug, name, ("de",)) for slug, name in names.items()])
    reading = reader.read("Hallo zusammen. Werbewiderspruch f\u00fcr Acme Offers", Context(marketing=True))
    assert (reading.klass, reading.program) == (ReadingClass.OPT_OUT, "offers")


def test_an_opt_in_keeps_to_the_program_that_it_names_later(interpreter: Interpreter) -> None:
    reader = interpreter.for_programs(
        [ProgramWords("offers", "Acme Offers"), ProgramWords("orders", "Acme Orders")]
    )
    reading = reader.read("Please sign me up again. I miss the Acme Orders ones")
    assert (reading.klass, reading.program) == (ReadingClass.OPT_IN, "orders")
