"""The SNS envelope: signatures, certificates, topics, subscriptions."""

import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from support.sns_requests import (
    CERTIFICATE_URL,
    NOW,
    SMS,
    SUBSCRIBE_URL,
    Sns,
    certificate,
    envelope,
    iso,
    provider,
    request,
)

from gateway.errors import CallerError, NotAuthenticError, OurTroubleError
from gateway.net.outgoing import NothingSentError, OutcomeUnknownError
from gateway.providers.base import Received


def refused(fields, net=None, **settings):
    for call in (provider(net, **settings).verify, provider(net, **settings).receive):
        with pytest.raises(NotAuthenticError):
            call(request(fields))
    return True


# Signatures


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_of_the_signature_are_accepted(version):
    provider().verify(request(envelope(version=version)))


def test_a_signature_of_another_key_is_refused():
    assert refused(envelope(key=rsa.generate_private_key(65537, 2048)))


@pytest.mark.parametrize(
    "change",
    [
        {"Message": "{}"},
        {"MessageId": "m2"},
        {"Subject": "x"},
        {"Timestamp": iso(NOW + 60_000_000)},
        {"Type": "UnsubscribeConfirmation"},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": 2},
        {"Signature": ""},
        {"Signature": "ünïcode"},
        {"Signature": "AAAA"},
        {"Signature": None},
        {"Timestamp": "yesterday"},
        {"MessageId": "m1\nTimestamp"},
        {"MessageId": 7},
        {"Message": "\ud800"},
    ],
)
def test_a_changed_field_is_refused(change):
    assert refused(envelope() | change)


@pytest.mark.parametrize("name", ["MessageId", "Subject", "Timestamp"])
def test_lines_are_allowed_in_the_message_only_since_one_signed_string_must_be_cut_in_one_way(name):
    provider().verify(request(envelope("two\nlines")))
    assert refused(envelope(**{name: f"{iso(NOW)}\nx"}))


@pytest.mark.parametrize(
    "name", ["Message", "MessageId", "Timestamp", "TopicArn", "Type", "Signature", "SigningCertURL"]
)
def test_a_missing_field_is_refused(name):
    assert refused(envelope(drop=(name,)))


@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b"{}", b"\xff", b"[" * 100_000, b"9" * 10_000])
def test_what_is_no_envelope_is_refused(body):
    assert refused(body)


def test_a_raw_delivery_is_refused():
    assert refused(json.dumps(SMS).encode())


def test_a_topic_of_somebody_else_is_refused_before_anything_is_fetched():
    sns = Sns()
    assert refused(envelope(TopicArn="arn:aws:sns:us-east-1:111111111111:attacker"), sns)
    assert sns.called == []


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com:8443/a.pem",
        "https://sns.us-east-1.amazonaws.com/a.key",
        "https://sns.us-east-1.amazonaws.com/a.pem?x",
        "https://sns.us-east-1.amazonaws.com/a.pem#.pem",
        "https://sns.us-east-1.amazonaws.com.evil.test/a.pem",
        "https://sns.us-east-1.amazonaws.com@evil.test/a.pem",
        "https://evil.test/sns.us-east-1.amazonaws.com/a.pem",
        "https://bucket.s3.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com\n.evil.test/a.pem",
        "https://sns.us-east-1.amazonaws.com/a.pem\n",
        "",
        None,
    ],
)
def test_a_certificate_from_elsewhere_is_refused_and_never_fetched(url):
    sns = Sns()
    assert refused(envelope(SigningCertURL=url), sns)
    assert sns.called == []


def test_an_old_message_is_refused_where_an_age_is_set():
    fields = envelope(Timestamp=iso(NOW - 61_000_000))
    provider().verify(request(fields))
    assert refused(fields, maximum_age_seconds=60)


# Certificates


def test_a_certificate_is_fetched_once():
    sns = Sns()
    one = provider(sns)
    for _ in range(3):
        one.verify(request(envelope()))
    assert sns.called == [("GET", CERTIFICATE_URL)]


@pytest.mark.parametrize(
    "sns",
    [
        {"status": 404},
        {"status": 503},
        {"status": 301},
        {"error": NothingSentError("no network")},
        {"error": OutcomeUnknownError("time-out")},
    ],
)
def test_a_certificate_that_cannot_be_fetched_is_our_trouble(sns):
    with pytest.raises(OurTroubleError):
        provider(Sns(**sns)).verify(request(envelope()))


def test_a_failed_fetch_is_tried_again_after_a_while_only():
    sns = Sns(status=500)
    one = provider(sns)
    for at in (NOW, NOW + 1, NOW + 9_999_999):
        with pytest.raises(OurTroubleError):
            one.verify(request(envelope(), at=at))
    assert len(sns.called) == 1
    sns.status = 200
    one.verify(request(envelope(), at=NOW + 10_000_000))


