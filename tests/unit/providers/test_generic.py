"""A provider described by settings: what proves a request, what is read from it, what is answered."""

import base64
import hashlib
import hmac
import json
import secrets
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, NotAuthenticError
from gateway.keywords.reading import ReadingClass
from gateway.net.outgoing import Web
from gateway.providers.base import Part, Rehearsal, WebhookRequest
from gateway.providers.generic import Generic, GenericSettings, rehearsal_account

URL = "https://sms.example.com/sms/acme"
NOW = 1_800_000_000_000_000
FIELDS = {"message_id": ["id"], "person": "from", "sender": "to", "text": "text"}
GOOD = {"id": "m1", "from": "15550100123", "to": "15550100100", "text": "STOP"}


def made(**settings):
    given_proof = {"url_secrets", "basic", "header_secrets", "hmac_secrets", "webhook_secrets"} & set(
        settings
    )
    proof = {} if given_proof else {"url_secrets": ["s3cret"]}
    message = {**FIELDS, **settings.pop("message", {})}
    document = {"provider": "generic", "message": message, **proof, **settings}
    return Generic(GenericSettings.model_validate(document), Web())


def post(document, *, url=URL + "?key=s3cret", headers=None, at=NOW):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return WebhookRequest("POST", url, headers or {}, body, at)


def fault(**settings):
    with pytest.raises(ValidationError) as caught:
        made(**settings)
    return str(caught.value)


# -- proofs ----------------------------------------------------------------------------------------------


def is_accepted(provider, request):
    try:
        provider.verify(request)
    except NotAuthenticError:
        return False
    return True


def test_a_secret_in_a_header_is_checked():
    provider = made(header_secrets=["old", "new"], secret_header="X-Token")
    assert is_accepted(provider, post(GOOD, headers={"x-token": "new"}))
    assert is_accepted(provider, post(GOOD, headers={"x-token": "old"}))
    for value in ("", "ne", "newer", "n\u00e9w"):
        assert not is_accepted(provider, post(GOOD, headers={"x-token": value}))
    assert not is_accepted(provider, post(GOOD))


def test_all_proofs_that_are_configured_are_needed():
    provider = made(header_secrets="a", basic="user:password")
    basic = {"authorization": "Basic " + base64.b64encode(b"user:password").decode()}
    assert is_accepted(provider, post(GOOD, headers={"x-api-key": "a", **basic}))
    assert not is_accepted(provider, post(GOOD, headers=basic))
    assert not is_accepted(provider, post(GOOD, headers={"x-api-key": "a"}))


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha256=", "v1 "])
def test_a_signature_over_the_body_is_checked(algorithm, encoding, prefix):
    table = {"header": "X-Sig", "prefix": prefix, "algorithm": algorithm, "encoding": encoding}
    provider = made(hmac_secrets=["old", "new"], hmac=table)
    request = post(GOOD)
    for secret, good in (("new", True), ("old", True), ("other", False)):
        digest = hmac.new(secret.encode(), request.body, algorithm).digest()
        written = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
        assert is_accepted(provider, post(GOOD, headers={"x-sig": prefix + written})) is good
    # Hex is the same in either case, base64 is not.
    assert is_accepted(provider, post(GOOD, headers={"x-sig": prefix + _swapped(provider)})) is (
        encoding == "hex"
    )


def _swapped(provider):
    signed = provider._proof._signature.headers(post(GOOD), NOW)["x-sig"]
    return signed.removeprefix(provider._settings.hmac.prefix).swapcase()


def test_the_signed_content_follows_its_template():
    provider = made(
        hmac_secrets="key",
        hmac={"signed": "v0:{timestamp}:{method}:{url}:{body}", "timestamp_header": "X-Time"},
    )
    request = post(GOOD)
    content = b"v0:1800000000:POST:" + request.url.encode() + b":" + request.body
    signature = hmac.new(b"key", content, hashlib.sha256).hexdigest()
    headers = {"x-signature": signature, "x-time": "1800000000"}
    assert is_accepted(provider, post(GOOD, headers=headers))
    assert not is_accepted(provider, post(GOOD, headers={**headers, "x-time": "1800000001"}))
    assert not is_accepted(provider, post(GOOD, url=URL, headers=headers))


@pytest.mark.parametrize("written", ["{0}", "{0}000"])
@pytest.mark.parametrize("drift", [-301, -300, 0, 300, 301])
def test_a_signed_time_must_be_near_our_clock(written, drift):
    provider = made(hmac_secrets="key", hmac={"timestamp_header": "X-Time"})
    time = written.format(1_800_000_000)
    content = time.encode() + b"." + post(GOOD).body
    headers = {"x-signature": hmac.new(b"key", content, "sha256").hexdigest(), "x-time": time}
    at = NOW + drift * 1_000_000
    assert is_accepted(provider, post(GOOD, headers=headers, at=at)) is (abs(drift) <= 300)


