"""The request that an application gets, judged by the official library of Standard Webhooks."""

import base64
import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from support.entries import NOW
from support.outgoing import OTHER_SECRET, SECRET, forward

from gateway.errors import ConfigurationError
from gateway.flows.forward_request import READING, Targets, call_of
from gateway.net.addresses import Inside
from gateway.net.outgoing import Call
from gateway.providers.account import AccountSettings
from gateway.store.forwards import Forward, RecordedEvent

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "forward-webhooks.md"
SUBJECT = b"s" * 16
EVENT = RecordedEvent(
    SUBJECT, "SM1", 3, "opt_out", "n", "@+15550199000", "+15550199000", "keyword", "keyword@1", NOW,
    '{"band":"certain","language":"en","keyword":"STOP","origin":"+15550100001"}',
)  # fmt: skip


def account(**settings: Any) -> AccountSettings:
    values = {
        "provider": "twilio",
        "forward_to": "https://app.example.com/sms?key=1",
        "forward_secret": SECRET,
    }
    return AccountSettings(**{**values, **settings})


def call(given: Forward, events: Any = (EVENT,), at: int | None = None, **settings: Any) -> Call:
    target = Targets({"acme-twilio": account(**settings)}, Inside()).of(given)
    assert target is not None
    return call_of(given, target, events, int(time.time() * 1_000_000) if at is None else at)


def document(made: Call) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(made.headers[READING]))
    return found


def test_method_body_and_headers_are_those_of_the_provider():
    body = bytes(range(256))
    made = call(
        forward(method="PUT", body=body, headers='[["content-type","x/y; a=b"],["x-twilio-signature","s="]]')
    )
    assert (made.method, made.body) == ("PUT", body)
    assert made.headers["content-type"] == "x/y; a=b"
    assert made.headers["x-twilio-signature"] == "s="


def test_the_query_is_relayed_letter_by_letter_behind_that_of_the_target():
    url = "https://sms.example.com/sms/acme-twilio?Body=a%2fb%7E+%20&&x=%C3%A9"
    assert call(forward(url=url)).url == "https://app.example.com/sms?key=1&Body=a%2fb%7E+%20&&x=%C3%A9"
    plain = call(forward(url=url), forward_to="https://app.example.com/sms")
    assert plain.url == "https://app.example.com/sms?Body=a%2fb%7E+%20&&x=%C3%A9"
    assert call(forward()).url == "https://app.example.com/sms?key=1"


def test_the_public_url_is_told_for_the_providers_own_signature():
    made = call(forward(url="https://sms.example.com:8443/base/sms/a?b=%2F"))
    told = {name: made.headers[f"x-forwarded-{name}"] for name in ("proto", "host", "uri")}
    assert told == {"proto": "https", "host": "sms.example.com:8443", "uri": "/base/sms/a?b=%2F"}


def test_the_official_library_verifies_the_document_and_it_is_bound_to_the_request():
    given = forward()
    made = call(given)
    raw = base64.urlsafe_b64decode(made.headers[READING])
    found = Webhook(SECRET).verify(raw, dict(made.headers))
    data = found["data"]
    assert (found["type"], data["account"], data["provider"]) == (
        "webhook.forwarded",
        "acme-twilio",
        "twilio",
    )
    assert data["body_sha256"] == hashlib.sha256(given.body).hexdigest()
    assert data["url_sha256"] == hashlib.sha256(given.url.encode()).hexdigest()
    (event,) = data["events"]
    assert event["event"] == f"{SUBJECT.hex()}-3"
    told = {name: event[name] for name in ("class", "choice", "scope", "rule", "band", "language", "keyword")}
    assert told == {
        "class": "opt_out",
        "choice": "n",
        "scope": "@+15550199000",
        "rule": "keyword@1",
        "band": "certain",
        "language": "en",
        "keyword": "STOP",
    }


