"""Who answers a keyword, case by case."""

import pytest

from gateway.keywords.reading import ReadingClass
from gateway.providers.base import InboundMessage
from gateway.providers.twilio import Twilio, TwilioSettings

LONG, TOLL_FREE, SHORT = "+15555550199", "+18885550199", "54321"
OUT, IN = ReadingClass.OPT_OUT, ReadingClass.OPT_IN
TWILIO_WORDS = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"]
TWILIO_WORDS += ["START", "YES", "UNSTOP", "HELP", "INFO"]


def replies(text, *, sender=LONG, setting="auto", marked=False, prefix="", klass=OUT, senders=None):
    settings = TwilioSettings(
        provider="twilio",
        account_sid="ACtest",
        auth_tokens=["t"],
        provider_replies=setting,
        senders=senders or {},
    )
    message = InboundMessage("SM1", None, f"{prefix}+15555550100", sender, text, provider_replied=marked)
    return Twilio(settings).replies_by_itself(message, klass)


@pytest.mark.parametrize("setting", ["auto", "marker", "none"])
@pytest.mark.parametrize("sender", [LONG, TOLL_FREE, SHORT])
@pytest.mark.parametrize("text", ["ARRET", "STOP", "anything"])
def test_a_marked_message_is_answered_always(setting, sender, text):
    assert replies(text, sender=sender, setting=setting, marked=True)
    assert replies(text, sender=sender, setting=setting, marked=True, prefix="whatsapp:")


@pytest.mark.parametrize("sender", [LONG, TOLL_FREE])
@pytest.mark.parametrize("word", TWILIO_WORDS)
def test_twilio_answers_its_own_words_as_the_whole_message(sender, word):
    for text in (word, word.lower(), word.title(), f" {word}\r\n"):
        assert replies(text, sender=sender)


@pytest.mark.parametrize("sender", [LONG, TOLL_FREE])
@pytest.mark.parametrize(
    "text",
    [
        "Stop.",
        "stop please",
        "STOP ALL",
        "opt out",
        "UNSUB",
        "arret",
        "remove",
        "\u017ftop",
        "\ufb06op",
        "STOP\u200b",
        "SUBSCRIBE",
        "",
    ],
)
def test_words_that_twilio_does_not_know_are_ours(sender, text):
    assert not replies(text, sender=sender)


@pytest.mark.parametrize("word", TWILIO_WORDS)
def test_an_unmarked_short_code_is_ours(word):
    assert not replies(word, sender=SHORT)
    assert not replies(word, sender="123456")


@pytest.mark.parametrize("word", TWILIO_WORDS)
def test_unmarked_whatsapp_is_ours(word):
    assert not replies(word, prefix="whatsapp:")
    assert not replies(word, prefix="whatsapp:", sender=TOLL_FREE)


@pytest.mark.parametrize(
    ("text", "theirs"), [("STOP", True), ("quit", True), ("HELP", False), ("START", False)]
)
def test_an_rcs_opt_out_is_twilios_and_the_rest_ours(text, theirs):
    assert replies(text, prefix="rcs:", sender="ACME_AGENT") is theirs
    assert not replies(text, prefix="rcs:", sender="ACME_AGENT", setting="marker")


@pytest.mark.parametrize("setting", ["marker", "none"])
@pytest.mark.parametrize("word", TWILIO_WORDS)
def test_without_default_handling_an_unmarked_word_is_ours(setting, word):
    assert not replies(word, setting=setting)


@pytest.mark.parametrize("setting", ["auto", "marker", "none"])
@pytest.mark.parametrize("area", ["800", "833", "844", "855", "866", "877", "888"])
@pytest.mark.parametrize(("text", "klass"), [("STOP", OUT), ("start", IN), (" Unstop\n", IN)])
def test_the_toll_free_network_answers_whatever_the_setting(setting, area, text, klass):
    assert replies(text, sender=f"+1{area}5550199", setting=setting, klass=klass)


@pytest.mark.parametrize("text", ["HELP", "INFO", "CANCEL", "YES", "Stop."])
def test_the_toll_free_network_knows_three_words_only(text):
    assert not replies(text, sender=TOLL_FREE, setting="none")


@pytest.mark.parametrize("sender", ["+18225550199", "+448005550199", "+188855501990", "+1888555019"])
def test_other_numbers_are_not_toll_free(sender):
    assert not replies("STOP", sender=sender, setting="none")


@pytest.mark.parametrize("klass", list(ReadingClass))
def test_our_reading_does_not_change_what_twilio_does(klass):
    assert replies("YES", klass=klass)
    assert not replies("no more", klass=klass)


@pytest.mark.parametrize("key", [LONG, "15555550199", " 15555550199 "])
def test_a_sender_overrides_its_account(key):
    assert not replies("STOP", senders={key: {"provider_replies": "none"}})
    assert replies("STOP", setting="none", senders={key: {"provider_replies": "auto"}})
    assert replies("STOP", setting="auto", senders={key: {}})
    assert replies("STOP", senders={"+15555550198": {"provider_replies": "none"}})
