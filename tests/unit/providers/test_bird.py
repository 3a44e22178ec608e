"""A Bird account of any generation: who answers, settings, rehearsals, robustness."""

import json
import time
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from standardwebhooks import Webhook
from support.bird_requests import (
    DATA,
    FORM,
    GENERATIONS,
    JSON,
    NOTIFICATION,
    NOW,
    SECRET,
    URL,
    form,
    legacy,
    provider,
)

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Web
from gateway.providers import registry
from gateway.providers.base import Rehearsal, WebhookRequest
from gateway.providers.bird import Bird, BirdSettings, rehearsal_account

# Who answers


@pytest.mark.parametrize(
    ("sender", "text", "replies", "silent"),
    [
        ("+15555550199", "STOP", "auto", True),
        ("+15555550199", " stop ", "auto", True),
        ("+15555550199", "ARRET", "auto", True),
        ("+15555550199", "help", "auto", True),
        ("+15555550199", "yes", "auto", True),
        ("54321", "YES", "auto", False),
        ("+18885550199", "YES", "auto", False),
        ("54321", "REVERT", "auto", True),
        ("+15555550199", "stop please", "auto", False),
        ("+15555550199", "STOP", "none", False),
        ("+15555550199", "STOP", "marker", False),
        ("+18885550199", "STOP", "none", True),
    ],
)
@pytest.mark.parametrize("api", GENERATIONS)
def test_bird_answers_its_keywords(api, sender, text, replies, silent):
    message = legacy(recipient=sender, body=text)
    assert provider(api, provider_replies=replies).replies_by_itself(message, ReadingClass.OPT_OUT) is silent


def test_one_sender_may_be_set_apart():
    one = provider("legacy", senders={"54321": {"provider_replies": "none"}})
    assert not one.replies_by_itself(legacy(recipient="54321"), ReadingClass.OPT_OUT)
    assert one.replies_by_itself(legacy(), ReadingClass.OPT_OUT)


@pytest.mark.parametrize("api", GENERATIONS)
def test_the_acknowledgement_is_ok(api):
    answer = provider(api).answer(["a reply"])
    assert (answer.status, answer.content_type, answer.body) == (200, "text/plain; charset=utf-8", b"OK")
    assert not provider(api).takes_inline
    assert provider(api).refuse(form(FORM)).status == 403


# Settings


@pytest.mark.parametrize(
    "values",
    [
        {"api": None},
        {"api": "newest"},
        {"signing_keys": []},
        {"signing_keys": ""},
        {"signing_keys": ["whsec_MfKQ", " "]},
        {"api": "sms", "signing_keys": "whsec_"},
        {"api": "sms", "signing_keys": "no base64!"},
        {"access_key": ""},
        {"access_key": "with blank"},
        {"api": "notifications", "access_key": "k"},
        {"api": "sms", "access_key": "k"},
        {"region": "us1.evil.test/"},
        {"workspace_id": "../x"},
        {"tolerance_seconds": 0},
        {"leeway_seconds": 61},
    ],
)
def test_a_wrong_setting_is_refused_without_showing_it(values):
    settings = {"provider": "bird", "api": "legacy", "signing_keys": SECRET, **values}
    with pytest.raises(ValidationError) as caught:
        BirdSettings.model_validate({name: value for name, value in settings.items() if value is not None})
    assert SECRET not in str(caught.value)


def test_the_region_is_in_the_key_unless_it_is_set():
    values = {"provider": "bird", "api": "sms", "signing_keys": SECRET, "access_key": "bk_eu1_abc"}
    assert BirdSettings.model_validate(values).host_region == "eu1"
    assert BirdSettings.model_validate(values | {"region": "us1"}).host_region == "us1"


def test_the_registry_knows_bird():
    settings, key = rehearsal_account()
    built = registry.build(registry.settings_of("bird").model_validate(settings), Web())
    assert isinstance(built, Bird)
    assert key is None
    assert rehearsal_account()[0]["signing_keys"] != settings["signing_keys"]


