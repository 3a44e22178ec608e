"""Who answers a keyword."""

import pytest

from gateway.consent.address import Address, Channel
from gateway.providers.account import AccountSettings
from gateway.providers.base import InboundMessage, ProviderReplies
from gateway.providers.provider_replies import SenderReplies, answered, is_toll_free, whole_word

WORDS = frozenset({"STOP", "HELP"})


def message(text, sender="+15555550199", *, replied=False):
    return InboundMessage("m", None, "x", sender, text, provider_replied=replied)


def test_a_sender_may_differ_from_its_account():
    settings = AccountSettings(
        provider="twilio",
        provider_replies="none",
        senders={"15555550199": {"provider_replies": "auto"}, "54321": {}},
    )
    replies = SenderReplies(settings)
    assert replies.of("+15555550199") is ProviderReplies.AUTO
    assert replies.of("54321") is ProviderReplies.NONE


@pytest.mark.parametrize("replies", list(ProviderReplies))
def test_a_marked_message_is_answered(replies):
    assert answered(message("x", replied=True), replies)


@pytest.mark.parametrize("replies", list(ProviderReplies))
def test_the_toll_free_network_answers_its_three_words(replies):
    assert answered(message(" unstop\n", "+18885550199"), replies)
    assert not answered(message("HELP", "+18885550199"), replies)
    assert not answered(message("STOP", "+15555550199"), replies)


def test_the_toll_free_network_does_not_answer_on_whatsapp():
    person = Address(Channel.WHATSAPP, "+15555550100")
    message = InboundMessage("m", person, "x", "+18885550199", "STOP")
    assert not answered(message, ProviderReplies.AUTO)


def test_the_providers_words_are_answered_under_auto_alone():
    assert answered(message("help"), ProviderReplies.AUTO, WORDS)
    assert not answered(message("help me"), ProviderReplies.AUTO, WORDS)
    assert not answered(message("help"), ProviderReplies.MARKER, WORDS)
    assert not answered(message("help"), ProviderReplies.NONE, WORDS)


def test_letters_that_turn_into_others_are_no_keyword():
    assert whole_word("\u017ftop") == ""
    assert whole_word("\tstop\r\n") == "STOP"


def test_toll_free_numbers_are_north_american():
    assert is_toll_free("+18005550199")
    assert not is_toll_free("+448005550199")
    assert not is_toll_free("+12025550199")
