"""Settings, messages and delivery reports of a Twilio account, from wire forms."""

from hashlib import sha256
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, NotAuthenticError, NotForUsError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Web
from gateway.providers import registry
from gateway.providers.base import WebhookRequest
from gateway.providers.twilio import Twilio, TwilioSettings

URL = "https://sms.example.com/sms/acme"
TOKEN = "test_auth_token_of_twilio_0000001"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
SMS = (
    b"ToCountry=US&ToState=&SmsMessageSid=SM1&NumMedia=0&ToCity=&FromZip=&SmsSid=SM1&FromState=&SmsStatus=received"
    b"&FromCity=&Body=STOP&FromCountry=US&To=%2B15555550199&ToZip=&NumSegments=1&MessageSid=SM1&AccountSid=ACother"
    b"&From=%2B15555550100&ApiVersion=2010-04-01"
)
WHATSAPP = (
    b"SmsMessageSid=SM2&NumMedia=0&ProfileName=Ann&MessageType=button&SmsSid=SM2&WaId=15555550100&SmsStatus=received"
    b"&Body=&ButtonText=Stop+promotions&ButtonPayload=stop-promo&To=whatsapp%3A%2B15555550199&MessageSid=SM2"
    b"&AccountSid=ACtest&From=whatsapp%3A%2B15555550100&ApiVersion=2010-04-01"
)
REPORT = (
    b"ErrorCode=21610&ApiVersion=2010-04-01&MessageStatus=undelivered&RawDlrDoneDate=2401010101&SmsSid=SM3"
    b"&SmsStatus=undelivered&To=%2B15555550100&From=%2B15555550199&MessageSid=SM3&AccountSid=ACtest"
)


def settings(**values):
    return TwilioSettings(**{"provider": "twilio", "account_sid": "ACtest", "auth_tokens": [TOKEN], **values})


def request(body, *, url=URL, content_type=FORM):
    values = parse_qsl(body.decode(), keep_blank_values=True) if content_type == FORM else []
    signature = RequestValidator(TOKEN).compute_signature(url, MultiDict(values))
    return WebhookRequest("POST", url, {"content-type": content_type, "x-twilio-signature": signature}, body)


def received(body):
    [message] = Twilio(settings()).receive(request(body)).messages
    return message


def changed(**fields):
    values = dict(parse_qsl(SMS.decode(), keep_blank_values=True)) | fields
    return MultiDict({name: value for name, value in values.items() if value is not None})


def form(**fields):
    return urlencode(list(changed(**fields).items(multi=True))).encode()


# Messages


def test_a_text_message_is_read():
    message = received(SMS)
    assert message.message_id == "SM1"
    assert message.address == Address(Channel.SMS, "+15555550100")
    assert message.origin == "+15555550100"
    assert message.sender == "+15555550199"
    assert message.text == "STOP"
    assert message.said_at is None
    assert message.verdict is None
    assert not message.provider_replied
    assert message.media == 0
    assert message.service is None


def test_receive_is_verify_then_parse():
    provider, genuine = Twilio(settings()), request(SMS)
    provider.verify(genuine)
    assert provider.parse(genuine) == provider.receive(genuine)
    forged = WebhookRequest("POST", URL, dict(genuine.headers), genuine.body + b"&x=")
    for call in (provider.verify, provider.receive):
        with pytest.raises(NotAuthenticError):
            call(forged)


def test_invalid_utf8_is_refused_as_unauthentic():
    provider = Twilio(settings())
    broken = WebhookRequest("POST", URL, dict(request(SMS).headers), b"Body=%FF%FE&From=%2B15555550100")
    for call in (provider.verify, provider.receive, provider.parse):
        with pytest.raises(NotAuthenticError):
            call(broken)


def test_a_get_is_read_from_its_url():
    url = f"{URL}?{SMS.decode()}"
    signature = RequestValidator(TOKEN).compute_signature(url, {})
    [message] = (
        Twilio(settings())
        .receive(WebhookRequest("GET", url, {"x-twilio-signature": signature}, b""))
        .messages
    )
    assert message == received(SMS)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("STOP", ReadingClass.OPT_OUT),
        ("START", ReadingClass.OPT_IN),
        ("HELP", ReadingClass.HELP),
        ("NEW", None),
        ("stop", ReadingClass.OPT_OUT),
    ],
)
def test_the_opt_out_type_is_the_providers_verdict_and_its_reply(kind, verdict):
    message = received(form(OptOutType=kind, Body="ARRET", MessagingServiceSid="MG1"))
    assert message.verdict is verdict
    assert message.provider_replied
    assert message.service == "MG1"


def test_an_empty_opt_out_type_is_none():
    message = received(form(OptOutType=""))
    assert message.verdict is None
    assert not message.provider_replied


@pytest.mark.parametrize("text", ["STOP \r\n", " stop", "", "a&b=c+d 100% \"x\" 'y'", "Stöp 🛑", "U1RPUA=="])
def test_the_text_is_kept_raw(text):
    assert received(form(Body=text)).text == text


