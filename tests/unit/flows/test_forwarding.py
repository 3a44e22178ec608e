"""Which webhooks go on to which application, and with which headers."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.entries import KEY, NOW, entry
from support.outgoing import SECRET

from gateway.consent.address import Address, Channel, subject_of
from gateway.consent.choice import Choice
from gateway.consent.entry import Entry
from gateway.flows.forwarding import Forwarding, is_acted_on, relayed
from gateway.providers.account import AccountSettings
from gateway.providers.base import DeliveryStatus, InboundMessage, Received, Unreadable, WebhookRequest
from gateway.store.forwards import Forward

SENDER, SHOP = "+15550199000", "+15550199001"
PERSON = Address(Channel.SMS, "+15550100001")
ACCOUNT: dict[str, Any] = {"provider": "twilio", "forward_secret": SECRET}
TO = {"forward_to": "https://app.example.com/sms"}


def forwarding(**settings: Any) -> Forwarding:
    return Forwarding("acme", AccountSettings(**ACCOUNT, **settings), KEY, SimpleNamespace())  # type: ignore[arg-type]  # not used here


def webhook(body: bytes = b"Body=STOP", **fields: Any) -> WebhookRequest:
    return WebhookRequest(
        **{"method": "POST", "url": "https://sms.example.com/sms/acme", "headers": {}, "body": body} | fields,
        received_at=NOW,
    )


def message(message_id: str = "SM1", sender: str = SENDER) -> InboundMessage:
    return InboundMessage(message_id, PERSON, PERSON.value, sender, "STOP")


def said(
    message_id: str = "SM1", klass: str = "opt_out", choice: Choice | None = Choice.NO, **fields: Any
) -> Entry:
    return entry(1, choice, message_id=message_id, klass=klass, **fields)


def routes(found: list[Forward]) -> list[str]:
    return [each.sender for each in found]


def test_an_account_without_applications_forwards_nothing():
    assert not forwarding().is_on
    assert forwarding(**TO).is_on
    assert forwarding(senders={SHOP: TO}).is_on


def test_all_takes_messages_reports_and_what_could_not_be_read():
    flow = forwarding(**TO)
    report = DeliveryStatus("SM9", PERSON, SENDER, "delivered")
    for received in (
        Received(messages=[message()]),
        Received(statuses=[report]),
        Received(statuses=[DeliveryStatus("SM9", None, SENDER, "delivered")]),
        Received(unreadable=[Unreadable("no text", b"")]),
        Received(),
    ):
        assert routes(flow.forwards(webhook(), received, [])) == [""]


@pytest.mark.parametrize(
    ("klass", "choice", "goes"),
    [
        ("opt_out", Choice.NO, False),
        ("opt_out", None, True),  # unclear: nothing was done
        ("opt_in", Choice.YES, False),
        ("opt_in", Choice.PENDING, False),
        ("opt_in_confirm", Choice.YES, False),
        ("help", None, False),
        ("other", None, True),
        ("reaction", None, True),
        ("auto_reply", None, True),
        ("wrong_number", None, True),
        ("refusal", None, True),
    ],
)
def test_other_takes_the_messages_on_which_nobody_acted(klass: str, choice: Choice | None, goes: bool):  # noqa: FBT001 - a column of the table
    flow = forwarding(forward="other", **TO)
    found = flow.forwards(webhook(), Received(messages=[message()]), [said(klass=klass, choice=choice)])
    assert bool(found) is goes


def test_other_takes_no_reports_and_takes_what_could_not_be_read():
    flow = forwarding(forward="other", **TO)
    report = DeliveryStatus("SM9", PERSON, SENDER, "delivered")
    assert flow.forwards(webhook(), Received(statuses=[report]), []) == []
    assert flow.forwards(webhook(), Received(), []) == []
    unreadable = Received(messages=[message()], unreadable=[Unreadable("no text", b"")])
    assert len(flow.forwards(webhook(), unreadable, [said()])) == 1


def test_a_batch_with_one_other_message_goes_as_it_came():
    flow = forwarding(forward="other", **TO)
    received = Received(messages=[message("SM1"), message("SM2")])
    entries = [said("SM1"), said("SM2", "other", None)]
    (found,) = flow.forwards(webhook(b"both"), received, entries)
    assert found.body == b"both"
    assert [message_id for _, message_id in found.claims()] == ["SM1", "SM2"]


def test_a_message_whose_meaning_depends_on_earlier_ones_is_left_to_the_worker():
    confirming = said(klass="opt_in_confirm", choice=Choice.YES)
    assert not is_acted_on(said(klass="opt_in", choice=Choice.PENDING, when_pending=confirming))
    assert is_acted_on(said(klass="opt_in", choice=Choice.PENDING))


def test_a_part_of_a_long_message_is_not_read_alone():
    flow = forwarding(forward="other", **TO)
    assert len(flow.forwards(webhook(), Received(messages=[message()]), [])) == 1


def test_each_application_gets_what_is_for_its_sender():
    received = Received(messages=[message("SM1", SENDER), message("SM2", SHOP), message("SM3", SHOP)])
    both = forwarding(**TO, senders={SHOP: {"forward_to": "https://shop.example.com/"}})
    found = both.forwards(webhook(), received, [])
    assert routes(found) == ["", SHOP]
    assert [[claim for _, claim in each.claims()] for each in found] == [["SM1"], ["SM2", "SM3"]]
    assert found[0].id != found[1].id
    shop_only = forwarding(senders={SHOP: {"forward_to": "https://shop.example.com/"}})
    assert routes(shop_only.forwards(webhook(), received, [])) == [SHOP]
    assert shop_only.forwards(webhook(), Received(), []) == []


def test_a_message_is_known_again_however_its_request_looks():
    flow = forwarding(**TO)
    received = Received(messages=[message()])
    (first,) = flow.forwards(webhook(b'{"attempt":1}'), received, [])
    (again,) = flow.forwards(webhook(b'{"attempt":2}', url="https://sms.example.com/fallback"), received, [])
    assert (first.subject, first.id) == (again.subject, again.id)
    (other,) = flow.forwards(webhook(), Received(messages=[message("SM2")]), [])
    assert other.id != first.id


@pytest.mark.parametrize(
    "change", [{"body": b"MessageStatus=sent"}, {"url": "https://sms.example.com/other"}, {"method": "GET"}]
)
def test_a_request_without_a_message_is_known_by_what_is_in_it(change: dict[str, Any]):
    flow = forwarding(**TO)
    received = Received(statuses=[DeliveryStatus("SM9", PERSON, SENDER, "delivered")])
    (first,) = flow.forwards(webhook(), received, [])
    (again,) = flow.forwards(webhook(), received, [])
    (changed,) = flow.forwards(webhook(**change), received, [])
    assert first.id == again.id != changed.id
    assert first.subject == subject_of(PERSON, KEY)


def test_accounts_are_kept_apart():
    settings = AccountSettings(**ACCOUNT, **TO)
    found = [
        Forwarding(name, settings, KEY, SimpleNamespace()).forwards(webhook(), Received(), [])[0].id  # type: ignore[arg-type]  # not used
        for name in ("acme", "other")
    ]
    assert found[0] != found[1]


def test_the_headers_of_the_provider_are_relayed_and_those_of_the_connection_are_not():
    given = {
        "host": "sms.example.com",
        "content-length": "9",
        "connection": "close, X-Hop",
        "x-hop": "1",
        "keep-alive": "5",
        "transfer-encoding": "chunked",
        "te": "trailers",
        "upgrade": "h2c",
        "expect": "100-continue",
        "accept-encoding": "gzip",
        "cookie": "a=b",
        "proxy-authorization": "Basic eDp5",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-host": "evil.example",
        "forwarded": "for=1",
        "consent-gateway-reading": "forged",
        "content-type": "application/json",
        "user-agent": "TwilioProxy/1.1",
        "x-twilio-signature": "abc=",
        "i-twilio-idempotency-token": "t",
    }
    assert dict(relayed(given)) == {
        "content-type": "application/json",
        "user-agent": "TwilioProxy/1.1",
        "x-twilio-signature": "abc=",
        "i-twilio-idempotency-token": "t",
    }


def test_a_password_stays_and_a_signed_token_goes_on():
    assert relayed({"authorization": "Basic eDp5"}) == []
    assert relayed({"authorization": "Bearer eyJ.x.y"}) == [("authorization", "Bearer eyJ.x.y")]


def test_a_signature_that_has_the_names_of_ours_is_kept_beside_it():
    given = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    assert dict(relayed(given)) == {f"x-original-{name}": value for name, value in given.items()}


@given(st.dictionaries(st.text("abcdefgh-", min_size=1, max_size=20), st.text(max_size=3000), max_size=30))
def test_what_is_relayed_is_bounded_and_nothing_is_made_up(headers: dict[str, str]):
    found = relayed(headers)
    assert sum(len(name) + len(value) for name, value in found) <= 16_384
    assert all(headers[name] == value for name, value in found)
