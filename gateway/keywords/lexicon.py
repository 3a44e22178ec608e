"""One language's words, read from its TOML file and checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from gateway.keywords.document import Document, Shape
from gateway.keywords.phrases import PHRASE_KEYS, PhraseRule, read_phrase_rules
from gateway.keywords.protected import PROTECTED, PROTECTED_BY, PROTECTED_LANGUAGE
from gateway.keywords.reading import ReadingClass
from gateway.keywords.texts import TEXT_KEYS, read_texts
from gateway.keywords.words import KEYWORD_CLASSES, Word, add_word, canonical, clash, spelled
from gateway.keywords.wrappers import WRAPPER_KEYS, Wrappers, read_wrappers

_SHAPE = Shape(
    top=("language", "protected"),
    tables={
        "words": tuple(KEYWORD_CLASSES),
        "spellings": (),
        "reach": ("all",),
        "answered_in": (),
        "fillers": ("anywhere", "after", "all"),
        "guards": ("negations", "phrases"),
        "typos": ("real_words",),
        "sets": (),
        "phrases": PHRASE_KEYS,
        "wrappers": WRAPPER_KEYS,
        "texts": TEXT_KEYS,
    },
    classes="words",
)


@dataclass(frozen=True, slots=True)
class Fillers:
    """What may stand around a keyword, and what must not. Each set holds matching forms."""

    anywhere: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()  # after the first keyword only
    reach_all: frozenset[str] = frozenset()  # likewise, and they reach every program
    negations: frozenset[str] = frozenset()  # no fillers: they turn a keyword around

    def __or__(self, other: "Fillers") -> "Fillers":
        return Fillers(
            self.anywhere | other.anywhere,
            self.after | other.after,
            self.reach_all | other.reach_all,
            self.negations | other.negations,
        )

    def all_phrases(self) -> frozenset[str]:
        """Return the phrases of every set."""
        return self.anywhere | self.after | self.reach_all | self.negations


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The keywords and fillers of one language."""

    language: str  # lower-case tag: "en", "en-au"
    words: tuple[Word, ...]
    fillers: Fillers
    phrases: tuple[PhraseRule, ...] = ()
    wrappers: Wrappers = field(default_factory=Wrappers)
    real_words: frozenset[str] = frozenset()  # words that a slip could turn a keyword into (R23)
    texts: Mapping[str, str] = field(default_factory=dict)  # what we answer, by key
    sets: tuple[str, ...] = ()  # the names of the groups of words that its phrases may use

    def extended(self, other: "Lexicon") -> "Lexicon":
        """Return a lexicon with the words of both: a deployment's own file adds and takes nothing away."""
        return Lexicon(
            self.language,
            self.words + other.words,
            self.fillers | other.fillers,
            self.phrases + other.phrases,
            self.wrappers | other.wrappers,
            self.real_words | other.real_words,
            {**self.texts, **other.texts},
            self.sets + other.sets,
        )


@cache
def shipped_lexicons() -> tuple[Lexicon, ...]:
    """Read the languages that come with the gateway. Raises `ConfigurationError` as `read_lexicon` does."""
    return tuple(read_lexicon(name, text) for name, text in shipped_files())


def shipped_files() -> Iterator[tuple[str, str]]:
    """Yield name and text of each language file that comes with the gateway, in the order of their names."""
    folder = resources.files("gateway.keywords") / "languages"
    files = {file.name: file for file in folder.iterdir() if file.name.endswith(".toml")}
    for name in sorted(files):
        yield name, files[name].read_text(encoding="utf-8")


