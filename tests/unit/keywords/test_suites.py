"""The marks of the interpreter: suites in seven languages (R17 to R23, R27), time that grows with the text (R26)."""

import time
from collections import Counter
from collections.abc import Callable

import pytest
from support.suites import CONTEXTS, LANGUAGES, Line, Suite, is_withdrawn, read_suite, reader_of

from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Context, ReadingClass

RECALL, RECALL_OF_EACH = 0.97, 0.93
WITHDRAWN_TRAPS = 0.005

MEGABYTE = 1_000_000
UNITS = {
    "stop": "stop ",
    "a": "a ",
    "no": "no ",
    "zero width": "\u200b",
    "quotes": '"',
    "curly quotes": "\u201c",
    "combining marks": "\u0301",
    "reactions": 'liked "',
    "negations": "don't not stop ",
    "quoted lines": "> stop\n",
    "typos": "stpo unsubcribe ",
}
# Below and above the length at which a text is cut (R26: about 2,000 code points).
SIZES = {"short": 900, "long": MEGABYTE // 2}


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return Interpreter.shipped()


@pytest.fixture(scope="module")
def suites() -> dict[str, Suite]:
    return {language: read_suite(language) for language in LANGUAGES}


@pytest.fixture(scope="module")
def english(interpreter: Interpreter) -> Reader:
    return interpreter.for_programs([ProgramWords("offers", "Acme")])


def split(
    interpreter: Interpreter, suite: Suite, lines: tuple[Line, ...], holds: Callable[[list[bool]], bool]
) -> tuple[list[str], list[str]]:
    """Return what holds and what does not, as `language:line text`."""
    reader = reader_of(interpreter, suite.language)
    right: list[str] = []
    wrong: list[str] = []
    for line in lines:
        found = right if holds(is_withdrawn(suite.readings(reader, line))) else wrong
        found.append(f"{suite.language}:{line.number} {line.text!r}")
    return right, wrong


def opt_outs(interpreter: Interpreter, suite: Suite) -> tuple[list[str], list[str]]:
    return split(interpreter, suite, suite.opt_outs, all)


def traps(interpreter: Interpreter, suite: Suite) -> tuple[list[str], list[str]]:
    return split(interpreter, suite, suite.traps, lambda withdrawn: not any(withdrawn))


# -- the suites ------------------------------------------------------------------------------------------


def test_there_are_suites_of_seven_languages_with_900_lines(suites):
    assert set(LANGUAGES) == {"de", "en", "es", "fr", "it", "nl", "pt"}
    assert sum(len(suite.lines) for suite in suites.values()) >= 900


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_suite_has_enough_of_both_and_says_nothing_twice(suites, language):
    suite = suites[language]
    assert len(suite.opt_outs) >= 70
    assert len(suite.traps) >= 60
    counted = Counter(line.text.casefold() for line in suite.lines)
    assert [text for text, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_suite_covers_every_class_that_people_write(suites, language):
    classes = {line.klass for line in suites[language].lines}
    assert classes == set(ReadingClass) - {ReadingClass.OPT_IN_CONFIRM}
    assert {name for line in suites[language].lines for name in line.contexts} == set(CONTEXTS)


# -- the marks -------------------------------------------------------------------------------------------


def test_r27_97_of_100_opt_outs_withdraw_over_all_languages(interpreter, suites):
    found = [opt_outs(interpreter, suite) for suite in suites.values()]
    right, missed = sum(len(yes) for yes, _ in found), [line for _, no in found for line in no]
    assert right >= RECALL * (right + len(missed)), missed


@pytest.mark.parametrize("language", LANGUAGES)
def test_r27_93_of_100_opt_outs_withdraw_in_each_language(interpreter, suites, language):
    right, missed = opt_outs(interpreter, suites[language])
    assert len(right) >= RECALL_OF_EACH * (len(right) + len(missed)), missed


def test_r27_at_most_one_trap_of_200_withdraws(interpreter, suites):
    found = [traps(interpreter, suite) for suite in suites.values()]
    right, fallen = sum(len(yes) for yes, _ in found), [line for _, no in found for line in no]
    assert len(fallen) <= WITHDRAWN_TRAPS * (right + len(fallen)), fallen


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reaction_to_our_instruction_changes_nothing_in_any_language(interpreter, suites, language):
    suite = suites[language]
    reactions = tuple(line for line in suite.traps if line.klass is ReadingClass.REACTION)
    _, fallen = split(interpreter, suite, reactions, lambda withdrawn: not any(withdrawn))
    assert fallen == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_line_is_read_the_same_twice(interpreter, suites, language):
    suite, once, again = suites[language], *(reader_of(interpreter, language) for _ in range(2))
    assert [
        line.text for line in suite.lines if suite.readings(once, line) != suite.readings(again, line)
    ] == []


# -- time ------------------------------------------------------------------------------------------------


def seconds(reader: Reader, text: str, context: Context) -> float:
    """Return the least processor time of a reading; what else the machine does adds to time, never takes away."""
    times = max(1, 20_000 // len(text))
    return min(batch(reader, text, context, times) for _ in range(5)) / times


def batch(reader: Reader, text: str, context: Context, times: int) -> float:
    began = time.thread_time()
    for _ in range(times):
        reader.read(text, context)
    return time.thread_time() - began


def filled(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("unit", UNITS)
def test_twice_the_text_takes_less_than_thrice_the_time(english, unit, size):
    context = Context(marketing=True, last_sent=filled(UNITS[unit], 1_600))
    once, twice = (seconds(english, filled(UNITS[unit], times * SIZES[size]), context) for times in (1, 2))
    assert twice < 3 * once


@pytest.mark.parametrize("unit", UNITS)
def test_a_megabyte_is_read_in_less_than_two_seconds(english, unit):
    assert batch(english, filled(UNITS[unit], MEGABYTE), Context(marketing=True), 1) < 2


def test_a_megabyte_of_stop_is_still_an_opt_out(english):
    assert is_withdrawn([english.read(filled("stop ", MEGABYTE))]) == [True]