def chained(*, broken):
    authority, other = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Amazon")])
    builder = x509.CertificateBuilder(
        name,
        name,
        authority.public_key(),
        8,
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime(2050, 1, 1, tzinfo=UTC),
    )
    root = builder.sign(authority, SHA256()).public_bytes(Encoding.PEM)
    return certificate(issuer=name, issuer_key=other if broken else authority) + root


def test_a_chain_is_taken_if_each_certificate_is_signed_by_the_next():
    provider(Sns(chained(broken=False))).verify(request(envelope()))
    assert refused(envelope(), Sns(chained(broken=True)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"text",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n" + b"A" * 70_000 + b"\n-----END CERTIFICATE-----\n",
    ],
)
def test_what_is_no_certificate_proves_nothing(body):
    assert refused(envelope(), Sns(body or b" "))


def test_text_around_a_certificate_is_refused():
    assert refused(envelope(), Sns(b"<value>" + certificate()))


@pytest.mark.parametrize(
    "names", [[], [x509.DNSName("example.com")], [x509.DNSName("sns.amazonaws.com.evil.test")]]
)
def test_a_certificate_made_out_to_somebody_else_is_refused(names):
    assert refused(envelope(), Sns(certificate(names=names)))


@pytest.mark.parametrize(("start", "end"), [(2020, 2025), (2027, 2030)])
def test_a_certificate_that_did_not_hold_when_the_message_was_signed_is_refused(start, end):
    assert refused(envelope(), Sns(certificate(start=start, end=end)))


def test_a_weak_key_is_refused_though_it_signed():
    weak = rsa.generate_private_key(65537, 1024)
    assert refused(envelope(key=weak), Sns(certificate(weak)))


def test_a_key_of_another_kind_is_refused():
    assert refused(envelope(), Sns(certificate(ec.generate_private_key(ec.SECP256R1()))))


def test_pinned_certificates_are_the_only_ones(tmp_path):
    file = tmp_path / "sns.pem"
    file.write_bytes(certificate())
    sns = Sns()
    provider(sns, certificates=[str(file)]).verify(request(envelope()))
    other = certificate(rsa.generate_private_key(65537, 2048)).decode()
    assert refused(envelope(), sns, certificates=other)
    provider(sns, certificates=[other, str(file)]).verify(request(envelope()))
    assert sns.called == []


# Subscriptions


def test_a_subscription_is_confirmed():
    sns = Sns()
    result = provider(sns).receive(
        request(envelope("You chose to subscribe.", Type="SubscriptionConfirmation"))
    )
    assert result == Received()
    assert sns.called == [("GET", CERTIFICATE_URL), ("GET", SUBSCRIBE_URL)]


def test_the_end_of_a_subscription_is_not_undone():
    sns = Sns()
    fields = envelope("You chose to unsubscribe.", Type="UnsubscribeConfirmation")
    assert provider(sns).receive(request(fields)) == Received()
    assert sns.called == [("GET", CERTIFICATE_URL)]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        SUBSCRIBE_URL.replace("https", "http"),
        SUBSCRIBE_URL.replace("ConfirmSubscription", "Unsubscribe"),
        SUBSCRIBE_URL.replace("two-way-sms", "another"),
        SUBSCRIBE_URL.replace("amazonaws.com/", "amazonaws.com:444/"),
        SUBSCRIBE_URL.replace("sns.", "user@sns."),
        SUBSCRIBE_URL.replace("sns.us-east-1", "sqs.us-east-1"),
    ],
)
def test_only_snss_own_address_is_called_to_confirm(url):
    sns = Sns()
    with pytest.raises(CallerError):
        provider(sns).receive(request(envelope("", Type="SubscriptionConfirmation", SubscribeURL=url)))
    assert ("GET", url) not in sns.called


@pytest.mark.parametrize("trouble", [{"status": 500}, {"status": 403}, {"error": NothingSentError("no")}])
def test_a_confirmation_that_fails_is_our_trouble(trouble):
    sns = Sns(**trouble)
    fields = request(envelope("", Type="SubscriptionConfirmation"))
    with pytest.raises(OurTroubleError):
        provider(sns, certificates=certificate().decode()).receive(fields)


# Robustness

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_body_is_taken_or_raises_anything_but_a_refusal(body):
    assert refused(body)


@given(st.dictionaries(st.sampled_from(sorted(envelope())), JSON))
def test_no_changed_envelope_raises_anything_but_a_refusal(changes):
    if any(value != envelope()[name] for name, value in changes.items()):
        one = provider()
        with pytest.raises((NotAuthenticError, OurTroubleError)):
            one.verify(request(envelope() | changes))