@pytest.mark.parametrize("time", [None, "", "soon", "-1", "1e9", "\u0661", "9" * 30])
def test_a_missing_or_odd_time_is_refused(time):
    provider = made(hmac_secrets="key", hmac={"timestamp_header": "X-Time"})
    headers = {"x-signature": "00", **({} if time is None else {"x-time": time})}
    assert not is_accepted(provider, post(GOOD, headers=headers))


@given(st.binary(), st.text(), st.text())
def test_no_request_raises_anything_but_our_errors(body, header, query):
    for provider in (
        made(hmac_secrets="key"),
        made(webhook_secrets="whsec" + "_" + base64.b64encode(b"k" * 24).decode()),
        made(basic="a:b"),
        made(body="form"),
    ):
        headers = {"x-signature": header, "authorization": header, "webhook-signature": header}
        headers |= {"webhook-id": "1", "webhook-timestamp": "1800000000"}
        request = WebhookRequest("POST", f"{URL}?{quote(query)}", headers, body, NOW)
        assert not is_accepted(provider, request)
        for read in (provider.parse, provider.parse_status):
            try:
                read(request)
            except CallerError:
                continue


def test_a_refused_request_is_challenged_where_basic_is_expected():
    assert made(basic="a:b").refuse(post(GOOD)).status == 401
    assert made().refuse(post(GOOD)).status == 403


# -- messages --------------------------------------------------------------------------------------------


def test_a_message_is_read_by_its_paths():
    provider = made(
        message={
            "message_id": ["data.id"],
            "person": "data.from.number",
            "sender": "data.to[0]",
            "text": "data.body",
            "time": "data.at",
            "time_format": "unix_ms",
            "media": "data.media[]",
            "service": "data.profile",
        }
    )
    data = {
        "id": 17,
        "from": {"number": "+15550100123"},
        "to": ["12345", "+15550100188"],
        "body": "hello\0",
        "at": 1_700_000_000_123,
        "media": [{}, {}],
        "profile": "p1",
    }
    [message] = provider.receive(post({"data": data})).messages
    assert (message.message_id, message.origin, message.sender) == ("17", "+15550100123", "12345")
    assert message.address == Address(Channel.SMS, "+15550100123")
    assert (message.text, message.media, message.service) == ("hello\ufffd", 2, "p1")
    assert message.said_at == 1_700_000_000_123_000


def test_every_message_of_a_batch_counts_and_a_bad_one_is_set_aside():
    provider = made(message={"elements": "messages[]", "sender": "$.to"})
    good, bad = {"id": 1, "from": "+15550100123", "text": "STOP"}, {"id": 2, "from": "+15550100124"}
    received = provider.receive(post({"messages": [good, bad, {**good, "id": 3}], "to": "+15550100100"}))
    assert [message.message_id for message in received.messages] == ["1", "3"]
    assert [message.sender for message in received.messages] == ["+15550100100"] * 2
    [unreadable] = received.unreadable
    assert unreadable.reason == "the text is missing"
    assert json.loads(unreadable.piece) == bad


def test_an_empty_batch_is_genuine_and_a_missing_one_is_not():
    provider = made(message={"elements": "messages[]"})
    assert provider.parse(post({"messages": []})).messages == []
    for document in ({}, {"messages": None}, {"messages": {}}, [], 1, None):
        with pytest.raises(CallerError):
            provider.parse(post(document))


@pytest.mark.parametrize("name", ["id", "from", "to", "text"])
@pytest.mark.parametrize("value", [None, 1.5, True, [], {}])
def test_what_cannot_be_understood_is_refused(name, value):
    with pytest.raises(CallerError):
        made().parse(post({**GOOD, name: value}))


def test_a_picture_needs_no_text():
    provider = made(message={"media": "media"})
    for media in (2, "2", [{}, {}]):
        [message] = provider.parse(post({**GOOD, "text": None, "media": media})).messages
        assert (message.text, message.media) == ("", 2)


@pytest.mark.parametrize(("origin", "address"), [("54321", None), ("MTN", None), ("+15550100123", True)])
def test_only_a_number_is_a_person(origin, address):
    [message] = made().parse(post({**GOOD, "from": origin})).messages
    assert (message.address is not None) is bool(address)
    assert message.origin == origin


