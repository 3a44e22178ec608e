"""What a send and the lists come to, with the forms of Sinch's documentation."""

import base64
import json

import pytest
import responses

from gateway.consent.address import Address, Channel
from gateway.net.outgoing import Web
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.opt_outs import ListEntry, ListUnavailableError, PushOutcome, PushResult
from gateway.providers.sinch import Sinch, SinchSettings

PERSON = Address(Channel.SMS, "+15555550100")
BATCHES = "https://eu.sms.api.sinch.com/xms/v1/plan/batches"
TOKEN = "https://auth.sinch.com/oauth2/token"
SEND = "https://eu.conversation.api.sinch.com/v1/projects/p/messages:send"
LIST = "https://eu.conversation.api.sinch.com/v1/projects/p/apps/a/consents/OPT_OUT_ALL"
MARKETING = LIST.replace("ALL", "MARKETING")
INSERT = "https://eu.conversationbatch.api.sinch.com/v1/projects/p/consents"


@pytest.fixture
def api():
    with responses.RequestsMock() as mock:
        yield mock


def sinch(**values):
    return Sinch(SinchSettings(**{"provider": "sinch", "url_secrets": "s", "region": "eu", **values}), Web())


def sms():
    return sinch(service_plan_id="plan", api_token="token-1")


def conversation():
    keys = {"project_id": "p", "app_id": "a", "key_id": "k", "key_secret": "secret"}
    return sinch(api="conversation", **keys)


def message(text="Bye.", *, address=PERSON, sender="+15555550199"):
    return OutboundMessage(address, sender, text, reference="ref-1")


def sent(call):
    return json.loads(call.request.body)


def test_an_sms_is_sent_with_our_reference(api):
    api.post(BATCHES, json={"id": "01B", "type": "mt_text"}, status=201)
    assert sms().send(message("Ende ß")) == SendResult(SendOutcome.SENT, message_id="01B")
    assert sent(api.calls[0]) == {
        "from": "15555550199",
        "to": ["15555550100"],
        "body": "Ende ß",
        "type": "mt_text",
        "client_reference": "ref-1",
    }
    assert api.calls[0].request.headers["Authorization"] == "Bearer token-1"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, SendOutcome.REFUSED),
        (403, SendOutcome.REFUSED),
        (429, SendOutcome.BUSY),
        (500, SendOutcome.UNKNOWN),
    ],
)
def test_the_status_tells_the_outcome(api, status, outcome):
    api.post(BATCHES, json={"code": "syntax_invalid_parameter_format", "text": "no"}, status=status)
    expected = SendResult(outcome, error_code="syntax_invalid_parameter_format")
    assert sms().send(message()) == expected


def test_what_cannot_be_sent_is_refused_without_a_call(api):
    assert sinch().send(message()).error_code == "no_credentials"
    assert sinch(api="conversation").send(message()).error_code == "no_credentials"
    whatsapp = Address(Channel.WHATSAPP, "+15555550100")
    assert sms().send(message(address=whatsapp)).outcome is SendOutcome.REFUSED
    assert not api.calls


def test_an_app_sends_with_a_token_that_is_kept(api):
    api.post(TOKEN, json={"access_token": "t1", "expires_in": 3599})
    api.post(SEND, json={"message_id": "01M", "accepted_time": "2026-01-01T00:00:00Z"})
    provider = conversation()
    for _ in range(2):
        assert provider.send(message()) == SendResult(SendOutcome.SENT, message_id="01M")
    token, first, second = api.calls
    assert token.request.body == b"grant_type=client_credentials"
    credentials = base64.b64encode(b"k:secret").decode()
    assert token.request.headers["Authorization"] == f"Basic {credentials}"
    assert first.request.headers["Authorization"] == "Bearer t1"
    assert sent(first) == sent(second)
    assert sent(first) == {
        "app_id": "a",
        "recipient": {
            "identified_by": {"channel_identities": [{"channel": "SMS", "identity": "15555550100"}]}
        },
        "message": {"text_message": {"text": "Bye."}},
        "channel_priority_order": ["SMS"],
        "channel_properties": {"SMS_SENDER": "15555550199"},
        "correlation_id": "ref-1",
    }


@pytest.mark.parametrize("sender", ["01APP", "ACME_AGENT"])
def test_what_is_no_number_is_no_sender_of_an_sms(api, sender):
    api.post(TOKEN, json={"access_token": "t1"})
    api.post(SEND, json={"message_id": "01M"})
    conversation().send(message(sender=sender))
    assert "channel_properties" not in sent(api.calls[1])


