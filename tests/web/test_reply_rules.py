"""The requirements on replies, R28 to R35, through the whole application on both engines."""

import pytest
from flask import Flask
from sqlalchemy import select, text
from support.twilio_requests import inbound
from support.web_story import BASE, choices, post, rows

from gateway.flows.replies import ReplyKey, reply_text
from gateway.flows.segments import segments
from gateway.keywords.lexicon import shipped_lexicons
from gateway.keywords.texts import TextKey
from gateway.store.tables import outbox

FIVE_MINUTES = 300_000_000
TWENTY = {"name": "A" * 20, "contact": "help@example.com", "frequency": "", "rates": ""}
FULL_DEPTH = ("en", "fr", "es", "de", "nl", "pt", "it")
CLUB = "+15555550177"


def shipped(key: TextKey) -> dict[str, str]:
    return {lexicon.language: lexicon.texts[key] for lexicon in shipped_lexicons() if key in lexicon.texts}


def test_r28_there_is_one_confirmation_however_often_stop_is_sent(app: Flask) -> None:
    assert [len(post(app, inbound(BASE, word))) for word in ("STOP", "stop", "Stop!")] == [1, 0, 0]


def test_r28_a_confirmation_that_cannot_go_out_in_five_minutes_does_not_go_out(app: Flask) -> None:
    message = inbound(BASE, "STOP", account="later")
    assert post(app, message) == []
    with app.extensions["gateway"].engine.connect() as connection:
        (item,) = connection.execute(select(outbox)).all()
    (event,) = rows(app)
    assert item.expires_at == event.received_at + FIVE_MINUTES
    assert item.sender == event.sender


@pytest.mark.parametrize("key", [TextKey.OPT_OUT, TextKey.OPT_OUT_NAMELESS, TextKey.CLARIFY])
def test_r28_no_confirmation_holds_a_link_an_offer_or_a_price(key: TextKey) -> None:
    for language, wording in shipped(key).items():
        for bait in ("http", "www", "%", "$", "\u20ac", "sale", "discount", "offer"):
            assert bait not in wording.lower(), language


def test_r29_the_confirmation_says_who_that_no_more_comes_and_how_to_return(app: Flask) -> None:
    (said,) = post(app, inbound(BASE, "STOP"))
    for part in ("Acme Offers", "no more messages", "START", "help@example.com"):
        assert part in said
    assert segments(said) == 1


@pytest.mark.parametrize("language", FULL_DEPTH)
def test_r29_every_text_fits_one_message_in_the_gsm_alphabet(language: str) -> None:
    for key in (TextKey.OPT_OUT, TextKey.OPT_IN, TextKey.HELP, TextKey.CLARIFY):
        assert segments(shipped(key)[language].format_map(TWENTY)) == 1, key


@pytest.mark.parametrize(
    ("word", "part"), [("ARRET", "pour revenir"), ("STOP", "unsubscribed"), ("BAJA", "baja")]
)
def test_r29_the_answer_is_in_the_language_of_the_keyword(
    make_app, database_url: str, word: str, part: str
) -> None:
    sender = "+15555550133"
    app = make_app(
        database_url,
        extra=f"""[programs.world]
name = "Acme"
purpose = "marketing"
default_choice = "y"
senders = ["{sender}"]
contact = "help@example.com"
languages = ["en", "fr", "es"]
""",
    )
    (said,) = post(app, inbound(BASE, word, To=sender))
    assert part in said.lower()


def test_r30_the_loop_guard_holds_replies_back_and_never_consent(app: Flask) -> None:
    answered = [len(post(app, inbound(BASE, word))) for word in ("STOP", "START", "STOP", "START", "STOP")]
    assert answered == [1, 1, 0, 0, 0]
    assert choices(app)["@+15555550199"] == "n"
    assert len(rows(app)) == 5


def test_r31_a_stop_from_somebody_unknown_or_out_already_is_recorded_without_error(app: Flask) -> None:
    assert len(post(app, inbound(BASE, "STOP", number="+15550100042"))) == 1
    assert post(app, inbound(BASE, "STOP", number="+15550100042")) == []
    assert [row.klass for row in rows(app)] == ["opt_out", "opt_out"]


def test_r32_help_is_answered_with_its_contents_also_to_those_who_are_out(app: Flask) -> None:
    post(app, inbound(BASE, "STOP"))
    (said,) = post(app, inbound(BASE, "HELP"))
    for part in ("Acme Offers", "help@example.com", "STOP", "frequency", "rates"):
        assert part in said
    assert choices(app)["@+15555550199"] == "n"


def test_r33_where_the_provider_answers_we_record_and_stay_silent(app: Flask) -> None:
    assert post(app, inbound(BASE, "STOP", account="quiet")) == []
    assert post(app, inbound(BASE, "stop it please", OptOutType="STOP", account="acme")) == []
    assert [(row.klass, row.reply) for row in rows(app)] == [("opt_out", None), ("opt_out", None)]


def test_r34_without_a_durable_record_there_is_no_reply(app: Flask) -> None:
    engine = app.extensions["gateway"].engine
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE events RENAME TO events_away"))
    message = inbound(BASE, "STOP")
    path = message.url.removeprefix(BASE)
    answer = app.test_client().post(path, base_url=BASE, data=message.fields, headers=message.headers)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE events_away RENAME TO events"))
    assert (answer.status_code, answer.data) == (503, b"")
    assert len(post(app, message)) == 1


def test_r35_an_opt_in_waits_for_its_word_and_silence_is_no_consent(app: Flask) -> None:
    (asked,) = post(app, inbound(BASE, "START", To=CLUB))
    assert "YES" in asked
    assert "y" not in choices(app).values()
    (welcome,) = post(app, inbound(BASE, "yes", To=CLUB))
    for part in ("Acme Club", "HELP", "STOP", "frequency", "rates"):
        assert part in welcome
    assert choices(app)["club"] == "y"


def test_the_texts_of_a_desk_are_those_of_its_program_where_it_has_its_own(app: Flask) -> None:
    desk = app.extensions["gateway"].book.desk("+15555550199")
    assert "Acme Offers" in (reply_text(desk, ReplyKey.CLARIFY, language="en") or "")