def test_whatsapp_is_a_channel_of_its_own():
    [message] = made(channel="whatsapp").parse(post(GOOD)).messages
    assert message.address == Address(Channel.WHATSAPP, "+15550100123")


def test_several_fields_make_one_id_that_cannot_be_mistaken():
    provider = made(message={"message_id": ["a", "b"]})
    ids = {
        provider.parse(post({**GOOD, **pair})).messages[0].message_id
        for pair in ({"a": "1:2", "b": "3"}, {"a": "1", "b": "2:3"}, {"a": "1", "b": "23"})
    }
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("written", "value", "said_at"),
    [
        ("iso8601", "2027-01-15T08:00:00Z", NOW),
        ("iso8601", "2027-01-15T08:00:00+0000", NOW),
        ("iso8601", "2027-01-15 09:00:00+01:00", NOW),
        ("iso8601", "2027-01-15T08:00:00", NOW),
        ("iso8601", "soon", None),
        ("iso8601", 5, None),
        ("unix", 1_800_000_000, NOW),
        ("unix", "1800000000", NOW),
        ("unix", 1.8e9, None),
        ("unix", -5, None),
        ("unix_ms", "1800000000000", NOW),
        ("%d.%m.%Y %H:%M:%S", "15.01.2027 08:00:00", NOW),
        ("%d.%m.%Y %H:%M:%S %z", "15.01.2027 10:00:00 +0200", NOW),
        ("%d.%m.%Y", "2027", None),
        ("%d.%m.%Y", None, None),
    ],
)
def test_the_time_is_read_as_it_is_written(written, value, said_at):
    provider = made(message={"time": "time", "time_format": written})
    [message] = provider.parse(post({**GOOD, "time": value})).messages
    assert message.said_at == said_at


def test_the_parts_of_a_long_message_are_told():
    provider = made(message={"part_reference": "ref", "part_number": "n", "part_total": "of"})
    [message] = provider.parse(post({**GOOD, "ref": 77, "n": "2", "of": 3})).messages
    assert message.part == Part("77", 2, 3)
    assert provider.parse(post({**GOOD, "ref": 77, "n": 1, "of": 1})).messages[0].part is None
    assert provider.parse(post(GOOD)).messages[0].part is None
    with pytest.raises(CallerError, match="part"):
        provider.parse(post({**GOOD, "ref": 77, "n": 4, "of": 3}))


def test_a_form_is_read_in_its_character_set():
    provider = made(body="form", charset="iso-8859-1", message={"text": "msg.text"})
    fields = {"id": "1", "from": "+15550100123", "to": "12345", "msg.text": "añb"}
    body = urlencode(fields, encoding="iso-8859-1").encode()
    assert provider.receive(post(body)).messages[0].text == "añb"
    with pytest.raises(CallerError):
        made(body="form").parse(post(b"id=1&from=2&to=3&text=%ff"))


def test_a_query_is_read():
    provider = made(body="query")
    request = WebhookRequest("GET", f"{URL}?key=s3cret&{urlencode(GOOD)}", {}, b"", NOW)
    assert provider.receive(request).messages[0].text == "STOP"


def test_the_only_sender_stands_in_where_none_is_told():
    provider = made(message={"only_sender": "15550100100"})
    assert provider.parse(post({**GOOD, "to": None})).messages[0].sender == "+15550100100"


# -- who answers -----------------------------------------------------------------------------------------


MARKS = {
    "verdict": "keyword",
    "opt_out_values": ["STOP", "Arret"],
    "opt_in_values": ["START"],
    "help_values": ["HELP"],
}


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("stop", ReadingClass.OPT_OUT),
        (" ARRET ", ReadingClass.OPT_OUT),
        ("START", ReadingClass.OPT_IN),
        ("help", ReadingClass.HELP),
        ("other", None),
        (None, None),
    ],
)
def test_the_verdict_of_the_provider_is_taken_and_means_that_it_answers(value, verdict):
    for replies, answers in (("auto", True), ("marker", True), ("none", False)):
        provider = made(message=MARKS, provider_replies=replies)
        [message] = provider.parse(post({**GOOD, "text": "x", "keyword": value})).messages
        assert message.verdict is verdict
        assert provider.replies_by_itself(message, ReadingClass.OPT_OUT) is (answers and verdict is not None)


def test_words_that_the_provider_answers_are_left_to_it():
    provider = made(answered_words=["stop"], senders={"15550100100": {"provider_replies": "none"}})
    [here] = provider.parse(post(GOOD)).messages
    [elsewhere] = provider.parse(post({**GOOD, "to": "12345"})).messages
    assert not provider.replies_by_itself(here, ReadingClass.OPT_OUT)
    assert provider.replies_by_itself(elsewhere, ReadingClass.OPT_OUT)
    assert not made().replies_by_itself(elsewhere, ReadingClass.OPT_OUT)


