"""What messengers and phones put around a message: reactions, automatic replies, signatures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.keywords.document import Document
from gateway.keywords.normalise import normalise

QUOTE, SIGN = "{quote}", "{emoji}"
WRAPPER_KEYS = ("reactions", "objects", "auto_replies", "signatures")


@dataclass(frozen=True, slots=True)
class ReactionForm:
    """The words before and after the quoted message. An emoji among them is no word.

    `has_sign`: an emoji must stand first, since the words alone say too little: Google's `👍 to “...”`.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    has_sign: bool = False


@dataclass(frozen=True, slots=True)
class Wrappers:
    """The wrappers of one language or, joined, of several."""

    reactions: tuple[ReactionForm, ...] = ()
    objects: tuple[tuple[str, ...], ...] = ()  # what stands in place of a quote: "an image"
    auto_replies: tuple[tuple[str, ...], ...] = ()
    signatures: tuple[tuple[str, ...], ...] = ()

    def __or__(self, other: "Wrappers") -> "Wrappers":
        return Wrappers(
            _joined(self.reactions, other.reactions),
            _joined(self.objects, other.objects),
            _joined(self.auto_replies, other.auto_replies),
            _joined(self.signatures, other.signatures),
        )


def read_wrappers(document: Document) -> Wrappers:
    """Return the wrappers of a language file. Raises `ConfigurationError`, with the line, for a wrong one."""
    return Wrappers(
        tuple(_form(document, text) for text in document.strings("wrappers", "reactions")),
        _phrases(document, "objects"),
        _phrases(document, "auto_replies"),
        _phrases(document, "signatures"),
    )


def _form(document: Document, text: str) -> ReactionForm:
    before, quote, after = text.partition(QUOTE)
    if not quote:
        raise document.fault(f'"{text}" lacks {QUOTE}, the reacted message', "wrappers", "reactions", text)
    has_sign = before.lstrip().startswith(SIGN)
    form = ReactionForm(
        normalise(before.replace(SIGN, "")).keys, normalise(after.replace(SIGN, "")).keys, has_sign
    )
    if not form.before and not form.after:
        raise document.fault(f'"{text}" has no word', "wrappers", "reactions", text)
    return form


def _phrases(document: Document, key: str) -> tuple[tuple[str, ...], ...]:
    found = {text: normalise(text).keys for text in document.strings("wrappers", key)}
    for text, keys in found.items():
        if not keys:
            raise document.fault(f'"{text}" has no letter or digit', "wrappers", key, text)
    return tuple(found.values())


def _joined(ours: Sequence[object], theirs: Iterable[object]) -> tuple:  # type: ignore[type-arg]  # of whatever both hold
    return tuple(dict.fromkeys((*ours, *theirs)))
