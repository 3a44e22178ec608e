"""What the unsubscribe page says, and the contract of `templates/unsubscribe.html`.

The template takes two names: `page`, an `UnsubscribePage`, and `stylesheet`, the URL of
`static/unsubscribe.css`. It needs autoescaping and nothing else: no request, no session, no script.

Send it with `PAGE_HEADERS`. Its forms post to the URL they stand at and hold one field, `confirm=1` or
`undo=1` (`mail/one_click.py`). As the page sends no referrer, browsers post with `Origin: null`, so the view
must not compare origins; the token is what proves the right to act.
"""

from dataclasses import dataclass
from enum import StrEnum

PAGE_HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),  # the URL holds the token
    ("Cache-Control", "no-store"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("X-Content-Type-Options", "nosniff"),
)


class PageState(StrEnum):
    """Which of its faces the page shows. Each has its own heading, also used as the title."""

    ASK = "ask"  # a GET: nothing has changed, the button would unsubscribe
    DONE = "done"  # this POST unsubscribed
    ALREADY = "already"  # it was so before
    UNDONE = "undone"  # an explicit POST subscribed again
    BAD = "bad"  # every token that does not open, whatever the reason


@dataclass(frozen=True, slots=True)
class UnsubscribePage:
    """One page. `program` is its shown name, None for all programs; `masked` comes from `mask_address`.

    `can_undo` offers the way back after unsubscribing. `preferences_url` is shown where it is set. A bad link
    shows none of them, so that its page is the same for every bad link: use `bad_link_page`.
    """

    state: PageState
    program: str | None = None
    masked: str = ""
    can_undo: bool = False
    preferences_url: str | None = None
    language: str = "en"

    @property
    def direction(self) -> str:
        """Direction of the language's script, for the `dir` attribute."""
        return "rtl" if self.language in _RIGHT_TO_LEFT else "ltr"

    def say(self, key: str) -> str:
        """Return a text of the page's language, with the program's name in it. Not yet escaped."""
        texts = TEXTS[self.language]
        if self.program is None:
            return texts.get(f"{key}_all", texts[key])
        return texts[key].format(program=self.program)


def bad_link_page(language: str = "en") -> UnsubscribePage:
    """Return the one page for every token that does not open."""
    return UnsubscribePage(state=PageState.BAD, language=language)


_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})

# One table per language; all have the same keys. `{program}` is the only name that a text may hold, and a
# text that holds it has a second form, for all programs, under its key with `_all`.
TEXTS = {
    "en": {
        "address": "Address",
        "ask_heading": "Do you want to unsubscribe?",
        "ask_lead": "You will no longer get {program}. Nothing changes until you press the button.",
        "ask_lead_all": "You will no longer get any of our messages. Nothing changes until you press the button.",
        "ask_button": "Unsubscribe",
        "done_heading": "You are unsubscribed",
        "done_lead": "You will no longer get {program}. A message that is already on its way may still arrive.",
        "done_lead_all": "You will no longer get any of our messages, except one that is already on its way.",
        "already_heading": "You are already unsubscribed",
        "already_lead": "You do not get {program}. There is nothing more to do.",
        "already_lead_all": "You do not get any of our messages. There is nothing more to do.",
        "undo_lead": "Was it a mistake?",
        "undo_button": "Subscribe again",
        "undone_heading": "You are subscribed again",
        "undone_lead": "You will get {program} as before.",
        "undone_lead_all": "You will get our messages as before.",
        "bad_heading": "This link does not work",
        "bad_lead": (
            "Part of it may be missing, or it may have been changed on its way. Nothing has changed. Please open "
            "the link in the message once more, or write to whoever sent you the message."
        ),
        "preferences": "Choose what you get",
    },
}
