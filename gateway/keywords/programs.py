"""What programs add to the languages: keywords of their own, and words that name them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.errors import ConfigurationError
from gateway.keywords.keyword_stage import read_keywords
from gateway.keywords.normalise import normalise
from gateway.keywords.reading import Band, Context, ReadingClass
from gateway.keywords.source import Source
from gateway.keywords.vocabulary import Vocabulary
from gateway.keywords.words import KEYWORD_CLASSES, Word, add_word, canonical, clash, spelled

_PENDING = Context(pending_opt_in=True)


@dataclass(frozen=True, slots=True)
class ProgramWords:
    """What the interpreter needs to know of one program."""

    slug: str
    name: str = ""  # the name that people see; they may use it as they may the slug: "STOP ACME OFFERS"
    languages: tuple[str, ...] = ("en",)
    keywords: Mapping[str, Sequence[str]] = field(default_factory=dict)  # class -> words that it adds
    words: tuple[str, ...] = ()  # further words that name it after a keyword: "STOP OFFERS"
    source: Source | None = None  # the file that configures it, for messages

    def place(self, word: str = "", *, key: str = "") -> str:
        """Return where the word or the key is configured."""
        table = f"programs.{self.slug}"
        if self.source is None:
            return f"[{table}]"
        return f"{self.source.place(table, key=key, word=word)}: {table}"


def with_programs(vocabulary: Vocabulary, programs: Sequence[ProgramWords]) -> Vocabulary:
    """Add the programs' words, which never take one away (R5).

    Raises `ConfigurationError`, with the place, for an unknown class, for a word that is read as another
    class without the addition, and for one that names two programs or is a keyword or filler itself.
    """
    names = _names(programs)
    for program in programs:
        named = _named(vocabulary, names)  # "stop offers" stays an opt-out too
        words = dict(vocabulary.words)
        for word in _added(program, named):
            add_word(words, word)
        vocabulary = vocabulary.extended(words, {})
    for program in programs:
        _check_names(program, names, vocabulary)
    return _named(vocabulary, names)


def _named(vocabulary: Vocabulary, names: Mapping[str, frozenset[str]]) -> Vocabulary:
    free = {phrase: slugs for phrase, slugs in names.items() if not vocabulary.is_taken(phrase)}
    return vocabulary.extended(vocabulary.words, free)


def _added(program: ProgramWords, vocabulary: Vocabulary) -> Iterable[Word]:
    for name, texts in program.keywords.items():
        klass = KEYWORD_CLASSES.get(name)
        if klass is None:
            known = ", ".join(KEYWORD_CLASSES)
            raise ConfigurationError(f'{program.place(key=name)}: unknown class "{name}"; known are {known}')
        for text in texts:
            word = _word(program, klass, text)
            _check_not_read_otherwise(word, vocabulary)
            yield word


def _word(program: ProgramWords, klass: ReadingClass, text: str) -> Word:
    language = program.languages[0] if program.languages else ""
    return Word(
        text=canonical(text),
        klass=klass,
        language=language,
        spellings=_spelled(program, text),
        place=program.place(text),
        program=program.slug,
    )


def _check_not_read_otherwise(word: Word, vocabulary: Vocabulary) -> None:
    """Refuse "end now" or "stoppp" as an opt-in: without the addition they are opt-outs, and remain so."""
    for spelling in word.spellings:
        reading = read_keywords(vocabulary.resolved(normalise(spelling)), vocabulary, _PENDING)
        if reading is None or reading.band is not Band.CERTAIN or reading.klass is word.klass:
            continue
        if (reading.klass, word.klass) != (ReadingClass.OPT_IN_CONFIRM, ReadingClass.OPT_IN):
            raise clash(word, reading.klass, f'read as "{reading.keyword}"')


def _names(programs: Sequence[ProgramWords]) -> dict[str, frozenset[str]]:
    """Return the slugs of the programs that each phrase names: their slugs, names and chosen words."""
    names: dict[str, frozenset[str]] = {}
    for program in programs:
        for text in (program.slug, program.name, *program.words):
            for phrase in spelled(text):
                names[phrase] = names.get(phrase, frozenset()) | {program.slug}
    return names


def _check_names(program: ProgramWords, names: Mapping[str, frozenset[str]], vocabulary: Vocabulary) -> None:
    """Refuse chosen words that would not work. A slug or a name that would not is left to the wider reading."""
    for text in program.words:
        for phrase in _spelled(program, text):
            others = names[phrase] - {program.slug}
            if others:
                raise ConfigurationError(
                    f'{program.place(text)}: "{text}" names {", ".join(sorted(others))} as well'
                )
            if vocabulary.is_taken(phrase):
                raise ConfigurationError(
                    f'{program.place(text)}: "{text}" is a keyword or filler, and names nothing'
                )


def _spelled(program: ProgramWords, text: str) -> tuple[str, ...]:
    forms = spelled(text)
    if not forms:
        raise ConfigurationError(f'{program.place(text)}: "{text}" has no letter or digit')
    return forms
