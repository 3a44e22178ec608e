"""What `/v1` answers to whoever may ask."""

import json
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from pydantic import TypeAdapter
from sqlalchemy import insert, text
from support.databases import sqlite_url
from support.server import SENDER

from gateway.consent.address import Address, Channel, subject_of
from gateway.consent.choice import Choice
from gateway.consent.entry import Entry
from gateway.mail.tokens import LinkPurpose
from gateway.store.ledger import now_microseconds
from gateway.store.tables import suppressions
from gateway.store.tokens import create_token
from gateway.web.api import models

PERSON = "+15550100123"
AT = 1_790_000_000_123_456
AT_TEXT = "2026-09-21T14:13:20.123456Z"
STATUS = f"/v1/consents/sms/{PERSON}"


class Caller:
    """A client with a token."""

    def __init__(self, app) -> None:
        self.house = app.extensions["gateway"]
        token = create_token(
            self.house.engine, name="t", scopes=["read", "links"], actor="t", now=now_microseconds()
        )
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **options):
        return self.client.get(path, headers=self.headers, **options)

    def post(self, path: str, body=None, **options):
        extra = options if body is None else {"json": body, **options}
        return self.client.post(path, headers=self.headers, **extra)

    def say(self, number: int = 1, channel: Channel = Channel.SMS, address: str = PERSON, **fields) -> str:
        """Record a word; return the name of its event."""
        whom = Address(channel, address)
        values = {
            "address": whom,
            "subject": subject_of(whom, self.house.keys.subject),
            "account": "acme",
            "message_id": f"SM{number}",
            "klass": "opt_out",
            "choice": Choice.NO,
            "scope": f"@{SENDER}",
            "sender": SENDER,
            "source": "keyword",
            "rule": "keyword@1",
            "said_at": AT + number,
            "received_at": AT + number,
            "text": "STOP",
            "evidence": '{"band":"certain"}',
        }
        outcome = self.house.recorder.stage(Entry(**{**values, **fields})).outcome()
        return outcome.event.event_id


@pytest.fixture
def caller(app):
    """A caller of the application on each engine."""
    return Caller(app)


@pytest.fixture
def sqlite_caller(sqlite_app):
    """A caller of the application on SQLite."""
    return Caller(sqlite_app)


def _fits(model, answer) -> dict:
    """Return the document; it must be what the description says, with its fields in that order."""
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    parsed = TypeAdapter(model).validate_json(answer.data)
    document = json.loads(answer.data)
    assert json.dumps(document) == json.dumps(parsed.model_dump(mode="json", by_alias=True))
    return document


def _decision(document: dict, program: str) -> dict:
    return next(found for found in document["decisions"] if found["program"] == program)


# -- status ----------------------------------------------------------------------------------------------


def test_an_unknown_address_has_the_full_shape(caller):
    document = _fits(models.StatusAnswer, caller.get(STATUS))
    assert (document["known"], document["last_event"], document["states"]) == (False, None, [])
    assert document["address"] == PERSON
    assert {found["program"]: (found["allowed"], found["by_default"]) for found in document["decisions"]} == {
        "offers": (True, True),
        "club": (False, True),
        "news": (True, True),
    }


def test_a_stop_is_told_with_its_event_time_and_rule(caller):
    event = caller.say(number=1)
    last = caller.say(number=2, choice=None, scope="", klass="other", text="hello")
    document = _fits(models.StatusAnswer, caller.get(STATUS))
    said_at = AT_TEXT.replace("123456", "123457")
    assert _decision(document, "offers") == {
        "program": "offers",
        "name": "Acme Offers",
        "purpose": "marketing",
        "allowed": False,
        "reason": "opted_out",
        "ajo_code": "050104",
        "scope": f"@{SENDER}",
        "choice": "n",
        "said_at": said_at,
        "event": event,
        "source": "keyword",
        "rule": "keyword@1",
        "default_choice": "y",
        "by_default": False,
        "warning": None,
    }
    assert document["states"] == [
        {
            "scope": f"@{SENDER}",
            "choice": "n",
            "said_at": said_at,
            "event": event,
            "class": "opt_out",
            "source": "keyword",
            "rule": "keyword@1",
            "account": "acme",
            "message_id": "SM1",
            "received_at": said_at,
        }
    ]
    assert (document["known"], document["last_event"]) == (True, last)


