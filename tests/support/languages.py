"""What the tests of every language ask for: its file, a reader for it, and what readings come to."""

from collections.abc import Iterable
from importlib import resources

from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.lexicon import Lexicon, read_lexicon
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, Reading, ReadingClass
from gateway.providers import gsm

CHAT = Context()
PENDING = Context(pending_opt_in=True)


def lexicon_of(tag: str) -> Lexicon:
    """Return a shipped language."""
    file = resources.files("gateway.keywords") / "languages" / f"{tag}.toml"
    return read_lexicon(file.name, file.read_text(encoding="utf-8"))


def reader_of(tag: str, *lexicons: Lexicon) -> Reader:
    """Return the reader of a program in a language, of the only languages there are."""
    return Interpreter(lexicons).for_programs([ProgramWords("offers", "Acme", (tag,))])


def classes(readings: Iterable[Reading]) -> set[ReadingClass]:
    return {reading.klass for reading in readings}


def ends_messages(reading: Reading) -> bool:
    return reading.klass is ReadingClass.OPT_OUT and reading.band is not Band.UNCLEAR


def fits_one_message(text: str) -> bool:
    """Tell whether the text is one message of the GSM alphabet."""
    septets = gsm.encode(text)
    return septets is not None and len(septets) <= 160
