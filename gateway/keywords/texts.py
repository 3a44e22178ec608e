"""What we answer, in the words of a language: texts with places for a program's own values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter

from gateway.keywords.document import Document
from gateway.keywords.tags import broader


class TextKey(StrEnum):
    """The texts there are. Those of a sender that no program names have no place for a value."""

    OPT_OUT = "opt_out"
    OPT_OUT_NAMELESS = "opt_out_nameless"
    OPT_IN = "opt_in"
    OPT_IN_PENDING = "opt_in_pending"
    HELP = "help"
    CLARIFY = "clarify"  # asks who wrote unclearly
    CLARIFY_NAMELESS = "clarify_nameless"


TEXT_KEYS = tuple(TextKey)
_LAST_RESORT = "en"
PLACES = ("name", "contact", "frequency", "rates")


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of all languages."""

    by_language: Mapping[str, Mapping[str, str]]

    def find(self, key: TextKey, tags: Iterable[str]) -> str:
        """Return the text in the first of the languages that has it, "fr-ca" being French too; else in English."""
        for tag in (*tags, _LAST_RESORT):
            for language in broader(tag):
                text = self.by_language.get(language, {}).get(key)
                if text:
                    return text
        raise KeyError(key)


def read_texts(document: Document) -> Mapping[str, str]:
    """Return the texts of a language file. Raises `ConfigurationError` for an unknown {place}."""
    texts = document.pairs("texts")
    for key, text in texts.items():
        known = () if key.endswith("nameless") else PLACES
        for place in _places(document, key, text):
            if place not in known:
                shown = ", ".join(f"{{{name}}}" for name in known) or "none"
                raise document.fault(f"unknown {{{place}}}; known are {shown}", "texts", key)
    return texts


def _places(document: Document, key: str, text: str) -> list[str]:
    try:
        return [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise document.fault(f"a brace is wrong: {error}", "texts", key) from None
