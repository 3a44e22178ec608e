"""The accounts that the page on adding a provider shows, against what those providers send and take."""

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
import responses

from gateway.configuration.loading import load
from gateway.consent.address import Address, Channel
from gateway.errors import NotAuthenticError
from gateway.net.outgoing import Web
from gateway.providers.base import OutboundMessage, SendOutcome, WebhookRequest
from gateway.providers.registry import build

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "add-a-provider.md"
ENVIRON = {
    "GATEWAY_KEYS_MASTER": "m" * 32,
    "ACME_WEBHOOK_SECRET": "s",
    "AT_URL_SECRET": "at-secret",
    "AT_API_KEY": "at-key",
    "AT_USERNAME": "acme",
    "CLICKSEND_URL_SECRET": "cs-secret",
    "CLICKSEND_USERNAME": "acme",
    "CLICKSEND_API_KEY": "cs-key",
}
FORM = {"content-type": "application/x-www-form-urlencoded"}
AT_NUMBER, CLICKSEND_NUMBER = "+254700000100", "+61400000100"


@pytest.fixture
def accounts(tmp_path):
    """The accounts of the page, with a mapping for the one that shows its signature alone."""
    blocks = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    first = "[accounts.acme.message]\nmessage_id = ['id']\nperson = 'from'\ntext = 'text'\n"
    path = tmp_path / "gateway.toml"
    path.write_text("\n".join([*blocks, first]), encoding="utf-8")
    assert len(tomllib.loads(path.read_text())["accounts"]) == len(blocks)
    settings = load(path, ENVIRON)
    return {name: build(account, Web()) for name, account in settings.accounts.items()}


def form(path, fields, key):
    url = f"https://consent.example.com/sms/{path}?key={key}"
    return WebhookRequest("POST", url, FORM, urlencode(fields).encode(), 1_800_000_000_000_000)


AT_MESSAGE = {
    "linkId": "SampleLinkId123",
    "text": "Stop please",
    "to": "28901",
    "id": "28a92cdf-2d63-4ee3-93df-4233d3de0356",
    "date": "2018-01-01 10:45:45",
    "from": AT_NUMBER,
}


def test_africas_talking_messages_are_read(accounts):
    provider = accounts["acme-at"]
    [message] = provider.receive(form("acme-at", AT_MESSAGE, "at-secret")).messages
    assert message.message_id == AT_MESSAGE["id"]
    assert (message.origin, message.sender, message.text) == (AT_NUMBER, "28901", "Stop please")
    assert message.said_at == 1_514_803_545_000_000
    with pytest.raises(NotAuthenticError):
        provider.receive(form("acme-at", AT_MESSAGE, "another"))


def test_africas_talking_reports_tell_who_is_blacklisted(accounts):
    report = {"id": "ATXid_1", "status": "Failed", "phoneNumber": AT_NUMBER, "networkCode": "63902"}
    provider = accounts["acme-at"]
    for reason, out in (("UserInBlackList", True), ("UserIsInactive", False)):
        request = form("acme-at/status", {**report, "failureReason": reason}, "at-secret")
        [status] = provider.parse_status(request).statuses
        assert (status.opted_out, status.message_id) == (out, "ATXid_1")
        assert status.address == Address(Channel.SMS, AT_NUMBER)


def test_africas_talking_notices_of_opt_outs_are_opt_outs(accounts):
    notice = {"senderId": "ACME", "phoneNumber": AT_NUMBER}
    request = form("acme-at-optouts/status", notice, "at-secret")
    [status] = accounts["acme-at-optouts"].parse_status(request).statuses
    assert (status.opted_out, status.sender) == (True, "ACME")


def at_answer(code, status):
    recipient = {"statusCode": code, "number": AT_NUMBER, "status": status, "messageId": "ATXid_2"}
    return {"SMSMessageData": {"Message": "Sent to 1/1", "Recipients": [recipient]}}


@responses.activate
@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        (101, "Success", SendOutcome.SENT),
        (406, "UserInBlacklist", SendOutcome.OPTED_OUT),
        (403, "InvalidPhoneNumber", SendOutcome.REFUSED),
    ],
)
def test_replies_go_out_by_africas_talking(accounts, code, status, outcome):
    responses.post(
        "https://api.africastalking.com/version1/messaging", json=at_answer(code, status), status=201
    )
    message = OutboundMessage(Address(Channel.SMS, AT_NUMBER), "28901", "You are out & quiet.")
    assert accounts["acme-at"].send(message).outcome is outcome
    [call] = responses.calls
    assert call.request.headers["apiKey"] == "at-key"
    assert dict(
        parse_qsl(call.request.body if isinstance(call.request.body, str) else call.request.body.decode())
    ) == {
        "username": "acme",
        "to": AT_NUMBER,
        "from": "28901",
        "message": "You are out & quiet.",
    }


CLICKSEND_MESSAGE = {
    "timestamp": "1800000000",
    "from": CLICKSEND_NUMBER,
    "body": "STOP",
    "original_body": "Sale!",
    "original_message_id": "1",
    "to": "+61400000199",
    "custom_string": "",
    "user_id": "1",
    "subaccount_id": "1",
    "message_id": "A6F1B2C3",
    "message": "STOP",
    "sms": CLICKSEND_NUMBER,
}


def test_clicksend_messages_are_read(accounts):
    request = form("acme-clicksend", CLICKSEND_MESSAGE, "cs-secret")
    [message] = accounts["acme-clicksend"].receive(request).messages
    assert (message.message_id, message.text) == ("A6F1B2C3", "STOP")
    assert (message.origin, message.sender) == (CLICKSEND_NUMBER, "+61400000199")
    assert message.said_at == 1_800_000_000_000_000


@responses.activate
@pytest.mark.parametrize(
    ("status", "outcome"),
    [("SUCCESS", SendOutcome.SENT), ("INVALID_RECIPIENT", SendOutcome.REFUSED)],
)
def test_replies_go_out_by_clicksend(accounts, status, outcome):
    answer = {"response_code": "SUCCESS", "data": {"messages": [{"status": status, "message_id": "B1"}]}}
    responses.post("https://rest.clicksend.com/v3/sms/send", json=answer)
    message = OutboundMessage(
        Address(Channel.SMS, CLICKSEND_NUMBER), "+61400000199", 'a "b"', reference="r-1"
    )
    assert accounts["acme-clicksend"].send(message).outcome is outcome
    [call] = responses.calls
    [sent] = json.loads(call.request.body)["messages"]
    assert (sent["to"], sent["body"], sent["custom_string"]) == (CLICKSEND_NUMBER, 'a "b"', "r-1")
    assert call.request.headers["Authorization"].startswith("Basic ")
