"""4. STOP, END, QUIT, CANCEL, UNSUBSCRIBE, REVOKE and OPT OUT always work, in every configuration; a configuration
that would disable them does not start.
"""

from collections.abc import Callable
from itertools import count

import pytest
from flask import Flask
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.databases import sqlite_url
from support.gateways import BASE, choices, deliver, house_of, is_allowed
from support.server import AUTH_TOKEN
from support.twilio_requests import inbound

from gateway.configuration.values import shipped_languages
from gateway.errors import ConfigurationError
from gateway.keywords.interpreter import Interpreter
from gateway.keywords.reading import Context, ReadingClass
from gateway.programs import ProgramBook
from gateway.settings import ProgramKeywords, ProgramSettings

# As the rule names them (47 CFR 64.1200(a)(10)); deliberately not taken from the product.
SEVEN = ("STOP", "END", "QUIT", "CANCEL", "UNSUBSCRIBE", "REVOKE", "OPT OUT")
SPELLINGS = (
    "{upper}",
    "{lower}",
    "{title}",
    "{upper}.",
    " {lower} \n",
    "\u201c{title}!\u201d",
    "*{upper}*",
    "{lower}!!! \U0001f6d1",
    "Please {lower}",
    "{upper} now, thanks",
    "{wide}",
    "{spaced}",
    "{upper} {upper}",
)
JOINED = ("OPTOUT", "opt-out", "Opt_Out", "OPT\u2011OUT", "opt  out")
NUMBER = "+15555550155"
INTERPRETER = Interpreter.shipped()
_persons = count()


def spelled(word: str, form: str) -> str:
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter != " " else letter for letter in word)
    spaced = ".".join(word.replace(" ", ""))
    return form.format(upper=word, lower=word.lower(), title=word.title(), wide=wide, spaced=spaced)


EVERY_SPELLING = [*(spelled(word, form) for word in SEVEN for form in SPELLINGS), *JOINED]


def program(slug: str, sender: str = NUMBER, **keys: str) -> str:
    """Return the table of a program; values are TOML."""
    usual = {
        "name": f'"{slug}"',
        "purpose": '"marketing"',
        "default_choice": '"y"',
        "senders": f'["{sender}"]',
        "contact": '"help@example.com"',
    }
    lines = "\n".join(f"{key} = {value}" for key, value in {**usual, **keys}.items())
    return f"[programs.{slug}]\n{lines}\n"


def account(**keys: str) -> str:
    lines = "\n".join(f"{key} = {value}" for key, value in keys.items())
    return f'[accounts.acme]\nprovider = "twilio"\naccount_sid = "ACtest"\nauth_tokens = ["{AUTH_TOKEN}"]\n{lines}\n'


_TEXTS = "{ opt_out = 'Reply START', opt_in = 'STOP? Never!', help = 'STOP does nothing' }"
HOSTILE = {
    "keywords of every class": program(
        "offers", keywords='{ opt_out = ["ENOUGH"], opt_in = ["DEALS", "GO ON"], help = ["ASSIST", "OUT"] }'
    ),
    "opt-in words that look like them": program(
        "offers", keywords='{ opt_in = ["NONSTOP", "ENDLESS", "OPT", "WEEKEND", "DO NOT QUITE"] }'
    ),
    "a program that is called like them": "".join(
        program(word.lower().replace(" ", "-"), name=f'"{word.title()}"') for word in SEVEN
    ),
    "a program that is called please": program("please", words='["kindly do"]', name='"now"'),
    "texts that say otherwise": program("offers", texts=_TEXTS),
    "double opt-in": program("offers", double_opt_in="true", default_choice='"n"'),
    "STOP covers the program": program("offers", stop_scope='"program"'),
    "STOP covers everything": program("offers", stop_scope='"all"'),
    "programs that differ in scope": program("offers", stop_scope='"program"') + program("deals"),
    "transactional": program("alerts", purpose='"transactional"'),
    "marketing beside transactional": program("offers") + program("alerts", purpose='"transactional"'),
    "no program": "",
    "programs of other senders": program("offers", sender="+15555550156"),
    **{f"only {code}": program("offers", languages=f'["{code}"]') for code in shipped_languages()},
    "all languages": program("offers", languages=str(list(shipped_languages())).replace("'", '"')),
}
ACCOUNT_SETTINGS = {
    "we reply": account(provider_replies='"none"'),
    "the provider replies": account(provider_replies='"auto"'),
    "the provider marks": account(provider_replies='"marker"'),
    "replies by api": account(provider_replies='"none"', reply_by='"api"'),
    "a sender that differs": account(senders=f'{{ "{NUMBER}" = {{ provider_replies = "none" }} }}'),
}


def somebody() -> str:
    return f"+1555{next(_persons):07d}"


def say(app: Flask, person: str, text: str, **extra: str) -> None:
    answer = deliver(app, inbound(BASE, text, number=person, **{"To": NUMBER, **extra}))
    assert answer.status_code == 200


def is_out(app: Flask, person: str) -> bool:
    """Tell whether the person gets nothing more from the sender: of any program of it, or of none in particular."""
    house = house_of(app)
    of_sender = [slug for slug, found in house.book.programs.items() if NUMBER in found.senders]
    marketing = [slug for slug in of_sender if house.book.rules[slug].purpose == "marketing"]
    return not any(is_allowed(app, person, slug) for slug in marketing or of_sender or ["*"])