def test_a_picture_without_text_is_a_message():
    message = received(form(Body=None, NumMedia="2"))
    assert message.text == ""
    assert message.media == 2


@pytest.mark.parametrize("number", ["", "-1", "x", "²", "9" * 5000])
def test_an_odd_count_of_media_is_no_fault(number):
    assert received(form(NumMedia=number)).media == 0


def test_nul_never_reaches_the_store():
    message = received(
        form(Body="ST\0OP", From="+1555\0", To="\0", MessageSid="SM\0", MessagingServiceSid="MG\0")
    )
    assert message.text == "ST\ufffdOP"
    assert "\0" not in "".join((message.origin, message.sender, message.message_id, message.service or ""))


@given(
    st.dictionaries(
        st.sampled_from(["Body", "From", "To", "OptOutType", "SmsStatus", "MessageSid"]),
        st.text(st.characters(exclude_categories=["Cs"])),
    )
)
def test_any_signed_form_is_read_or_refused_without_a_crash(fields):
    try:
        message = received(form(**fields))
    except (CallerError, NotForUsError):
        return
    kept = (message.text, message.origin, message.sender, message.message_id)
    assert "\0" not in "".join(kept)


@pytest.mark.parametrize("name", ["SmsMessageSid", "SmsSid"])
def test_older_names_of_the_message_id_count(name):
    fields = {"MessageSid": None, "SmsMessageSid": None, "SmsSid": None, name: "SM9"}
    assert received(form(**fields)).message_id == "SM9"


@pytest.mark.parametrize(
    "missing", [{"From": None}, {"To": ""}, {"MessageSid": "", "SmsMessageSid": None, "SmsSid": None}]
)
def test_a_message_without_id_or_ends_is_malformed(missing):
    with pytest.raises(CallerError):
        received(form(**missing))


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("+15555550100", Address(Channel.SMS, "+15555550100")),
        ("rcs:+15555550100", Address(Channel.SMS, "+15555550100")),
        ("whatsapp:+15555550100", Address(Channel.WHATSAPP, "+15555550100")),
        ("whatsapp:US.1234", Address(Channel.WHATSAPP, "US.1234")),
        (" 15555550100", Address(Channel.SMS, "+15555550100")),  # a plus that someone forgot to encode
        ("12345", None),
        ("729725", None),
        ("MTN", None),
        ("+1800FLOWERS", None),
        ("whatsapp:", None),
        ("messenger:15555550100", None),
        ("client:alice", None),
        ("rcs:brand_agent", None),
        ("+266696687", Address(Channel.SMS, "+266696687")),  # "anonymous" spelt on a keypad; still a number
    ],
)
def test_only_a_persons_number_is_an_address(origin, address):
    message = received(form(From=origin))
    assert message.address == address
    assert message.origin == origin


@pytest.mark.parametrize(
    ("recipient", "sender"),
    [
        ("+15555550199", "+15555550199"),
        ("54321", "54321"),
        ("whatsapp:+15555550199", "+15555550199"),
        ("rcs:acme_agent", "ACME_AGENT"),
        ("messenger:15555550199", "MESSENGER:15555550199"),
    ],
)
def test_the_sender_is_in_normal_form_without_prefix(recipient, sender):
    assert received(form(To=recipient)).sender == sender


def test_a_whatsapp_button_speaks_where_the_body_is_empty():
    message = received(WHATSAPP)
    assert message.text == "Stop promotions"
    assert message.address == Address(Channel.WHATSAPP, "+15555550100")
    assert received(WHATSAPP.replace(b"ButtonText=Stop+promotions", b"ButtonText=")).text == "stop-promo"
    assert received(WHATSAPP.replace(b"Body=", b"Body=hi")).text == "hi"


def test_a_whatsapp_user_id_stands_in_for_a_missing_number():
    message = received(
        WHATSAPP.replace(b"From=whatsapp%3A%2B15555550100", b"ExternalUserId=whatsapp%3AUS.1234")
    )
    assert message.address == Address(Channel.WHATSAPP, "US.1234")


def test_the_account_of_a_message_may_be_a_subaccount():
    assert b"AccountSid=ACother" in SMS
    assert received(SMS).message_id == "SM1"


def test_a_genuine_json_event_is_not_for_us():
    body = b'[{"type":"com.twilio.messaging.inbound-message.received"}]'
    url = f"{URL}?bodySHA256={sha256(body).hexdigest()}"
    provider, event = Twilio(settings()), request(body, url=url, content_type="application/json")
    provider.verify(event)
    for call in (provider.receive, provider.parse, provider.parse_status):
        with pytest.raises(NotForUsError):
            call(event)


def test_an_empty_request_is_malformed():
    with pytest.raises(CallerError):
        Twilio(settings()).receive(request(b"", content_type=""))


@pytest.mark.parametrize("status", ["sent", "delivered", "undelivered", "failed", "read", "Delivered"])
def test_a_delivery_report_is_never_taken_for_a_message(status):
    with pytest.raises(NotForUsError):
        received(form(MessageStatus=status, SmsStatus=status))


