"""A language's phrases: what people write who do not send a keyword, and what holds such a reading back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.keywords.document import Document
from gateway.keywords.phrase_syntax import Phrase, PhraseError, parse_phrase


class PhraseKind(StrEnum):
    """What a phrase says. The values are the keys of [phrases]; `GUARD` stands in [guards]."""

    ECHO = "echo"  # our own instruction, repeated: "reply STOP to end" (R11); certain
    OPT_OUT = "opt_out"  # names messages or lists: an opt-out in every conversation
    OPT_OUT_ALL = "opt_out_all"  # likewise, and from everything
    OPT_OUT_MARKETING = "opt_out_marketing"  # likewise, and from advertising only
    OPT_OUT_REPLY = "opt_out_reply"  # an opt-out as the reply to advertising, chat elsewhere
    WRONG_NUMBER = "wrong_number"
    WRONG_NUMBER_REPLY = "wrong_number_reply"  # likewise, as a reply to advertising
    REFUSAL = "refusal"  # hostile, and names no messages; as a reply to advertising
    OPT_IN = "opt_in"
    HELP = "help"
    UNCLEAR = "unclear"  # worth a question, as a reply to advertising
    AUTO_REPLY = "auto_reply"
    OTHER_CHANNEL = "other_channel"  # about e-mail or calls, and not about what we send here
    GUARD = "guard"  # turns what it touches into something else


@dataclass(frozen=True, slots=True)
class PhraseRule:
    """One phrase with its meaning. `text` is the notation in the file; it names the rule."""

    text: str
    kind: PhraseKind
    phrase: Phrase
    language: str
    place: str = ""  # where it stands: "en.toml:130"
    crosses_commas: bool = False  # a guard that is written with one


PHRASE_KEYS = tuple(kind.value for kind in PhraseKind if kind is not PhraseKind.GUARD)
NUMBER = "#"  # stands for every run of three or more digits
_BUILT_IN = {"digits": (NUMBER,)}
_COMMA = " , "


def read_phrase_rules(document: Document, language: str) -> tuple[PhraseRule, ...]:
    """Return the phrases of a language file. Raises `ConfigurationError`, with the line, for one that is wrong."""
    sets = _sets(document)
    rules: list[PhraseRule] = []
    for table, key, kind in _places():
        rules.extend(
            _rule(document, table, key, kind, text, sets, language) for text in document.strings(table, key)
        )
    return tuple(rules)


def _places() -> Iterator[tuple[str, str, PhraseKind]]:
    for key in PHRASE_KEYS:
        yield "phrases", key, PhraseKind(key)
    yield "guards", "phrases", PhraseKind.GUARD


def _sets(document: Document) -> Mapping[str, tuple[str, ...]]:
    return {**{name: document.strings("sets", name) for name in document.table("sets")}, **_BUILT_IN}


def _rule(
    document: Document,
    table: str,
    key: str,
    kind: PhraseKind,
    text: str,
    sets: Mapping[str, tuple[str, ...]],
    language: str,
) -> PhraseRule:
    try:
        place = document.source.place(table, key=key, word=text)
        crosses = kind is PhraseKind.GUARD and _COMMA in text
        phrase = parse_phrase(text.replace(_COMMA, " ") if crosses else text, sets)
        return PhraseRule(text, kind, phrase, language, place, crosses_commas=crosses)
    except PhraseError as error:
        raise document.fault(f'phrase "{text}": {error}', table, key, text) from None