def test_one_program_can_be_asked_about_and_all_as_one(caller):
    caller.say()
    assert [found["program"] for found in caller.get(f"{STATUS}?program=news").json["decisions"]] == ["news"]
    (found,) = caller.get(f"{STATUS}?program=*").json["decisions"]
    assert (found["program"], found["name"], found["allowed"]) == ("*", None, False)


@pytest.mark.parametrize(
    "written",
    [PERSON, quote(PERSON, safe=""), PERSON[1:], "00" + PERSON[1:], "+1%20555-010-0123", "%20" + PERSON[1:]],
)
def test_a_number_is_found_however_it_is_written(sqlite_caller, written):
    """With the plus raw, encoded, left out, or made a blank by a client that takes it for a form's."""
    event = sqlite_caller.say()
    document = sqlite_caller.get(f"/v1/consents/sms/{written}").json
    assert (document["address"], document["last_event"]) == (PERSON, event)


@pytest.mark.parametrize("written", ["a/b+c@example.org", "a%2Fb%2Bc%40example.org", "A/B+C@EXAMPLE.org"])
def test_a_mailbox_may_hold_what_a_path_does_not_like(sqlite_caller, written):
    event = sqlite_caller.say(channel=Channel.EMAIL, address="a/b+c@example.org", sender="", scope="*")
    for path in (f"/v1/consents/email/{written}", f"/v1/consents/email/{written}/events"):
        answer = sqlite_caller.get(path)
        assert answer.json["address"] == "a/b+c@example.org"
        assert event in answer.text


def test_a_suppression_is_told_beside_consent(caller):
    subject = subject_of(Address(Channel.SMS, PERSON), caller.house.keys.subject)
    row = {"subject": subject, "reason": "manual", "since": AT, "source": "kim"}
    with caller.house.engine.begin() as connection:
        connection.execute(insert(suppressions).values(row))
    document = _fits(models.StatusAnswer, caller.get(STATUS))
    assert document["suppressions"] == [{"reason": "manual", "since": AT_TEXT, "source": "kim"}]
    assert {(found["reason"], found["ajo_code"]) for found in document["decisions"]} == {
        ("suppressed", "050107")
    }
    assert document["known"]


def test_the_answer_has_every_word_that_was_accepted_before_it(caller):
    for number, choice in enumerate([Choice.NO, Choice.YES, Choice.NO], start=1):
        event = caller.say(number=number, choice=choice)
        document = caller.get(STATUS).json
        assert (document["last_event"], document["states"][0]["choice"]) == (event, choice)


def test_the_warning_of_the_carrier_reaches_the_answer(make_app, tmp_path):
    extra = (
        f'[programs.orders]\nname = "Orders"\npurpose = "transactional"\ndefault_choice = "y"\n'
        f'senders = ["{SENDER}"]\ncontact = "help@example.com"\n'
    )
    caller = Caller(make_app(sqlite_url(tmp_path), extra=extra))
    caller.say()
    found = _decision(_fits(models.StatusAnswer, caller.get(STATUS)), "orders")
    assert (found["allowed"], found["warning"]) == (True, "carrier_may_block")


# -- timeline --------------------------------------------------------------------------------------------


def test_the_timeline_goes_back_page_by_page(caller):
    names = [caller.say(number=number) for number in range(1, 6)]
    seen, path = [], f"{STATUS}/events?limit=2"
    while path:
        document = _fits(models.EventsAnswer, caller.get(path))
        seen += [event["event"] for event in document["events"]]
        after = document["next_before"]
        path = f"{STATUS}/events?limit=2&before={after}" if after else None
    assert seen == names[::-1]