def test_the_acknowledgement_is_the_one_of_the_settings():
    provider = made(answer={"status": 202, "content_type": "application/json", "body": '{"ok":true}'})
    answer = provider.answer(["a reply"])
    assert (answer.status, answer.content_type, answer.body) == (202, "application/json", b'{"ok":true}')
    assert not provider.takes_inline
    assert provider.opt_outs is None


# -- reports ---------------------------------------------------------------------------------------------


REPORT = {
    "person": "to",
    "sender": "from",
    "status": "status",
    "error_code": "error.code",
    "message_id": "id",
}


def test_reports_tell_who_has_opted_out():
    provider = made(status={**REPORT, "opted_out_codes": ["1042", "OptedOut"]})
    report = {"id": 5, "to": "15550100123", "from": "12345", "status": "failed", "error": {"code": 1042}}
    [status] = provider.parse_status(post(report)).statuses
    assert status.opted_out
    assert (status.message_id, status.sender, status.error_code) == ("5", "12345", "1042")
    assert status.address == Address(Channel.SMS, "+15550100123")
    for change, out in (({"status": "optedout", "error": None}, True), ({"error": {"code": 1}}, False)):
        assert provider.parse_status(post({**report, **change})).statuses[0].opted_out is out
    with pytest.raises(CallerError):
        provider.parse_status(post({**report, "status": None, "error": {}}))


def test_every_report_may_be_an_opt_out_and_counts_each_time():
    provider = made(status={"person": "phone", "opted_out_codes": ["*"]})
    one, two = (
        provider.parse_status(post({"phone": "15550100123"}, at=at)).statuses[0] for at in (NOW, NOW + 1)
    )
    assert one.opted_out
    assert two.opted_out
    assert one.message_id != two.message_id


def test_reports_without_a_mapping_are_acknowledged():
    assert made().parse_status(post({"x": 1})).statuses == ()


def test_kinds_tell_messages_from_reports_on_one_address():
    provider = made(kind="type", message_kinds=["mo"], status_kinds=["dlr"], status=REPORT)
    report = {"type": "dlr", "id": 5, "to": "15550100123", "status": "ok"}
    for read in (provider.parse, provider.parse_status):
        assert len(read(post({**GOOD, "type": "mo"})).messages) == 1
        assert len(read(post(report)).statuses) == 1
        other = read(post({"type": "balance"}))
        assert (other.messages, other.statuses, other.unreadable) == ([], [], [])
        assert not read(post(GOOD)).messages


def test_kinds_inside_batches_may_lie_in_lists_of_their_own():
    provider = made(
        kind="type",
        message_kinds=["mo"],
        status_kinds=["dlr"],
        message={"elements": "in[]"},
        status={**REPORT, "elements": "out[]"},
    )
    report = {"type": "dlr", "id": 5, "to": "15550100123", "status": "ok"}
    received = provider.parse(post({"in": [{**GOOD, "type": "mo"}, {**GOOD, "type": "x"}], "out": [report]}))
    assert (len(received.messages), len(received.statuses)) == (1, 1)
    assert len(provider.parse(post({"out": [report]})).statuses) == 1
    with pytest.raises(CallerError):
        provider.parse(post({"elsewhere": []}))