def test_whatsapp_is_its_own_channel(api):
    api.post(TOKEN, json={"access_token": "t1"})
    api.post(SEND, json={"message_id": "01M"})
    conversation().send(message(address=Address(Channel.WHATSAPP, "+15555550100")))
    assert sent(api.calls[1])["channel_priority_order"] == ["WHATSAPP"]
    assert "channel_properties" not in sent(api.calls[1])


def test_a_token_that_has_run_out_is_renewed_once(api):
    api.post(TOKEN, json={"access_token": "t1"})
    api.post(TOKEN, json={"access_token": "t2"})
    api.post(SEND, json={"message_id": "01M"})
    api.post(SEND, json={"error": {"code": 401}}, status=401)
    api.post(SEND, json={"message_id": "02M"})
    provider = conversation()
    provider.send(message())
    assert provider.send(message()) == SendResult(SendOutcome.SENT, message_id="02M")
    assert api.calls[-1].request.headers["Authorization"] == "Bearer t2"


@pytest.mark.parametrize(
    ("status", "outcome"), [(401, SendOutcome.REFUSED), (503, SendOutcome.BUSY), (200, SendOutcome.BUSY)]
)
def test_without_a_token_nothing_is_sent(api, status, outcome):
    api.post(TOKEN, body="no", status=status)
    assert conversation().send(message()).outcome is outcome
    assert len(api.calls) == 1


def test_an_error_of_the_app_is_told(api):
    api.post(TOKEN, json={"access_token": "t1"})
    api.post(SEND, json={"error": {"code": 400, "status": "INVALID_ARGUMENT"}}, status=400)
    assert conversation().send(message()) == SendResult(SendOutcome.REFUSED, error_code="INVALID_ARGUMENT")


# Lists


def test_the_sms_api_keeps_no_list():
    assert sms().opt_outs is None
    assert sinch(api="conversation").opt_outs is None


def test_both_lists_are_read_page_by_page(api):
    api.post(TOKEN, json={"access_token": "t1"})
    api.get(
        LIST, json={"identities": [{"identity": "15555550100"}, {"identity": "MTN"}], "next_page_token": "n"}
    )
    api.get(LIST, json={"identities": [], "next_page_token": ""})
    api.get(MARKETING, json={"error": {"message": "ListType for ... does not exist"}}, status=404)
    opt_outs = conversation().opt_outs
    first = opt_outs.pull(None)
    assert first.entries == [ListEntry(PERSON, "", opted_out=True)]
    second = opt_outs.pull(first.following)
    third = opt_outs.pull(second.following)
    assert (second.entries, third.entries, third.following) == ([], (), None)
    assert api.calls[2].request.params == {"page_size": "50", "page_token": "n"}


def test_a_list_that_does_not_exist_yet_is_empty_and_the_next_is_read(api):
    api.post(TOKEN, json={"access_token": "t1"})
    api.get(LIST, json={"error": {"message": "ListType for ... does not exist"}}, status=404)
    api.get(MARKETING, json={"identities": [{"identity": "15555550100"}]})
    opt_outs = conversation().opt_outs
    empty = opt_outs.pull(None)
    assert empty.entries == ()
    assert opt_outs.pull(empty.following).entries == [ListEntry(PERSON, "", opted_out=True)]


@pytest.mark.parametrize(
    ("status", "body"), [(404, "{}"), (500, "{}"), (200, "no"), (200, "[]"), (403, "{}")]
)
def test_a_list_that_cannot_be_read_is_unavailable(api, status, body):
    api.post(TOKEN, json={"access_token": "t1"})
    api.get(LIST, body=body, status=status)
    with pytest.raises(ListUnavailableError):
        conversation().opt_outs.pull(None)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, PushResult(PushOutcome.DONE)),
        (403, PushResult(PushOutcome.REFUSED, "403")),
        (500, PushResult(PushOutcome.LATER, "500")),
        (429, PushResult(PushOutcome.LATER, "429")),
    ],
)
def test_opt_outs_are_added_and_never_removed(api, status, result):
    api.post(TOKEN, json={"access_token": "t1"})
    api.post(INSERT, json={"batch_id": "b"}, status=status)
    entries = [ListEntry(PERSON, "", opted_out=True), ListEntry(PERSON, "", opted_out=False)]
    added, removed = conversation().opt_outs.push(entries)
    assert (added, removed) == (result, PushResult(PushOutcome.REFUSED, "not_removable"))
    record = {"identification": "15555550100", "consent_type": "OPT_OUT_ALL"}
    assert sent(api.calls[1]) == {"app_id": "a", "consent_records": [record]}


def test_nothing_to_add_makes_no_call(api):
    results = conversation().opt_outs.push([ListEntry(PERSON, "", opted_out=False)])
    assert [result.outcome for result in results] == [PushOutcome.REFUSED]
    assert not api.calls