def test_an_event_is_told_with_its_evidence(caller):
    name = caller.say(number=1, text="Stóp 🛑", said_at=AT, actor="kim")
    (event,) = _fits(models.EventsAnswer, caller.get(f"{STATUS}/events"))["events"]
    recorded_at = datetime.fromisoformat(event.pop("recorded_at"))
    assert abs((datetime.now(UTC) - recorded_at).total_seconds()) < 60 or recorded_at.timestamp() * 1e6 >= AT
    assert event == {
        "event": name,
        "seq": 1,
        "class": "opt_out",
        "choice": "n",
        "scopes": [f"@{SENDER}"],
        "sender": SENDER,
        "source": "keyword",
        "rule": "keyword@1",
        "said_at": AT_TEXT,
        "received_at": AT_TEXT.replace("123456", "123457"),
        "account": "acme",
        "message_id": "SM1",
        "actor": "kim",
        "reply": None,
        "text": "Stóp 🛑",
        "evidence": {"band": "certain"},
    }


@pytest.mark.parametrize(
    ("evidence", "shown"),
    [(None, None), ("{broken", "{broken"), ('{"origin":"\\ud83d"}', {"origin": "?"}), ('"x"', "x")],
)
def test_evidence_that_is_odd_is_still_shown(sqlite_caller, evidence, shown):
    sqlite_caller.say(evidence=evidence)
    (event,) = _fits(models.EventsAnswer, sqlite_caller.get(f"{STATUS}/events"))["events"]
    assert event["evidence"] == shown


# -- check -----------------------------------------------------------------------------------------------


def test_many_are_checked_in_order_with_the_bad_ones_named(caller):
    event = caller.say()
    body = {
        "channel": "sms",
        "program": "offers",
        "addresses": ["+15550100777", "nobody", "+1 555 010 0123", PERSON],
    }
    document = _fits(models.CheckAnswer, caller.post("/v1/check", body))
    assert (document["program"], document["name"], document["default_choice"]) == (
        "offers",
        "Acme Offers",
        "y",
    )
    results = document["results"]
    assert [(found["address"], found["allowed"], found["reason"]) for found in results] == [
        ("+15550100777", True, "default_consent"),
        (None, False, None),
        (PERSON, False, "opted_out"),
        (PERSON, False, "opted_out"),
    ]
    assert results[1]["error"] == "not an address for sms: give the number in E.164, like +15550100123"
    assert results[2] == results[3]
    assert results[2]["event"] == event
    assert [found["by_default"] for found in results] == [True, False, False, False]


def test_a_check_and_a_status_agree(caller):
    caller.say()
    for program in ("offers", "news", "club", "*"):
        body = {"channel": "sms", "program": program, "addresses": [PERSON, "+15550100777"]}
        for result in caller.post("/v1/check", body).json["results"]:
            (decision,) = caller.get(f"/v1/consents/sms/{result['address']}?program={program}").json[
                "decisions"
            ]
            shared = decision.keys() & result.keys()
            assert {key: decision[key] for key in shared} == {key: result[key] for key in shared}
            assert len(shared) == 9


def test_as_many_may_be_checked_as_the_settings_say(make_app, tmp_path):
    caller = Caller(
        make_app(sqlite_url(tmp_path), extra="[limits]\ncheck_addresses = 3\nlink_recipients = 2\n")
    )
    check = {"channel": "sms", "addresses": [PERSON] * 3}
    assert caller.post("/v1/check", check).status_code == 200
    answer = caller.post("/v1/check", {**check, "addresses": [PERSON] * 4})
    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {"in": "body", "pointer": "#/addresses", "message": "at most 3 addresses in one call"}
    ]
    answer = caller.post("/v1/unsubscribe-links", {"recipients": ["kim@example.org"] * 3})
    assert answer.json["errors"] == [
        {"in": "body", "pointer": "#/recipients", "message": "at most 2 recipients in one call"}
    ]