# -- settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url_secrets": []}, "no secret"),
        ({"hmac_secrets": [" "]}, "empty"),
        ({"header_secrets": [""]}, "empty"),
        ({"webhook_secrets": ["whsec" + "_?"]}, "Standard Webhooks"),
        ({"basic": ["nobody"]}, "user:password"),
        ({"hmac_secrets": "k", "hmac": {"signed": "{timestamp}"}}, "lacks {body}"),
        ({"hmac_secrets": "k", "hmac": {"signed": "{body}{nonce}"}}, "{nonce}"),
        ({"hmac_secrets": "k", "hmac": {"signed": "{timestamp}{body}"}}, "timestamp_header"),
        ({"hmac_secrets": "k", "hmac": {"signed": "{body}", "timestamp_header": "X"}}, "timestamp_header"),
        ({"hmac_secrets": "k", "hmac": {"header": "X Y"}}, "pattern"),
        ({"hmac_secrets": "k", "body": "query"}, "covers no query"),
        ({"message": {"person": "a..b"}}, "no path"),
        ({"message": {"person": "text.from"}}, "contradict"),
        ({"message": {"elements": "messages"}}, "ends in the list"),
        ({"message": {"elements": "a[]"}, "body": "form"}, "elements are for JSON"),
        ({"message": {"sender": None}}, "sender is missing"),
        ({"message": {"time_format": "rfc"}}, "time_format"),
        ({"message": {"part_total": "x"}}, "together"),
        ({"message": {"verdict": "x"}}, "no meaning"),
        ({"status": {"person": "x"}}, "status or error_code"),
        ({"status": {"status": "x"}}, "person is missing"),
        ({"kind": "x"}, "message_kinds"),
        ({"kind": "x", "message_kinds": ["a"], "status_kinds": ["b"]}, "status.person"),
        ({"answer": {"status": 204, "body": "x"}}, "204"),
        ({"answer": {"status": 400}}, "less than or equal"),
        ({"send": {"url": "ftp://x/{to}{text}"}}, "http"),
        ({"send": {"url": "https://{to}.example/{text}"}}, "fixed host"),
        ({"send": {"url": "https://x.example/{to}"}}, "{text}"),
        ({"send": {"url": "https://x.example/{to}{text}{who}"}}, "{who} is no placeholder"),
        ({"send": {"url": "https://x.example/", "template": "{to} {text}"}}, "no JSON"),
        ({"send": {"template": '"{to} {text}"'}}, "url is missing"),
        ({"send": {"url": "https://x.example/{to}{text}", "username": "x"}}, "together"),
        ({"send": {"url": "https://x.example/{to}{text}", "headers": ["nonsense"]}}, "Name: value"),
        ({"send": {"url": "https://x.example/{to}{text}", "headers": ["A: b\r\nC: d"]}}, "Name: value"),
        ({"send": {"url": "https://x.example/{to}{text}", "code": "a[]"}}, "many values"),
        ({"send": {"url": "https://x.example/{to}{text}", "accepted_codes": ["0"]}}, "need code"),
    ],
)
def test_a_mistake_in_the_settings_is_explained_at_the_start(settings, said):
    assert said in fault(**settings)


def test_no_fault_and_no_repr_shows_a_secret():
    secret = secrets.token_hex(16)
    said = fault(hmac_secrets=secret, send={"url": f"https://{secret}.example/{{to}}", "headers": [secret]})
    assert secret not in said
    provider = made(hmac_secrets=secret, send={"url": f"https://x.example/{secret}/{{to}}{{text}}"})
    assert secret not in repr(provider._settings)
    assert secret not in repr(vars(provider))
    assert secret not in repr(provider._sending._template)


# -- rehearsal -------------------------------------------------------------------------------------------


COMPLETE = {
    "elements": "data.items[]",
    "message_id": ["id", "$.account"],
    "person": "from.number",
    "sender": "to[1]",
    "text": "text",
    "time": "$.at",
}
SHAPES = [
    rehearsal_account()[0],
    {"provider": "generic", "body": "form", "basic": ["a:b"], "message": FIELDS},
    {"provider": "generic", "body": "query", "url_secrets": ["ä &=+%"], "message": {**FIELDS, "time": "at"}},
    {"provider": "generic", "header_secrets": ["x"], "message": COMPLETE},
    {
        "provider": "generic",
        "webhook_secrets": [base64.b64encode(b"k" * 24).decode()],
        "kind": "$.type",
        "message_kinds": ["mo"],
        "message": {**COMPLETE, "time_format": "%Y-%m-%dT%H:%M:%S.%f%z"},
    },
    {
        "provider": "generic",
        "header_secrets": ["x"],
        "message": {**FIELDS, "message_id": ["from", "at"], "time": "at", "time_format": "unix_ms"},
    },
    {
        "provider": "generic",
        "body": "form",
        "charset": "utf-8",
        "hmac_secrets": ["x"],
        "hmac": {"encoding": "base64", "timestamp_header": "T"},
        "message": {**FIELDS, "time": "at", "time_format": "unix_ms"},
    },
]


@pytest.mark.parametrize("settings", SHAPES, ids=range(len(SHAPES)))
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_what_is_rehearsed_is_received(settings, text):
    provider = Generic(GenericSettings.model_validate(settings), Web())
    rehearsal = Rehearsal(URL, "+15550100123", "+15550100100", text, "m 1", NOW)
    [message] = provider.receive(provider.rehearse(rehearsal)).messages
    assert (message.origin, message.sender, message.text) == ("+15550100123", "+15550100100", text)
    assert message.said_at in {None, NOW}
    again = provider.receive(provider.rehearse(rehearsal)).messages
    assert [message] == list(again)
