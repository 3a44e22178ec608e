"""False alarms: what is read as the end of consent in messages among people who end nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.matchers import MATCHERS
from bench.tables import quoted, share, table
from gateway.keywords.interpreter import Reader
from gateway.keywords.reading import Context, Reading, ReadingClass

_ALARMS = frozenset({ReadingClass.OPT_OUT, ReadingClass.WRONG_NUMBER, ReadingClass.REFUSAL})

_HEAD = """Nobody in these corpora speaks to a business, so every withdrawal is a false alarm: person-to-person messages of the
[UCI SMS Spam Collection](https://archive.ics.uci.edu/dataset/228/sms+spam+collection) (CC BY 4.0; Almeida, Gómez Hidalgo,
Yamakami 2011) and requests to an assistant of [CLINC150](https://github.com/clinc/oos-eval) (CC BY 3.0; Larson et al. 2019), the
latter without the intent `cancel`, whose speakers do say to stop. `chat`: our last message was no advertising; `marketing`: it was,
and recent, as if each of these messages had answered it."""

# Whether an alarm is a mistake is for a person to say: the corpora have no labels for it.
_JUDGED = {
    ("UCI ham", 101): 'right: "Please don\'t text me anymore" is an opt-out, whoever reads it',
    ("UCI ham", 335): 'right: it ends with "Please do not contact me again or I will report you"',
    ("UCI ham", 1749): "right: whoever has the number now says so",
}
_JUDGED_BY_RULE = """In chat each alarm is judged above; one without a judgement is new, and to be looked at. As answers to
advertising (`marketing`) they are mistakes nearly all, and the price of reading "I'm done", "enough" or an oath, sent in
reply to an advertisement, as the end that such a reply usually means. Nobody who wrote these lines had an advertisement
before them: where a gateway knows of one, the reply says how to return."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Messages with their ids: the number of the line in the published file, from 1."""

    name: str
    texts: tuple[tuple[int, str], ...]


def false_alarms(reader: Reader, corpora: Sequence[Corpus], last_sent: str) -> str:
    """Return how often ours and the others alarm, and each alarm of ours with its rule."""
    contexts = {"chat": Context(), "marketing": Context(marketing=True, last_sent=last_sent)}
    read = {
        (name, corpus.name): list(_alarms(reader, corpus, context))
        for name, context in contexts.items()
        for corpus in corpora
    }
    rows = [_ours(name, [read[name, corpus.name] for corpus in corpora], corpora) for name in contexts]
    rows += [_theirs(name, corpora) for name in MATCHERS]
    head = ["matcher", *(f"{corpus.name}, {len(corpus.texts):,}" for corpus in corpora)]
    listed = [
        [
            *(name, corpus, number, reading.klass, reading.band, reading.rule, quoted(text)),
            _JUDGED.get((corpus, number), ""),
        ]
        for (name, corpus), alarms in read.items()
        for number, text, reading in alarms
    ]
    titles = ["context", "corpus", "line", "class", "band", "rule", "text", "judged"]
    details = [_explained(), table(titles, listed), _JUDGED_BY_RULE] if listed else []
    return "\n\n".join([_HEAD, table(head, rows), *details])


def ham(path: Path) -> Corpus:
    """Return the messages of the UCI collection that are no spam."""
    lines = path.read_text(encoding="utf-8").split("\n")
    rows = (line.partition("\t") for line in lines)
    return Corpus(
        "UCI ham", tuple((number, text) for number, (label, _, text) in enumerate(rows, 1) if label == "ham")
    )


def requests(path: Path) -> Corpus:
    """Return the CLINC150 utterances, less those of the intent `cancel`."""
    lines = path.read_text(encoding="utf-8").split("\n")[1:]
    rows = [(number, *line.split("\t")) for number, line in enumerate(lines, 2) if line]
    return Corpus("CLINC150", tuple((number, text) for number, _, intent, text in rows if intent != "cancel"))


def _alarms(reader: Reader, corpus: Corpus, context: Context) -> Iterator[tuple[int, str, Reading]]:
    for number, text in corpus.texts:
        reading = reader.read(text, context)
        if reading.klass in _ALARMS:
            yield number, text, reading


def _ours(
    name: str, alarms: Sequence[list[tuple[int, str, Reading]]], corpora: Sequence[Corpus]
) -> list[str]:
    cells = []
    for found, corpus in zip(alarms, corpora, strict=True):
        acted = [reading for _, _, reading in found if reading.klass is ReadingClass.OPT_OUT]
        unclear = sum(reading.band == "unclear" for reading in acted)
        others = len(found) - len(acted)
        cells.append(
            f"**{share(len(acted) - unclear, len(corpus.texts))}**; {unclear} asked, {others} not consent"
        )
    return [f"**this gateway, {name}**", *cells]


def _theirs(name: str, corpora: Sequence[Corpus]) -> list[str]:
    matcher = MATCHERS[name]
    return [
        name,
        *(share(sum(matcher(text) for _, text in corpus.texts), len(corpus.texts)) for corpus in corpora),
    ]


def _explained() -> str:
    return (
        '"Asked": read as an opt-out, but unclear, so the person is asked once. "Not consent": read as a wrong number or '
        "a refusal, which suppresses under its own reason. Every one of ours, with the line of the published file:"
    )