def test_ten_thousand_long_addresses_fit_into_a_check_and_no_other_body_grows(sqlite_caller):
    longest = ["+15550100123"] * 9_990 + ["x" * 256] * 10
    assert sqlite_caller.post("/v1/check", {"channel": "sms", "addresses": longest}).status_code == 200
    huge = {"channel": "sms", "addresses": ["x" * 400] * 10_000}
    assert sqlite_caller.post("/v1/check", huge).status_code == 413
    assert sqlite_caller.post("/v1/interpret", {"text": "x" * 70_000}).status_code == 413


# -- links, interpret, programs --------------------------------------------------------------------------


def test_links_come_with_their_header_fields(caller):
    body = {"program": "news", "message": "autumn", "recipients": ["Kim@example.org", "nobody"]}
    document = _fits(models.LinksAnswer, caller.post("/v1/unsubscribe-links", body))
    good, bad = document["links"]
    base, _, token = good["url"].rpartition("/u/")
    grant = caller.house.links.open(token, LinkPurpose.UNSUBSCRIBE, now=now_microseconds() // 1_000_000)
    assert base == "https://sms.example.com"
    assert (grant.address.value, grant.scope, grant.message) == ("kim@example.org", "news", "autumn")
    assert good["headers"] == {
        "List-Unsubscribe": f"<{good['url']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert bad == {
        "address": None,
        "url": None,
        "headers": {},
        "error": "not a mailbox: give it as local-part@domain",
    }


def test_a_minted_link_unsubscribes_and_the_status_tells(caller):
    recipient = {"program": "news", "message": "autumn", "recipients": ["kim@example.org"]}
    (link,) = caller.post("/v1/unsubscribe-links", recipient).json["links"]
    path = link["url"].removeprefix("https://sms.example.com")
    answer = caller.client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.data) == (200, b"Unsubscribed.\n")
    document = caller.get("/v1/consents/email/kim@example.org").json
    assert _decision(document, "news")["source"] == "one_click"
    assert not _decision(document, "news")["allowed"]
    assert _decision(document, "offers")["allowed"]


def test_a_text_is_read_without_being_recorded(caller):
    document = _fits(
        models.InterpretationAnswer, caller.post("/v1/interpret", {"text": "Stop!", "program": "offers"})
    )
    assert (document["class"], document["band"], document["scopes"]) == ("opt_out", "certain", [f"@{SENDER}"])
    assert (document["rule"], document["keyword"], document["sender"]) == ("keyword@1", "stop", SENDER)
    with caller.house.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM events")).scalar() == 0


@pytest.mark.parametrize("body", [{}, {"sender": SENDER}, {"program": "*"}, {"sender": ""}])
def test_a_text_is_read_for_a_sender_a_program_or_nobody(sqlite_caller, body):
    answer = sqlite_caller.post("/v1/interpret", {"text": "hello there", **body})
    assert _fits(models.InterpretationAnswer, answer)["class"] == "other"


def test_sender_and_program_are_not_given_together(sqlite_caller):
    answer = sqlite_caller.post("/v1/interpret", {"text": "STOP", "sender": SENDER, "program": "offers"})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "#/program"


def test_the_programs_are_those_of_the_settings(sqlite_caller):
    document = _fits(models.ProgramsAnswer, sqlite_caller.get("/v1/programs"))
    assert [found["program"] for found in document["programs"]] == ["offers", "club", "news"]
    assert document["programs"][1] == {
        "program": "club",
        "name": "Acme Club",
        "purpose": "marketing",
        "default_choice": "n",
        "senders": ["+15555550177"],
        "languages": ["en"],
        "stop_scope": "sender",
        "double_opt_in": True,
        "path": ["*", "@+15555550177", "club"],
    }