@pytest.mark.parametrize("programs", HOSTILE.values(), ids=HOSTILE.keys())
def test_every_spelling_opts_out_in_every_configuration(make_app, tmp_path, programs: str):
    app = make_app(sqlite_url(tmp_path), accounts=account(provider_replies='"none"'), programs=programs)
    for text in EVERY_SPELLING:
        person = somebody()
        say(app, person, text)
        assert "n" in choices(app, person).values(), text
        assert is_out(app, person), text


@pytest.mark.parametrize("accounts", ACCOUNT_SETTINGS.values(), ids=ACCOUNT_SETTINGS.keys())
def test_whoever_replies_the_word_counts(make_app, database_url: str, accounts: str):
    app = make_app(database_url, accounts=accounts, programs=program("offers"))
    for word in SEVEN:
        person = somebody()
        say(app, person, word)
        assert is_out(app, person), word


BEFORE: dict[str, Callable[[Flask, str], None]] = {
    "in": lambda app, person: say(app, person, "START"),
    "in, confirmed": lambda app, person: [say(app, person, text) for text in ("START", "YES")],
    "out": lambda app, person: say(app, person, "QUIT"),
    "returned": lambda app, person: [say(app, person, text) for text in ("START", "STOP", "START", "YES")],
    "asked for help": lambda app, person: [say(app, person, "HELP") for _ in range(5)],
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE.keys())
@pytest.mark.parametrize("double", ["true", "false"], ids=["double opt-in", "single opt-in"])
def test_the_words_work_whatever_was_said_before(make_app, database_url: str, before, double: str):
    app = make_app(database_url, programs=program("offers", double_opt_in=double))
    for word in SEVEN:
        person = somebody()
        before(app, person)
        say(app, person, word)
        assert is_out(app, person), word


@pytest.mark.parametrize("marker", ["START", "HELP", "start", "UNKNOWN", ""])
def test_no_verdict_of_the_provider_turns_them_around(sqlite_app: Flask, marker: str):
    for word in SEVEN:
        person = somebody()
        say(sqlite_app, person, "START", To="+15555550199")
        say(sqlite_app, person, word, To="+15555550199", OptOutType=marker)
        assert not is_allowed(sqlite_app, person, "offers"), word


_DISGUISED = {
    "stop": (
        "Stop!",
        "\uff33\uff34\uff2f\uff30",
        "st\u200bop",
        "ST\u041eP",
        "stoppp",
        "please stop",
        "STOP ALL",
    ),
    "s t o p": ("S.T.O.P.", "s-t-o-p"),
    "opt out": ("opt-out", "Opt_Out"),
    "optout": ("OptOut",),
    "end now": ("end now",),
}
# Each would turn one of the words into something else; with the word as the message must name it.
DISABLING = {
    f"{key} = {text}": (program("offers", **{key: f'["{text}"]'}), word.lower())
    for key in ("keywords.opt_in", "keywords.help", "words")
    for word, texts in [*((word, (word,)) for word in SEVEN), *_DISGUISED.items()]
    for text in texts
    if key == "keywords.opt_in" or word in SEVEN
} | {
    f"keywords.opt_in = {word} {name}": (
        program(
            "offers", name='"Acme Offers"', words='["sale"]', **{"keywords.opt_in": f'["{word} {name}"]'}
        ),
        f"{word} {name}".lower(),
    )
    for word in SEVEN
    for name in ("offers", "Acme Offers", "sale")
}


@pytest.mark.parametrize(("programs", "word"), DISABLING.values(), ids=DISABLING.keys())
def test_a_configuration_that_would_disable_one_does_not_start(make_app, tmp_path, programs: str, word: str):
    with pytest.raises(ConfigurationError) as refusal:
        make_app(sqlite_url(tmp_path), programs=programs)
    message = str(refusal.value).lower()
    assert "programs.offers" in message
    assert f'"{word}' in message


_words = st.sampled_from(EVERY_SPELLING) | st.text(min_size=1, max_size=12).filter(str.strip)
_more = st.lists(_words, max_size=3)


@settings(max_examples=200, deadline=None)
@given(opt_in=_more, helping=_more, naming=_more, name=_words)
@example(opt_in=["stop offers"], helping=["stop sms"], naming=["sms"], name="sms")
def test_whatever_words_a_program_adds_it_starts_with_all_seven_or_not_at_all(
    opt_in: list[str], helping: list[str], naming: list[str], name: str
):
    offers = ProgramSettings(
        name=name,
        purpose="marketing",
        default_choice="y",
        senders=(NUMBER,),
        contact="help@example.com",
        words=tuple(naming),
        keywords=ProgramKeywords(opt_in=tuple(opt_in), help=tuple(helping)),
    )
    try:
        book = ProgramBook({"offers": offers}, INTERPRETER)
    except ConfigurationError:
        return
    reader = book.desk(NUMBER).reader
    for context in (Context(), Context(pending_opt_in=True), Context(verdict=ReadingClass.OPT_IN)):
        for text in EVERY_SPELLING:
            assert reader.read(text, context).klass is ReadingClass.OPT_OUT, text
