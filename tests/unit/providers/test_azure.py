"""Event Grid deliveries beyond the recorded ones: proof, handshakes, what is read, set aside and answered."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, GatewayError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Web
from gateway.providers.azure import Azure, rehearsal_account
from gateway.providers.azure_settings import AzureSettings
from gateway.providers.base import CannotRehearseError, Received, Rehearsal, WebhookRequest
from gateway.providers.payload import clean

URL = "https://consent.example.com/sms/acme-azure"
SECRET_URL = f"{URL}?code=s3cret"
TENANT = "11111111-2222-3333-4444-555555555555"
PERSON = Address(Channel.SMS, "+15555550100")
ENTRA = {"tenant_id": TENANT, "audiences": "api://gateway"}


def settings(**values):
    return AzureSettings.model_validate({"provider": "azure", **values})


def azure(**values):
    return Azure(settings(**({"url_secrets": "s3cret"} | values)), Web())


def posted(events, *, url=SECRET_URL, headers=None):
    return WebhookRequest("POST", url, headers or {}, json.dumps(events).encode())


def event(kind="Microsoft.Communication.SMSReceived", **data):
    usual = {"messageId": "m1", "from": "15555550100", "to": "15555550199", "message": "STOP"}
    return {"id": "e1", "eventType": kind, "eventTime": "2026-01-01T00:00:00Z", "data": {**usual, **data}}


def message(**data):
    [found] = azure().receive(posted([event(**data)])).messages
    return found


def rehearsal(text="STOP"):
    return Rehearsal(URL, "+15555550100", "+15555550199", text, "m1", 0)


# -- proof -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", [URL, f"{URL}?code=", f"{URL}?code=wrong", f"{URL}?CODE=s3cret", f"{URL}#code=s3cret"]
)
def test_a_missing_or_wrong_url_secret_is_refused(url):
    with pytest.raises(NotAuthenticError):
        azure().receive(posted([event()], url=url))


def test_every_configured_proof_is_needed_and_each_may_be_changing():
    provider = azure(header_secrets=["new", "old"], secret_header="X-Proof")
    for secret in ("new", "old"):
        provider.verify(posted([], headers={"x-proof": secret}))
    for headers in ({}, {"x-proof": ""}, {"x-proof": "ne"}, {"x-proof": "é"}, {"x-proof": "\ud800"}):
        with pytest.raises(NotAuthenticError):
            provider.verify(posted([], headers=headers))
    with pytest.raises(NotAuthenticError):
        provider.verify(posted([], url=URL, headers={"x-proof": "new"}))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
def test_other_methods_are_refused(method):
    with pytest.raises(NotAuthenticError):
        azure().verify(WebhookRequest(method, SECRET_URL, {}, b""))


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({}, "give url_secrets"),
        ({"url_secrets": []}, "give url_secrets"),
        ({"url_secrets": ["s3cret", " "]}, "empty"),
        ({"header_secrets": ""}, "empty"),
        ({"tenant_id": TENANT}, "go together"),
        ({"url_secrets": "s", "audiences": "x"}, "go together"),
        ({"tenant_id": TENANT, "audiences": [""]}, "go together"),
        ({"tenant_id": "common", "audiences": "x"}, "tenant_id"),
        ({**ENTRA, "url_secrets": [""]}, "empty"),
        ({**ENTRA, "authority": "https://evil.example.com"}, "authority"),
        ({"url_secrets": "s", "endpoint": "https://a.communication.azure.com"}, "go together"),
        ({"url_secrets": "s", "endpoint": "http://a.example.com", "access_key": "AAAA"}, "endpoint"),
        ({"url_secrets": "s", "endpoint": "https://a.example.com", "access_key": "not base64"}, "base64"),
        ({"url_secrets": "s", "opt_out_api": True}, "opt_out_api needs"),
    ],
)
def test_wrong_settings_say_the_remedy(values, remedy):
    with pytest.raises(ValidationError, match=remedy):
        settings(**values)


def test_a_token_alone_is_proof_enough():
    assert settings(**ENTRA).audiences == ["api://gateway"]


# -- handshakes ------------------------------------------------------------------------------------------


def options(origin, url=SECRET_URL):
    return WebhookRequest("OPTIONS", url, {"webhook-request-origin": origin}, b"")


def test_cloudevents_are_permitted_to_who_knows_the_secret():
    answer = azure().handshake(options("eventgrid.azure.net"))
    assert (answer.status, answer.body) == (200, b"")
    assert dict(answer.headers) == {
        "WebHook-Allowed-Origin": "eventgrid.azure.net",
        "WebHook-Allowed-Rate": "*",
        "Allow": "POST, OPTIONS",
    }
    assert azure().handshake(options("eventgrid.azure.net", URL)) is None


def test_a_handshake_need_not_carry_the_header_where_the_url_has_a_secret():
    request = options("eventgrid.azure.net")
    assert azure(header_secrets="h").handshake(request) is not None
    assert azure(url_secrets=[], header_secrets="h").handshake(request) is None


def test_a_handshake_is_no_delivery():
    with pytest.raises(NotAuthenticError):
        azure().verify(options("eventgrid.azure.net"))


@pytest.mark.parametrize("origin", ["", "a\r\nSet-Cookie: b", "é", "a b", "x" * 300])
def test_an_odd_origin_is_not_permitted(origin):
    assert azure().handshake(options(origin)) is None


def test_the_validation_code_is_given_back_and_its_url_is_left_alone():
    data = {"validationCode": '5"1', "validationUrl": "http://169.254.169.254/"}
    handshake = {"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": data}
    received = azure().receive(posted([handshake]))
    assert received.answer.content_type == "application/json"
    assert json.loads(received.answer.body) == {"validationResponse": '5"1'}
    assert not received.messages


def test_a_handshake_without_its_code_is_the_callers_error():
    with pytest.raises(CallerError):
        azure().receive(posted([{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent"}]))


# -- reading ---------------------------------------------------------------------------------------------


def test_a_bad_element_is_set_aside_and_the_rest_counts():
    received = azure().receive(
        posted([event(**{"from": None}), event(messageId="m2"), 7, event(message=["x"])])
    )
    assert [found.message_id for found in received.messages] == ["m2"]
    assert len(received.unreadable) == 3


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_the_callers_error(body):
    with pytest.raises(CallerError):
        azure().receive(WebhookRequest("POST", SECRET_URL, {}, body))


def test_cloudevents_come_alone_or_in_batches():
    cloud = {
        "specversion": "1.0",
        "id": "e1",
        "type": "Microsoft.Communication.SMSReceived",
        "data": event()["data"],
    }
    assert len(azure().receive(posted(cloud)).messages) == 1
    assert len(azure().receive(posted([cloud, cloud])).messages) == 2


def test_events_of_other_kinds_hold_nothing_for_us():
    other = event("Microsoft.EventGrid.SubscriptionDeletedEvent")
    assert azure().receive(posted([other])) == Received([], [], [])


def test_without_a_message_id_the_event_tells():
    assert message(messageId=None).message_id == "e1"


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2020-09-18T00:27:45.3212345Z", 1_600_388_865_321_234),
        ("never", 1_767_225_600_000_000),
        (None, 1_767_225_600_000_000),
    ],
)
def test_the_time_is_the_messages_else_the_events(written, at):
    assert message(receivedTimestamp=written).said_at == at


@pytest.mark.parametrize(
    ("details", "opted_out", "code"),
    [
        ("Sender blocked for given recipient.", True, "sender_blocked"),
        ("No error.", False, "No error."),
        (None, False, None),
    ],
)
def test_a_report_tells_of_a_block(details, opted_out, code):
    report = event(
        "Microsoft.Communication.SMSDeliveryReportReceived",
        **{"from": "15555550199", "to": "+15555550100"},
        deliveryStatus="Failed",
        deliveryStatusDetails=details,
    )
    [status] = azure().receive(posted([report])).statuses
    assert (status.address, status.sender) == (PERSON, "+15555550199")
    assert (status.status, status.opted_out, status.error_code) == ("failed", opted_out, code)


def test_a_delivered_message_has_no_error():
    report = event(
        "Microsoft.Communication.SMSDeliveryReportReceived",
        deliveryStatus="Delivered",
        deliveryStatusDetails="No error.",
    )
    [status] = azure().receive(posted([report])).statuses
    assert (status.error_code, status.opted_out) == (None, False)


@pytest.mark.parametrize(
    ("sender", "text", "replies", "silent"),
    [
        ("54321", "HELP", "auto", True),
        ("54321", "stop ", "auto", True),
        ("54321", "STOP", "none", False),
        ("54321", "QUIT", "auto", False),
        ("18885550100", "STOP", "none", True),
        ("18885550100", "HELP", "auto", False),
        ("15555550199", "STOP", "auto", False),
    ],
)
def test_who_answers_a_keyword(sender, text, replies, silent):
    found = message(to=sender, message=text)
    assert azure(provider_replies=replies).replies_by_itself(found, ReadingClass.HELP) is silent


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values | st.builds(event, st.just("Microsoft.Communication.SMSReceived"), message=json_values))
def test_any_delivery_is_read_or_refused(value):
    with suppress(GatewayError):
        azure().receive(posted(value))


@given(st.binary())
def test_any_body_is_read_or_refused(body):
    with suppress(GatewayError):
        azure().receive(WebhookRequest("POST", SECRET_URL, {}, body))


# -- rehearsing ------------------------------------------------------------------------------------------


@given(st.text())
def test_a_rehearsed_message_comes_back_as_it_was(text):
    provider = azure(header_secrets="h")
    [found] = provider.receive(provider.rehearse(rehearsal(text))).messages
    assert (found.text, found.address, found.sender) == (clean(text), PERSON, "+15555550199")


def test_the_made_up_account_verifies_its_own_rehearsal_and_no_other():
    values, key = rehearsal_account()
    provider = Azure(AzureSettings.model_validate(values), Web())
    assert key is None
    assert provider.receive(provider.rehearse(rehearsal())).messages
    with pytest.raises(NotAuthenticError):
        azure().receive(provider.rehearse(rehearsal()))


def test_a_token_cannot_be_rehearsed():
    with pytest.raises(CannotRehearseError):
        azure(**ENTRA).rehearse(rehearsal())


def test_the_acknowledgement_is_an_empty_200():
    answer = azure().answer(("ignored",))
    assert (answer.status, answer.body, azure().takes_inline) == (200, b"", False)