@pytest.mark.parametrize("status", [None, "", "receiving", "received", "unheard-of"])
def test_an_unknown_status_does_not_lose_a_message(status):
    assert received(form(SmsStatus=status)).text == "STOP"


# Delivery reports


def test_a_report_names_the_person_at_its_to():
    provider, report = Twilio(settings()), request(REPORT)
    provider.verify(report)
    [status] = provider.parse_status(report).statuses
    assert status.message_id == "SM3"
    assert status.address == Address(Channel.SMS, "+15555550100")
    assert status.sender == "+15555550199"
    assert status.status == "undelivered"
    assert status.error_code == "21610"
    assert status.opted_out


@pytest.mark.parametrize("code", [b"ErrorCode=30003", b"ErrorCode=", b"ErrorCod=21610"])
def test_only_error_21610_is_an_opt_out(code):
    [status] = Twilio(settings()).parse_status(request(REPORT.replace(b"ErrorCode=21610", code))).statuses
    assert not status.opted_out
    assert status.error_code == (code.partition(b"ErrorCode=")[2].decode() or None)


def test_a_whatsapp_report_is_read():
    body = b"MessageStatus=read&To=whatsapp%3A%2B15555550100&From=whatsapp%3A%2B15555550199&MessageSid=SM4"
    [status] = Twilio(settings()).parse_status(request(body)).statuses
    assert status.address == Address(Channel.WHATSAPP, "+15555550100")
    assert status.sender == "+15555550199"


@pytest.mark.parametrize("body", [SMS, b"MessageSid=SM1&To=%2B15555550100", b"MessageStatus=sent", b""])
def test_what_is_no_report_is_never_acknowledged_as_one(body):
    with pytest.raises(CallerError):
        Twilio(settings()).parse_status(request(body))


# Answers


def test_an_answer_is_twiml():
    answer = Twilio(settings()).answer(["You are out & done."])
    assert answer.status == 200
    assert answer.content_type == "text/xml; charset=utf-8"
    assert b"<Message>You are out &amp; done.</Message>" in answer.body


def test_silence_is_an_empty_response():
    answer = Twilio(settings()).answer([])
    assert (answer.status, answer.body) == (200, b'<?xml version="1.0" encoding="UTF-8"?><Response/>')


# Settings


def test_the_registry_builds_it():
    model = registry.settings_of("twilio")
    assert isinstance(
        registry.build(model(provider="twilio", account_sid="ACtest", auth_tokens="x"), Web()), Twilio
    )


def test_one_token_may_be_written_without_a_list():
    assert [token.get_secret_value() for token in settings(auth_tokens=TOKEN).auth_tokens] == [TOKEN]


@pytest.mark.parametrize(
    "values",
    [
        {"auth_tokens": []},
        {"auth_tokens": ""},
        {"auth_tokens": [TOKEN, ""]},
        {"auth_tokens": [" "]},
        {"auth_tokens": [], "shared_keys": {}},
        {"shared_keys": {"k": {"secret": ""}}},
        {"shared_keys": {"k": {"secret": "s", "algorithm": "HMAC_MD5"}}},
        {"api_key_sid": "SK1"},
        {"api_key_secret": "s"},
        {"account_sid": "SK123"},
        {"account_sid": ""},
        {"status_callback": "sms.example.com"},
        {"auth_token": TOKEN},
    ],
)
def test_settings_that_could_not_verify_or_send_are_refused(values):
    with pytest.raises(ValidationError):
        settings(**values)


def test_shared_keys_alone_are_enough():
    only = settings(auth_tokens=[], shared_keys={"k": {"secret": "s"}})
    assert only.shared_keys["k"].algorithm == "HMAC_SHA256"


def test_every_setting_has_a_help_text():
    assert all(field.description for field in TwilioSettings.model_fields.values())


SECRETS = {"auth_tokens": ["secret-1"], "shared_keys": {"k": {"secret": "secret-2"}}, "api_key_sid": "SK1"}


def test_no_secret_shows_in_settings_or_provider():
    full = settings(**SECRETS, api_key_secret="secret-3")
    shown = (
        repr(full),
        str(full),
        f"{full!s}",
        full.model_dump_json(),
        repr(Twilio(full)),
        str(vars(Twilio(full))),
    )
    assert "secret-" not in "".join(shown)


@pytest.mark.parametrize(
    "values",
    [
        SECRETS,  # api_key_secret is missing
        {"auth_tokens": ["secret-1", ""]},
        {"auth_tokens": {"main": "secret-1"}},
        {"auth_tokens": 5, "api_key_secret": ["secret-3"]},
        {"shared_keys": {"k": {"secret": "secret-2", "algorithm": "secret-alg"}}},
        {"shared_keys": {"k": "secret-2"}},
    ],
)
def test_no_secret_shows_in_a_fault_of_the_settings(values):
    with pytest.raises(ValidationError) as caught:
        settings(**values)
    assert "secret-" not in str(caught.value)
    assert "secret-" not in repr(caught.value)
