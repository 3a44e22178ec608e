"""Sending by AWS's API and its opt-out list, on the wire; the official library is the oracle of the requests."""

import json

import botocore.session
import pytest
import requests
import responses
from botocore.awsrequest import AWSResponse
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError

from gateway.consent.address import Address, Channel
from gateway.net.outgoing import Web
from gateway.providers.aws import Aws, AwsSettings
from gateway.providers.base import OutboundMessage, SendOutcome, SendResult
from gateway.providers.opt_outs import ListEntry, ListUnavailableError, PushOutcome, PushResult

TOPIC = "arn:aws:sns:us-east-1:000000000000:two-way-sms"
API = "https://sms-voice.us-east-1.amazonaws.com/"
PERSON = Address(Channel.SMS, "+15555550100")
MESSAGE = OutboundMessage(PERSON, "+15555550199", "You are out. \N{WAVING HAND SIGN}", reference="ref-1")
OPTED_OUT = {"__type": "ConflictException", "Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT", "Message": "no"}


def provider(**values):
    key = {"access_key_id": "AKTEST", "secret_access_key": "secret"}
    settings = {"provider": "aws", "topics": TOPIC, **key, **values}
    return Aws(AwsSettings.model_validate(settings), Web())


def answered(document, status=200, url=API):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    responses.post(url, body=body, status=status)


def target(call=0):
    return responses.calls[call].request.headers["X-Amz-Target"].rpartition(".")[2]


def sent_body(call=0):
    return json.loads(responses.calls[call].request.body)


def request_of_the_official_library(operation, **parameters):
    """Return what botocore would send."""
    client = botocore.session.get_session().create_client(
        "pinpoint-sms-voice-v2",
        region_name="us-east-1",
        aws_access_key_id="AKTEST",
        aws_secret_access_key="secret",
    )
    seen = []

    def keep(request, **_):
        seen.append(request)
        return AWSResponse(request.url, 200, {}, _Body())

    client.meta.events.register("before-send", keep)
    getattr(client, operation)(**parameters)
    return seen[0]


class _Body:
    def stream(self, *_args, **_kwargs):
        yield b"{}"


@responses.activate
def test_a_reply_is_sent_as_the_official_library_sends_it():
    answered({"MessageId": "out-1"})
    assert provider().send(MESSAGE) == SendResult(SendOutcome.SENT, message_id="out-1")
    theirs = request_of_the_official_library(
        "send_text_message",
        DestinationPhoneNumber="+15555550100",
        OriginationIdentity="+15555550199",
        MessageBody=MESSAGE.text,
        MessageType="TRANSACTIONAL",
        Context={"reference": "ref-1"},
    )
    ours = responses.calls[0].request
    assert (ours.method, ours.url) == (theirs.method, theirs.url)
    assert json.loads(ours.body) == json.loads(theirs.body)
    for name in ("X-Amz-Target", "Content-Type"):
        assert ours.headers[name] == theirs.headers[name].decode()
    scope = "/us-east-1/sms-voice/aws4_request, SignedHeaders="
    assert scope in ours.headers["Authorization"]
    assert scope in theirs.headers["Authorization"].decode()


@responses.activate
def test_settings_of_sending_reach_aws():
    answered({"MessageId": "m"}, url="https://sms-voice.cn-north-1.amazonaws.com.cn/")
    one = provider(
        region="cn-north-1", message_type="PROMOTIONAL", configuration_set="cs", session_token="tok"
    )
    assert one.send(MESSAGE).outcome is SendOutcome.SENT
    assert sent_body()["MessageType"] == "PROMOTIONAL"
    assert sent_body()["ConfigurationSetName"] == "cs"
    assert responses.calls[0].request.headers["X-Amz-Security-Token"] == "tok"


@responses.activate
@pytest.mark.parametrize(
    ("status", "document", "outcome", "code"),
    [
        (400, OPTED_OUT, SendOutcome.OPTED_OUT, "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
        (
            400,
            OPTED_OUT | {"Reason": "NO_ORIGINATION_IDENTITIES_FOUND"},
            SendOutcome.REFUSED,
            "NO_ORIGINATION_IDENTITIES_FOUND",
        ),
        (400, {"__type": "com.amazonaws.sms#ThrottlingException"}, SendOutcome.BUSY, "ThrottlingException"),
        (400, {"__type": "AccessDeniedException"}, SendOutcome.REFUSED, "AccessDeniedException"),
        (429, b"", SendOutcome.BUSY, "429"),
        (500, {"__type": "InternalServerException"}, SendOutcome.UNKNOWN, "InternalServerException"),
        (503, b"<html>", SendOutcome.UNKNOWN, "503"),
        (403, b"\xff", SendOutcome.REFUSED, "403"),
    ],
)
def test_an_error_of_aws_is_an_outcome(status, document, outcome, code):
    answered(document, status)
    assert provider().send(MESSAGE) == SendResult(outcome, error_code=code)


@responses.activate
@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (requests.ConnectionError(MaxRetryError(None, API, ConnectTimeoutError())), SendOutcome.BUSY),
        (requests.ReadTimeout(), SendOutcome.UNKNOWN),
    ],
)
def test_a_failure_of_the_network_is_an_outcome(error, outcome):
    responses.post(API, body=error)
    assert provider().send(MESSAGE) == SendResult(outcome)


