"""Words that others published, and messages that others wrote."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, ReadingClass

SHARED = Path(__file__).parents[3].parent / "shared"
LISTS = SHARED / "reference" / "keywords.csv"
UCI = SHARED / "data" / "sms" / "SMSSpamCollection.tsv"
CLINC = SHARED / "data" / "sms" / "clinc150_trap_subset.tsv"
# Named by a regulator or provider for one country or product only; a program adds it (R6).
LOCAL = {"no", "n0"}
# A phrase, not a keyword: read by the grammar of free text.
PHRASES = {"do not text"}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Interpreter.shipped().for_programs([ProgramWords("offers")])


def needed(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"the data file {path.name} is not there")
    return path


def english_keywords(meaning: str) -> Iterator[tuple[str, str]]:
    with needed(LISTS).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["meaning"] == meaning and row["language"].startswith("en"):
                yield row["keyword"], row["source"]


def test_every_published_english_opt_out_keyword_is_a_certain_opt_out(reader: Reader) -> None:
    rows = [row for row in english_keywords("opt_out") if row[0].lower() not in LOCAL | PHRASES]
    for origin in ("47 CFR", "CTIA", "Twilio"):
        assert any(source.startswith(origin) for _, source in rows)
    missed = [row for row in rows if reader.read(row[0]).klass is not ReadingClass.OPT_OUT]
    unsure = [row for row in rows if reader.read(row[0]).band is not Band.CERTAIN]
    assert (missed, unsure) == ([], [])


def test_every_published_english_help_keyword_asks_for_help(reader: Reader) -> None:
    rows = list(english_keywords("help"))
    assert [row for row in rows if reader.read(row[0]).klass is not ReadingClass.HELP] == []
    assert len(rows) > 10


def test_every_published_english_opt_in_keyword_opts_in_or_confirms_a_pending_one(reader: Reader) -> None:
    rows = [*english_keywords("opt_in"), *english_keywords("opt_in_confirm")]
    pending = Context(pending_opt_in=True)
    assert [
        row for row in rows if reader.read(row[0], pending).klass is not ReadingClass.OPT_IN_CONFIRM
    ] == []
    plain = {keyword.lower() for keyword, _ in rows if reader.read(keyword).klass is ReadingClass.OPT_IN}
    assert plain == {"start", "unstop", "subscribe"}


def test_chat_among_people_is_not_acted_on(reader: Reader) -> None:
    lines = needed(UCI).read_text(encoding="utf-8").splitlines()
    texts = [line.partition("\t")[2] for line in lines if line.startswith("ham\t")]
    assert len(texts) == 4_827
    acted = [text for text in texts if reader.read(text).klass is ReadingClass.OPT_OUT]
    # Two people tell another one in so many words not to write to them any more.
    said = ("don't text me anymore", "do not contact me again")
    assert [text for text in acted if not any(words in text for words in said)] == []
    assert len(acted) == len(said)


def test_requests_to_an_assistant_are_not_acted_on_unless_they_say_to_stop(reader: Reader) -> None:
    lines = needed(CLINC).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    acted = {
        row[-1] for row in rows if "cancel" not in row and reader.read(row[-1]).klass is ReadingClass.OPT_OUT
    }
    assert acted == set()
