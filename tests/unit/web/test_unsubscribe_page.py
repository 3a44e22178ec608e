"""The unsubscribe page: what it says in each state, and that it works without script and for everybody."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import gateway.web
from gateway.mail.one_click import PostKind, read_post
from gateway.web.unsubscribe_page import PAGE_HEADERS, TEXTS, PageState, UnsubscribePage, bad_link_page

WEB = Path(gateway.web.__file__).parent
STYLESHEET = "/static/unsubscribe.css"
PAGE = UnsubscribePage(
    state=PageState.ASK,
    program="Acme <Offers> & more",
    masked="j•••@example.org",
    can_undo=True,
    preferences_url="/preferences/1a.x?a=1&b=2",
)
VOID = {"meta", "link"}


class Document(HTMLParser):
    """The elements of a page, each with its attributes; refuses a tag that is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.setdefault(self.open[-1], []).append(data.strip())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def render(page: UnsubscribePage) -> str:
    loader = FileSystemLoader(WEB / "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    return environment.get_template("unsubscribe.html").render(page=page, stylesheet=STYLESHEET)


def document(page: UnsubscribePage) -> Document:
    return Document(render(page))


@pytest.fixture(params=list(PageState))
def page(request: pytest.FixtureRequest) -> UnsubscribePage:
    return replace(PAGE, state=request.param)


def test_the_page_has_a_language_a_title_one_heading_and_one_main(page: UnsubscribePage) -> None:
    found = document(page)
    assert render(page).startswith("<!doctype html>")
    assert found.all("html") == [{"lang": "en", "dir": "ltr"}]
    assert found.texts["title"] == found.texts["h1"]
    assert len(found.texts["h1"]) == 1
    assert len(found.all("main")) == 1
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in found.all("meta")


def test_the_page_runs_no_script_and_loads_nothing_but_its_stylesheet(page: UnsubscribePage) -> None:
    found = document(page)
    tags = {tag for tag, _ in found.elements}
    assert tags <= {
        "html", "head", "meta", "title", "link", "body", "main", "h1", "p", "dl", "dt", "dd", "bdi", "form", "button", "a",
    }  # fmt: skip
    assert found.all("link") == [{"rel": "stylesheet", "href": STYLESHEET}]
    names = {name for _, attributes in found.elements for name in attributes}
    assert "style" not in names
    assert not any(name.startswith("on") or name in {"src", "ping", "http-equiv"} for name in names)


def test_the_page_is_not_indexed_and_sends_no_referrer_since_its_url_holds_the_token(
    page: UnsubscribePage,
) -> None:
    metas = document(page).all("meta")
    assert {"name": "robots", "content": "noindex, nofollow"} in metas
    assert {"name": "referrer", "content": "no-referrer"} in metas
    assert dict(PAGE_HEADERS)["Referrer-Policy"] == "no-referrer"


def test_what_others_wrote_is_escaped(page: UnsubscribePage) -> None:
    hostile = replace(page, program="<script>x</script>{0}", masked="<b>@example.org")
    found = document(hostile)
    assert not found.all("script")
    assert not found.all("b")
    if page.state is not PageState.BAD:
        assert "<script>x</script>{0}" in " ".join(found.texts["p"])


def test_the_address_is_shown_masked_and_not_in_the_title(page: UnsubscribePage) -> None:
    found = document(page)
    assert "@" not in found.texts["title"][0]
    shown = found.texts.get("bdi", [])
    assert shown == ([] if page.state is PageState.BAD else ["j•••@example.org"])


def test_each_button_posts_to_the_pages_own_url_what_the_endpoint_reads() -> None:
    sent = {}
    for state in PageState:
        found = document(replace(PAGE, state=state))
        assert found.all("form") == [{"method": "post"}] * len(found.all("button"))
        bodies = [f"{button['name']}={button['value']}".encode() for button in found.all("button")]
        sent[state] = [read_post("application/x-www-form-urlencoded", body) for body in bodies]
    assert sent == {
        PageState.ASK: [PostKind.CONFIRM],
        PageState.DONE: [PostKind.UNDO],
        PageState.ALREADY: [PostKind.UNDO],
        PageState.UNDONE: [PostKind.CONFIRM],
        PageState.BAD: [],
    }


def test_each_button_is_labelled_and_described(page: UnsubscribePage) -> None:
    found = document(page)
    ids = {attributes["id"] for _, attributes in found.elements if "id" in attributes}
    for button in found.all("button"):
        assert button["type"] == "submit"
        assert button["aria-describedby"] in ids
    assert len(found.texts.get("button", [])) == len(found.all("button"))


@pytest.mark.parametrize("state", [PageState.DONE, PageState.ALREADY])
def test_the_way_back_is_offered_only_where_it_is_allowed(state: PageState) -> None:
    assert document(replace(PAGE, state=state, can_undo=False)).all("form") == []


def test_the_preferences_are_linked_where_there_are_some(page: UnsubscribePage) -> None:
    links = document(page).all("a")
    assert links == ([] if page.state is PageState.BAD else [{"href": "/preferences/1a.x?a=1&b=2"}])
    assert document(replace(page, preferences_url=None)).all("a") == []


def test_every_bad_link_gets_the_same_page() -> None:
    assert render(replace(PAGE, state=PageState.BAD)) == render(bad_link_page())


def test_a_link_for_all_programs_is_said_in_words_of_its_own(page: UnsubscribePage) -> None:
    lead = document(replace(page, program=None)).texts["p"][0]
    assert "{" not in lead
    assert "None" not in lead


def test_the_languages_have_the_same_texts_and_no_field_but_the_program() -> None:
    for texts in TEXTS.values():
        assert texts.keys() == TEXTS["en"].keys()
        for key, text in texts.items():
            fields = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
            assert fields <= {"program"}
            assert not fields or f"{key}_all" in texts


def _palettes() -> list[dict[str, str]]:
    css = (WEB / "static" / "unsubscribe.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{([^}]*)\}", css)
    return [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in blocks]


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", _palettes(), ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back"),
    [("text", "ground"), ("muted", "ground"), ("accent", "ground"), ("on-accent", "accent")],
)
def test_every_pair_of_colours_has_the_contrast_of_wcag_aaa(
    palette: dict[str, str], front: str, back: str
) -> None:
    dark, light = sorted((_luminance(palette[front]), _luminance(palette[back])))
    assert (light + 0.05) / (dark + 0.05) >= 7


def test_the_stylesheet_loads_nothing_and_shows_the_focus() -> None:
    css = (WEB / "static" / "unsubscribe.css").read_text(encoding="utf-8")
    assert "url(" not in css
    assert "@import" not in css
    assert ":focus-visible" in css
    assert not re.search(r"outline:\s*(0|none)", css)