def test_every_secret_signs_so_that_each_verifies_during_rotation():
    made = call(forward(), forward_secret=[OTHER_SECRET, SECRET])
    raw = base64.urlsafe_b64decode(made.headers[READING])
    for secret in (SECRET, OTHER_SECRET):
        assert Webhook(secret).verify(raw, dict(made.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(raw, dict(made.headers))


def test_the_id_stays_and_the_time_is_that_of_the_attempt():
    given = forward()
    first, second = call(given, at=NOW), call(given, at=NOW + 5_000_000)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == f"forward_{given.id.hex()}"
    times = [int(made.headers["webhook-timestamp"]) for made in (first, second)]
    assert times == [NOW // 1_000_000, NOW // 1_000_000 + 5]


def test_neither_number_nor_text_is_in_the_document():
    made = call(forward(body=b"Body=STOP&From=%2B15550100001"))
    assert "15550100001" not in json.dumps(document(made))


def test_the_header_is_bounded():
    events = [EVENT] * 60
    made = call(forward(), events)
    data = document(made)["data"]
    assert len(made.headers[READING]) <= 6000
    assert data["left_out"] == 60 - len(data["events"]) > 0


def test_a_sender_has_its_own_application_and_falls_back_to_that_of_the_account():
    accounts = {"acme-twilio": account(senders={"+15550199001": {"forward_to": "https://shop.example.com/"}})}
    targets = Targets(accounts, Inside())
    urls = [targets.of(forward(sender=sender)) for sender in ("+15550199001", "", "+15550199002")]
    assert [found and found.url for found in urls] == [
        "https://shop.example.com/",
        *["https://app.example.com/sms?key=1"] * 2,
    ]
    assert Targets({}, Inside()).of(forward()) is None


def test_plain_http_is_for_what_the_operator_names():
    accounts = {"acme": account(forward_to="http://app.internal/sms")}
    with pytest.raises(ConfigurationError, match=r"accounts\.acme\.forward_to: plain http"):
        Targets(accounts, Inside())
    assert Targets(accounts, Inside.of(["app.internal"]))


def test_no_secret_shows():
    target = Targets({"acme-twilio": account()}, Inside()).of(forward())
    assert "MfKQ9r8G" not in repr(target)
    assert "MfKQ9r8G" not in repr(account())


# -- the page that receivers copy from -------------------------------------------------------------------


def snippet() -> dict[str, Any]:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    return names


def headers_as_sent(made: Call) -> dict[str, str]:
    return {name.title(): value for name, value in made.headers.items()}


def test_the_receivers_snippet_accepts_what_we_send():
    made = call(forward(url="https://sms.example.com/sms/a?b=%2F"))
    found = snippet()["verified"]([SECRET], headers_as_sent(made), made.body)
    assert found["events"][0]["class"] == "opt_out"


def test_the_receivers_snippet_accepts_what_the_old_or_the_new_secret_signed():
    made = call(forward(), forward_secret=[OTHER_SECRET, SECRET])
    for secret in (SECRET, OTHER_SECRET):
        assert snippet()["verified"]([secret], headers_as_sent(made), made.body)


@pytest.mark.parametrize("change", ["body", "uri", "reading", "secret", "old"])
def test_the_receivers_snippet_refuses_what_was_altered(change: str):
    made = call(forward(), at=NOW if change == "old" else None)
    headers, body, secret = headers_as_sent(made), made.body, SECRET
    if change == "body":
        body += b"x"
    elif change == "uri":
        headers["X-Forwarded-Uri"] += "?admin=1"
    elif change == "reading":
        altered = base64.urlsafe_b64decode(headers["Consent-Gateway-Reading"]).replace(b"opt_out", b"opt_in_")
        headers["Consent-Gateway-Reading"] = base64.urlsafe_b64encode(altered).decode()
    elif change == "secret":
        secret = OTHER_SECRET
    names = snippet()
    with pytest.raises(ValueError, match=r"forward|request"):
        names["verified"]([secret], headers, body)
