"""The provider's verdict counts for an opt-out, and is never weaker than our own reading (R33)."""

import pytest

from gateway.keywords.interpreter import STAGES, Interpreter, Reader
from gateway.keywords.lexicon import shipped_lexicons
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, Reach, Reading, ReadingClass
from gateway.keywords.verdict_stage import weigh

RULE = "provider_verdict@1"


@pytest.fixture(scope="module")
def reader() -> Reader:
    keywords = [stage for stage in STAGES if stage.name == "keywords"]
    interpreter = Interpreter(shipped_lexicons(), stages=keywords)
    return interpreter.for_programs([ProgramWords("offers"), ProgramWords("alerts")])


@pytest.mark.parametrize("text", ["basta", "", "don't stop", "START", "yes", "help"])
def test_an_opt_out_that_the_provider_saw_is_one_whatever_the_text(reader: Reader, text: str) -> None:
    reading = reader.read(text, Context(verdict=ReadingClass.OPT_OUT))
    assert reading == Reading(ReadingClass.OPT_OUT, rule=RULE, stages=("normalise", "keywords", "verdict"))


def test_our_evidence_is_kept_where_we_read_the_same(reader: Reader) -> None:
    reading = reader.read("Please stop all", Context(verdict=ReadingClass.OPT_OUT))
    assert (reading.rule, reading.reach, reading.keyword) == (RULE, Reach.ALL, "stop all")
    assert (reading.span, reading.language) == ((7, 15), "en")


def test_a_provider_that_stops_one_program_has_stopped_the_sender(reader: Reader) -> None:
    reading = reader.read("stop offers", Context(verdict=ReadingClass.OPT_OUT))
    assert (reading.klass, reading.reach, reading.program) == (ReadingClass.OPT_OUT, Reach.DEFAULT, None)


@pytest.mark.parametrize("verdict", [ReadingClass.OPT_IN, ReadingClass.HELP, ReadingClass.AUTO_REPLY])
def test_a_milder_verdict_does_not_take_our_opt_out_away(reader: Reader, verdict: ReadingClass) -> None:
    reading = reader.read("stop", Context(verdict=verdict))
    assert (reading.klass, reading.rule) == (ReadingClass.OPT_OUT, "keyword@1")
    assert reading.stages == ("normalise", "verdict", "keywords")


@pytest.mark.parametrize("klass", [ReadingClass.WRONG_NUMBER, ReadingClass.REFUSAL])
@pytest.mark.parametrize("band", list(Band))
def test_a_milder_verdict_takes_no_other_end_of_messages_away(klass: ReadingClass, band: Band) -> None:
    own = Reading(klass, band, stages=("normalise", "grammar"))
    assert (weigh(own, ReadingClass.OPT_IN).klass, weigh(own, ReadingClass.HELP).band) == (klass, band)
    assert weigh(own, ReadingClass.OPT_OUT).klass is ReadingClass.OPT_OUT


@pytest.mark.parametrize("text", ["adelante", "help", "yes"])
def test_an_opt_in_that_the_provider_saw_is_one(reader: Reader, text: str) -> None:
    reading = reader.read(text, Context(verdict=ReadingClass.OPT_IN))
    assert reading == Reading(ReadingClass.OPT_IN, rule=RULE, stages=("normalise", "keywords", "verdict"))


def test_an_opt_in_to_one_program_stays_one(reader: Reader) -> None:
    reading = reader.read("start offers", Context(verdict=ReadingClass.OPT_IN))
    assert (reading.klass, reading.reach, reading.program, reading.rule) == (
        ReadingClass.OPT_IN,
        Reach.NAMED,
        "offers",
        RULE,
    )


def test_the_confirming_word_confirms_though_the_provider_calls_it_an_opt_in(reader: Reader) -> None:
    reading = reader.read("YES", Context(verdict=ReadingClass.OPT_IN, pending_opt_in=True))
    assert (reading.klass, reading.rule) == (ReadingClass.OPT_IN_CONFIRM, "keyword@1")
    assert (
        reader.read("YES", Context(verdict=ReadingClass.HELP, pending_opt_in=True)).klass is ReadingClass.HELP
    )


def test_a_probable_reading_becomes_certain_when_the_provider_agrees(reader: Reader) -> None:
    assert reader.read("stop help").band is Band.PROBABLE
    assert reader.read("stop help", Context(verdict=ReadingClass.OPT_OUT)).band is Band.CERTAIN


@pytest.mark.parametrize("text", ["stop", "start", "hello"])
def test_a_verdict_of_nothing_is_no_verdict(reader: Reader, text: str) -> None:
    assert reader.read(text, Context(verdict=ReadingClass.OTHER)) == reader.read(text)
