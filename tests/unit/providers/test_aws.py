"""AWS by wire form: messages, keywords, delivery events, settings, rehearsals."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.sns_requests import NOW, SMS, TOPIC, URL, Sns, account, certificate, envelope, provider, request

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.providers import registry
from gateway.providers.aws import Aws, AwsSettings, rehearsal_account
from gateway.providers.base import CannotRehearseError, Received, Rehearsal


def received(message=SMS, **settings):
    [one] = provider(**settings).receive(request(envelope(message))).messages
    return one


# Messages


def test_a_text_message_is_read():
    message = received()
    assert message.message_id == "b2"
    assert message.address == Address(Channel.SMS, "+15555550100")
    assert message.origin == "+15555550100"
    assert message.sender == "+15555550199"
    assert message.text == "hello"
    assert message.said_at == NOW
    assert message.verdict is None
    assert not message.provider_replied


def test_receive_is_verify_then_parse():
    one, genuine = provider(), request(envelope())
    one.verify(genuine)
    assert one.parse(genuine) == one.receive(genuine) == one.parse_status(genuine)


def test_a_message_without_an_id_of_its_own_has_that_of_sns_which_stays_over_retries():
    assert (
        received({name: value for name, value in SMS.items() if name != "inboundMessageId"}).message_id
        == "m1"
    )


@pytest.mark.parametrize("origin", ["54321", "MTN", "+1555"])
def test_a_short_code_or_a_name_is_no_person(origin):
    message = received(SMS | {"originationNumber": origin})
    assert message.address is None
    assert message.origin == origin


def test_a_short_code_of_ours_gets_no_plus():
    assert received(SMS | {"destinationNumber": "54321"}).sender == "54321"


def test_what_cannot_be_stored_is_replaced():
    assert received(SMS | {"messageBody": "a\0b\ud800c"}).text == "a\ufffdb\ufffdc"


@pytest.mark.parametrize("missing", ["originationNumber", "destinationNumber"])
@pytest.mark.parametrize("value", ["", None, 1.5, True, ["+15555550100"], {}])
def test_a_message_without_an_end_cannot_be_read(missing, value):
    with pytest.raises(CallerError):
        provider().receive(request(envelope(SMS | {missing: value})))


@pytest.mark.parametrize("message", ["hello", "[1]", "{}", '{"alarm": 1}', "[" * 100_000, "1" * 10_000, ""])
def test_another_publishers_notification_is_nothing_for_us(message):
    assert provider().receive(request(envelope(message))) == Received()


# Keywords


@pytest.mark.parametrize(
    ("keyword", "verdict"),
    [
        ("STOP", ReadingClass.OPT_OUT),
        ("stop", ReadingClass.OPT_OUT),
        ("ARRET", ReadingClass.OPT_OUT),
        ("OPT-OUT", ReadingClass.OPT_OUT),
        ("HELP", ReadingClass.HELP),
        ("START", None),
        ("JOIN", None),
    ],
)
def test_the_keyword_that_aws_matched_is_its_verdict_and_its_reply(keyword, verdict):
    message = received(SMS | {"messageKeyword": keyword, "messageBody": f"{keyword} please"})
    assert message.verdict is verdict
    assert message.provider_replied
    assert provider().replies_by_itself(message, ReadingClass.OPT_OUT)


def test_a_keyword_of_the_operators_own_opts_out_too():
    message = received(SMS | {"messageKeyword": "NOMORE"}, opt_out_keywords=["nomore"])
    assert message.verdict is ReadingClass.OPT_OUT


def test_under_self_managed_opt_outs_the_words_decide_and_we_answer():
    message = received(SMS | {"messageKeyword": "END", "messageBody": "end of May?"}, provider_replies="none")
    assert message.verdict is None
    assert not provider(provider_replies="none").replies_by_itself(message, ReadingClass.OPT_OUT)


def test_one_sender_may_manage_its_opt_outs_by_itself():
    exception = {"+15555550199": {"provider_replies": "none"}}
    message = received(SMS | {"messageKeyword": "STOP", "messageBody": "STOP"}, senders=exception)
    assert not message.provider_replied
    assert not provider(senders=exception).replies_by_itself(message, ReadingClass.OPT_OUT)


@pytest.mark.parametrize(("replies", "silent"), [("auto", True), ("marker", False)])
def test_a_bare_stop_without_a_keyword_is_answered_by_aws_under_auto(replies, silent):
    message = received(SMS | {"messageKeyword": None, "messageBody": " stop\n"})
    assert provider(provider_replies=replies).replies_by_itself(message, ReadingClass.OPT_OUT) is silent


def test_a_toll_free_number_is_answered_by_the_network_whatever_is_set():
    message = received(SMS | {"destinationNumber": "+18885550199", "messageBody": "STOP"})
    assert provider(provider_replies="none").replies_by_itself(message, ReadingClass.OPT_OUT)


# Delivery events


def event(**changes):
    return {
        "eventType": "TEXT_BLOCKED",
        "isFinal": True,
        "originationPhoneNumber": "+15555550199",
        "destinationPhoneNumber": "+15555550100",
        "messageId": "d1",
        "messageStatus": "BLOCKED",
        "messageStatusDescription": "Phone number is opted out",
        **changes,
    }


def test_a_delivery_event_tells_of_an_opt_out():
    [status] = provider().receive(request(envelope(event()))).statuses
    assert status.opted_out
    assert status.address == Address(Channel.SMS, "+15555550100")
    assert status.sender == "+15555550199"
    assert (status.message_id, status.status, status.error_code) == ("d1", "BLOCKED", "TEXT_BLOCKED")


def test_a_delivered_message_is_no_opt_out():
    delivered = event(
        eventType="TEXT_DELIVERED", messageStatus="DELIVERED", messageStatusDescription="Delivered"
    )
    [status] = provider().receive(request(envelope(delivered))).statuses
    assert not status.opted_out
    assert status.error_code is None


def test_an_event_of_a_call_is_nothing_for_us():
    assert provider().receive(request(envelope(event(eventType="VOICE_COMPLETED")))) == Received()


# Answers, settings, rehearsal


def test_the_acknowledgement_is_empty_and_carries_no_reply():
    answer = provider().answer(["hello"])
    assert (answer.status, answer.body) == (200, b"")
    assert not provider().takes_inline
    assert provider().refuse(request(b"")).status == 403
    assert provider().nonce(request(b"")) is None


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"topics": None}, "topics"),
        ({"topics": []}, "topics"),
        ({"topics": [""]}, "topics"),
        ({"topics": "*"}, "topics"),
        ({"certificates": "/nowhere.pem"}, "certificates"),
        ({"certificates": "-----BEGIN CERTIFICATE-----"}, "certificates"),
        ({"access_key_id": "AK"}, ""),
        ({"secret_access_key": "s"}, ""),
        ({"access_key_id": "AK", "secret_access_key": " "}, ""),
        ({"maximum_age_seconds": 0}, "maximum_age_seconds"),
        ({"region": "us-east-1.evil.test/"}, "region"),
    ],
)
def test_a_wrong_setting_is_refused_without_showing_it(values, place):
    with pytest.raises(ValidationError) as caught:
        AwsSettings.model_validate({"provider": "aws", "topics": TOPIC, **values})
    assert str(caught.value.errors()[0]["loc"][:1] or ("",)) == str((place,))


def test_the_region_is_that_of_the_first_topic_unless_it_is_set():
    values = {"provider": "aws", "topics": TOPIC}
    assert AwsSettings.model_validate(values).numbers_region == "us-east-1"
    assert AwsSettings.model_validate(values | {"region": "eu-west-1"}).numbers_region == "eu-west-1"


def test_the_registry_knows_aws():
    settings = registry.settings_of("aws").model_validate(account()[0])
    assert isinstance(registry.build(settings, Sns()), Aws)


def rehearsal(**values):
    defaults = {
        "url": URL,
        "origin": "+15555550100",
        "sender": "+15555550199",
        "text": "STOP",
        "message_id": "r1",
        "at": NOW,
        "signing_key": account()[1],
    }
    return Rehearsal(**(defaults | values))


def rehearsed(sns=None):
    return Aws(AwsSettings.model_validate(account()[0]), sns or Sns())


@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    second=st.integers(0, 10**9),
)
def test_what_is_rehearsed_is_received(text, second):
    at = NOW + second * 1_000_000
    one = rehearsed()
    [message] = one.receive(one.rehearse(rehearsal(text=text, at=at))).messages
    assert (message.text, message.said_at, message.message_id) == (text, at, "r1")
    assert (message.origin, message.sender) == ("+15555550100", "+15555550199")


@pytest.mark.parametrize("key", [None, "", "no key", certificate().decode()])
def test_without_a_private_key_only_aws_can_sign(key):
    with pytest.raises(CannotRehearseError):
        rehearsed().rehearse(rehearsal(signing_key=key))


def test_a_key_of_another_kind_signs_no_rehearsal():
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(CannotRehearseError):
        rehearsed().rehearse(rehearsal(signing_key=pem))


def test_made_up_accounts_have_keys_of_their_own():
    other = Aws(AwsSettings.model_validate(rehearsal_account()[0]), Sns())
    with pytest.raises(NotAuthenticError):
        other.receive(rehearsed().rehearse(rehearsal()))


# Robustness

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(SMS) + sorted(event())), JSON))
def test_no_signed_content_raises_anything_but_our_errors(changes):
    try:
        provider().receive(request(envelope(SMS | changes)))
        provider().receive(request(envelope(event() | changes)))
    except CallerError:
        pass