def test_without_an_access_key_nothing_is_sent_and_there_is_no_list():
    one = provider(access_key_id=None, secret_access_key=None)
    assert one.send(MESSAGE) == SendResult(SendOutcome.REFUSED, error_code="no_credentials")
    assert one.opt_outs is None


# The opt-out list


def entry(*, opted_out=True, address=PERSON):
    return ListEntry(address, "+15555550199", opted_out=opted_out)


@responses.activate
def test_an_opt_out_is_put_on_the_list():
    answered({})
    listed = provider(opt_out_list="Marketing").opt_outs
    assert listed.push([entry()]) == [PushResult(PushOutcome.DONE)]
    assert target() == "PutOptedOutNumber"
    assert sent_body() == {"OptOutListName": "Marketing", "OptedOutNumber": "+15555550100"}
    assert listed.batch > 0
    assert listed.can_pull


@responses.activate
def test_an_opt_in_takes_off_the_list():
    answered({})
    assert provider().opt_outs.push([entry(opted_out=False)]) == [PushResult(PushOutcome.DONE)]
    assert target() == "DeleteOptedOutNumber"
    assert sent_body()["OptOutListName"] == "Default"


@responses.activate
@pytest.mark.parametrize(
    ("status", "document", "result"),
    [
        (
            400,
            {"__type": "ResourceNotFoundException", "ResourceType": "opted-out-number"},
            PushResult(PushOutcome.DONE),
        ),
        (
            400,
            {"__type": "ResourceNotFoundException", "ResourceType": "opt-out-list"},
            PushResult(PushOutcome.REFUSED, "ResourceNotFoundException"),
        ),
        (
            400,
            {"__type": "ValidationException", "Reason": "PHONE_NUMBER_CANNOT_BE_OPTED_IN"},
            PushResult(PushOutcome.REFUSED, "PHONE_NUMBER_CANNOT_BE_OPTED_IN"),
        ),
        (400, {"__type": "ThrottlingException"}, PushResult(PushOutcome.LATER, "ThrottlingException")),
        (500, b"", PushResult(PushOutcome.LATER, "500")),
    ],
)
def test_each_entry_has_its_own_result(status, document, result):
    answered(document, status)
    answered({})
    pushed = provider().opt_outs.push([entry(opted_out=False), entry()])
    assert pushed == [result, PushResult(PushOutcome.DONE)]


@responses.activate
def test_the_network_may_fail_in_a_push():
    responses.post(API, body=requests.ReadTimeout())
    assert provider().opt_outs.push([entry()]) == [PushResult(PushOutcome.LATER)]


def test_only_numbers_go_on_the_list():
    mailbox = entry(address=Address(Channel.EMAIL, "ann@example.com"))
    assert provider().opt_outs.push([mailbox]) == [PushResult(PushOutcome.REFUSED, "not_sms")]


@responses.activate
def test_the_list_is_read_page_by_page():
    row = {"OptedOutNumber": "+15555550100", "OptedOutTimestamp": 1767225600.25, "EndUserOptedOut": True}
    odd = [
        None,
        {},
        {"OptedOutNumber": "MTN"},
        {"OptedOutNumber": "+15555550101", "OptedOutTimestamp": 1e400},
    ]
    answered({"OptOutListName": "Default", "OptedOutNumbers": [row, *odd], "NextToken": "next"})
    answered({"OptOutListName": "Default", "OptedOutNumbers": []})
    listed = provider().opt_outs
    page = listed.pull(None)
    assert page.following == "next"
    assert page.entries == [
        ListEntry(PERSON, "", opted_out=True, at=1_767_225_600_250_000),
        ListEntry(Address(Channel.SMS, "+15555550101"), "", opted_out=True),
    ]
    assert sent_body() == {"OptOutListName": "Default", "MaxResults": 100}
    assert listed.pull("next").following is None
    assert sent_body(1)["NextToken"] == "next"


@responses.activate
@pytest.mark.parametrize(("status", "document"), [(400, {"__type": "X"}), (500, b""), (200, b"x"), (200, [])])
def test_a_list_that_does_not_show_is_unavailable(status, document):
    answered(document, status)
    with pytest.raises(ListUnavailableError):
        provider().opt_outs.pull(None)
