"""Standard Webhooks, with the official library as the judge."""

import base64
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gateway.errors import NotAuthenticError
from gateway.providers import standard_webhooks

NOW = 1_800_000_000_000_000
KEY = b"a key of twenty-four bytes"
SECRET = "whsec" + "_" + base64.b64encode(KEY).decode()


def is_accepted(headers, body, *, keys=(KEY,), at=NOW):
    try:
        standard_webhooks.verify(headers, body, keys, received_at=at)
    except NotAuthenticError:
        return False
    return True


def accepted_by_the_library(headers, body, at):
    moment = datetime.fromtimestamp(at / 1_000_000, UTC)
    with patch("standardwebhooks.webhooks.datetime") as clock:
        clock.now.return_value = moment
        clock.fromtimestamp.side_effect = datetime.fromtimestamp
        try:
            Webhook(SECRET).verify(body, headers)
        except WebhookVerificationError:
            return False
        except ValueError:  # it reads the body as JSON at the end
            return True
    return True


texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@given(body=st.text(), message=texts, seconds=st.integers(0, 2_000_000_000))
def test_what_the_library_signs_is_accepted(body, message, seconds):
    moment = datetime.fromtimestamp(seconds, UTC)
    signature = Webhook(SECRET).sign(message, moment, body)
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,AAAA {signature}",
    }
    assert is_accepted(headers, body.encode(), at=seconds * 1_000_000)


@given(body=st.text(), message=texts, drift=st.integers(-400, 400))
def test_the_library_judges_our_signatures_alike(body, message, drift):
    headers = standard_webhooks.signed(
        KEY, message_id=message, at=NOW + drift * 1_000_000, body=body.encode()
    )
    ours = is_accepted(headers, body.encode())
    assert ours is (abs(drift) <= 300)
    assert ours is accepted_by_the_library(headers, body.encode(), NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", " ", "\u00e9", "v1,", "x" * 9000])
def test_a_missing_or_odd_header_is_refused(name, value):
    headers = standard_webhooks.signed(KEY, message_id="m", at=NOW, body=b"{}")
    headers[name] = value
    assert not is_accepted({k: v for k, v in headers.items() if v is not None}, b"{}")


def test_another_body_id_or_key_is_refused():
    headers = standard_webhooks.signed(KEY, message_id="m", at=NOW, body=b"{}")
    assert is_accepted(headers, b"{}", keys=(b"other", KEY))
    assert not is_accepted(headers, b"{} ")
    assert not is_accepted({**headers, "webhook-id": "n"}, b"{}")
    assert not is_accepted(headers, b"{}", keys=(b"other",))


@pytest.mark.parametrize("secret", ["", "whsec" + "_", "whsec" + "_not base64", "\u00e9"])
def test_a_secret_that_holds_no_key_is_refused(secret):
    with pytest.raises(ValueError, match="Standard Webhooks"):
        standard_webhooks.key_of(secret)