def read_lexicon(name: str, text: str, *, is_addition: bool = False) -> Lexicon:
    """Return the lexicon in the TOML `text` of the file `name`.

    An addition joins a complete lexicon of the same language and need not repeat its protected words.

    Raises `ConfigurationError`, with file and line, for a wrong structure, an unknown class, a word in two
    classes, and a protected word that is missing or stands in another class than `opt_out`.
    """
    document = Document.of(name, text, _SHAPE)
    language = document.text("language").lower()
    words = tuple(_words(document, language))
    fillers = Fillers(
        anywhere=_phrases(document, "fillers", "anywhere"),
        after=_phrases(document, "fillers", "after"),
        reach_all=_phrases(document, "fillers", "all"),
        negations=_phrases(document, "guards", "negations"),
    )
    index = _index(document, words, fillers)
    if not is_addition:
        _check_protected_present(document, language, index)
    _check_protected(document, index, fillers)
    return Lexicon(
        language,
        words,
        fillers,
        phrases=read_phrase_rules(document, language),
        wrappers=read_wrappers(document),
        real_words=frozenset(
            form for text in document.strings("typos", "real_words") for form in spelled(text)
        ),
        texts=read_texts(document),
        sets=tuple(document.table("sets")),
    )


def _words(document: Document, language: str) -> Iterator[Word]:
    others = _other_spellings(document)
    languages = _other_languages(document)
    reach_all = _phrases(document, "reach", "all")
    for name, klass in KEYWORD_CLASSES.items():
        for text in document.strings("words", name):
            spellings = _forms(document, "words", name, text)
            yield Word(
                text=canonical(text),
                klass=klass,
                language=languages.get(spellings[0], language),
                spellings=spellings + others.pop(spellings[0], ()),
                place=document.source.place("words", key=name, word=text),
                reaches_all=not reach_all.isdisjoint(spellings),
            )
    for unknown in others:
        raise document.fault(
            f'"{unknown}" in [spellings] stands for no word of [words]', "spellings", word=unknown
        )


def _other_spellings(document: Document) -> dict[str, tuple[str, ...]]:
    """Return the matching forms of [spellings], by the matching form of the word that they stand for."""
    found: dict[str, tuple[str, ...]] = {}
    for other, word in document.pairs("spellings").items():
        main = _forms(document, "spellings", other, word)[0]
        found[main] = found.get(main, ()) + _forms(document, "spellings", other, other)
    return found


def _other_languages(document: Document) -> dict[str, str]:
    """Return the languages of [answered_in], by the matching form of the words that are answered in them."""
    return {
        _forms(document, "answered_in", tag, text)[0]: tag.lower()
        for tag in document.table("answered_in")
        for text in document.strings("answered_in", tag)
    }


def _index(document: Document, words: tuple[Word, ...], fillers: Fillers) -> Mapping[str, Word]:
    index: dict[str, Word] = {}
    for word in words:
        add_word(index, word)
    for spelling in sorted(fillers.all_phrases() & index.keys()):
        text = index[spelling].text
        raise document.fault(f'"{text}" is both a keyword and a filler or guard', "words", word=text)
    return index


def _check_protected_present(document: Document, language: str, index: Mapping[str, Word]) -> None:
    own = document.strings("", "protected")
    for text in (*own, *(PROTECTED if language == PROTECTED_LANGUAGE else ())):
        if not all(form in index for form in _forms(document, "", "protected", text)):
            message = f'the protected word "{text}" is missing; put it into opt_out ({PROTECTED_BY})'
            raise document.fault(message, "words", "opt_out")


def _check_protected(document: Document, index: Mapping[str, Word], fillers: Fillers) -> None:
    own = document.strings("", "protected")
    for form in (form for text in (*own, *PROTECTED) for form in spelled(text)):
        if form in fillers.all_phrases():
            raise document.fault(
                f'the protected word "{form}" cannot be a filler or guard', "fillers", word=form
            )
        word = index.get(form)
        if word and word.klass is not ReadingClass.OPT_OUT:
            raise clash(word, ReadingClass.OPT_OUT, "a protected word")


def _phrases(document: Document, table: str, key: str) -> frozenset[str]:
    texts = document.strings(table, key)
    return frozenset(form for text in texts for form in _forms(document, table, key, text))


def _forms(document: Document, table: str, key: str, text: str) -> tuple[str, ...]:
    forms = spelled(text)
    if forms:
        return forms
    raise document.fault(f'"{text}" has no letter or digit', table, key, text)