# Rehearsal and robustness


def rehearsed(api, *, keys=SECRET, **values):
    defaults = {
        "url": f"{URL}?x=%2F",
        "origin": "+15555550100",
        "sender": "+15555550199",
        "text": "STOP",
        "message_id": "r1",
        "at": NOW,
    }
    return provider(api, signing_keys=keys).rehearse(Rehearsal(**(defaults | values)))


@pytest.mark.parametrize("api", GENERATIONS)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    later=st.integers(0, 10**15),
)
def test_what_is_rehearsed_is_received(api, text, later):
    [message] = provider(api).receive(rehearsed(api, text=text, at=NOW + later)).messages
    assert (message.text, message.message_id) == (text, "r1")
    assert message.address == Address(Channel.SMS, "+15555550100")
    assert message.sender == "+15555550199"


def test_the_official_library_takes_our_event():
    request = rehearsed("sms", at=int(time.time()) * 1_000_000)
    assert Webhook(SECRET).verify(request.body, dict(request.headers))["type"] == "sms.received"


def test_either_of_two_secrets_may_sign():
    other = "whsec_YW5vdGhlciBzZWNyZXQ="
    one = provider("sms", signing_keys=[other, SECRET])
    for secret in (SECRET, other):
        one.verify(rehearsed("sms", keys=secret))


@pytest.mark.parametrize("api", GENERATIONS)
def test_another_key_proves_nothing(api):
    other = provider(api, signing_keys="whsec_YW5vdGhlciBzZWNyZXQ=")
    with pytest.raises(NotAuthenticError):
        other.receive(rehearsed(api))


@pytest.mark.parametrize("api", GENERATIONS)
@pytest.mark.parametrize("other", GENERATIONS)
def test_no_generation_takes_the_signature_of_another(api, other):
    if api != other:
        with pytest.raises(NotAuthenticError):
            provider(api).receive(rehearsed(other))


@pytest.mark.parametrize("api", GENERATIONS)
@given(
    st.binary(),
    st.dictionaries(st.sampled_from(["content-type", "webhook-id", "webhook-timestamp"]), st.text()),
)
def test_no_unsigned_request_raises_anything_but_a_refusal(api, body, headers):
    for call in (provider(api).verify, provider(api).receive):
        with pytest.raises(NotAuthenticError):
            call(WebhookRequest("POST", URL, headers, body, NOW))


@pytest.mark.parametrize("api", GENERATIONS)
@given(
    st.binary()
    | st.dictionaries(st.sampled_from([*FORM, "status"]), JSON).map(
        lambda value: json.dumps(FORM | value).encode()
    )
    | st.dictionaries(st.sampled_from(sorted(NOTIFICATION)), JSON).map(
        lambda value: json.dumps(
            {"service": "channels", "event": "sms.inbound", "payload": NOTIFICATION | value}
        ).encode()
    )
    | st.dictionaries(st.sampled_from(sorted(DATA)), JSON).map(
        lambda value: json.dumps(
            {"type": "sms.received", "timestamp": value.get("x"), "data": DATA | value}
        ).encode()
    )
)
def test_no_signed_body_raises_anything_but_our_errors(api, body):
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        try:
            received = provider(api).parse(
                WebhookRequest("POST", URL, {"content-type": content_type}, body, NOW)
            )
        except CallerError:
            continue
        for message in received.messages:
            assert "\0" not in message.text
            message.text.encode()
            message.origin.encode()


@given(st.text())
def test_any_text_survives_a_form(text):
    stored = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    body = "&".join(f"{name}={quote(value)}" for name, value in (FORM | {"body": stored}).items()).encode()
    request = WebhookRequest("POST", URL, {"content-type": "application/x-www-form-urlencoded"}, body, NOW)
    assert dict(parse_qsl(body.decode(), keep_blank_values=True))["body"] == stored
    assert provider("legacy").parse(request).messages[0].text == stored
