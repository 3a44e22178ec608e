"""The keyed hash chain over the events of a subject."""

import ast
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.entries import KEY, NOW, entry

from gateway.consent.chain import GENESIS, Fault, digest_of, head_after, link, verify
from gateway.consent.choice import Choice
from gateway.consent.event import Event, canonical, personal
from gateway.consent.person import NOBODY, Person, ReplyLimits, Writing, record

SUBJECT = entry(0).subject
SALT = b"s" * 16
EVENT = Event(
    subject=bytes(range(16)),
    seq=2,
    account="acme-twilio",
    message_id="SM1",
    klass="opt_out",
    choice=Choice.NO,
    scope="* offers",
    sender="+15550199000",
    source="keyword",
    rule="keyword@1",
    said_at=1,
    received_at=2,
    recorded_at=3,
    actor=None,
    reply="opt_out",
    text='Arrêt "tout"',
    evidence='{"band":"certain"}',
    salt=SALT,
    digest=digest_of('Arrêt "tout"', '{"band":"certain"}', salt=SALT, key=KEY),
    chain=b"",
)


@pytest.fixture(scope="module")
def story() -> tuple[list[Event], Person]:
    """Four events, and the person after them."""
    person, events = NOBODY, []
    for number in range(4):
        said = entry(0, text=f"STOP {number}", message_id=f"SM{number}", at=NOW + number)
        person, outcome = record(said, person, Writing(KEY, NOW + 10, ReplyLimits(), SALT))
        assert outcome.event is not None
        events.append(outcome.event)
    return events, person


def check(events: list[Event], person: Person, key: bytes = KEY) -> list[Fault]:
    return verify(SUBJECT, events, head=person.head, last_seq=person.last_seq, key=key)


def test_what_was_written_verifies(story):
    assert check(*story) == []
    assert verify(SUBJECT, [], head=GENESIS, last_seq=0, key=KEY) == []


OTHER: dict[str, object] = {
    "subject": b"o" * 16,
    "choice": Choice.YES,
    "seq": 99,
    "said_at": 1,
    "received_at": 2,
    "recorded_at": 3,
    "salt": b"o" * 16,
    "digest": b"o" * 32,
    "chain": b"o" * 32,
}


@pytest.mark.parametrize("place", [0, 2, 3])
@pytest.mark.parametrize("name", [field.name for field in fields(Event)])
def test_another_value_in_any_field_is_found(story, name: str, place: int):
    events, person = story
    forged = replace(events[place], **{name: OTHER.get(name, "other")})
    assert check([*events[:place], forged, *events[place + 1 :]], person)


@pytest.mark.parametrize("name", ["actor", "reply", "evidence", "text"])
def test_none_and_an_empty_text_are_not_the_same(name: str):
    writing = Writing(KEY, NOW + 10, ReplyLimits(), SALT)
    person, outcome = record(entry(0, None, text=None, evidence=None), NOBODY, writing)
    assert outcome.event is not None
    assert check([outcome.event], person) == []
    assert check([replace(outcome.event, **{name: ""})], person)


def test_a_cut_tail_is_found_even_when_the_head_is_set_back_to_its_last_event(story):
    events, person = story
    assert check(events[:3], person) == [Fault(SUBJECT, None, "holds events up to 3, its head says 4")]
    forged = replace(person, last_seq=3)
    assert check(events[:3], forged) == [Fault(SUBJECT, None, "its head does not follow from its last event")]
    # What stands in the rows that are left does not lead to the head that would fit.
    for known in (events[2].chain, events[2].digest, events[3].chain, person.head):
        assert check(events[:3], replace(forged, head=known))


def test_a_missing_event_is_named(story):
    events, person = story
    assert Fault(SUBJECT, 1, "missing: the next event found is 2") in check(events[1:], person)
    assert Fault(SUBJECT, 3, "missing: the next event found is 4") in check([*events[:2], events[3]], person)


def test_changed_order_is_found(story):
    events, person = story
    assert check([events[1], events[0], *events[2:]], person)
    renumbered = [replace(events[1], seq=1), replace(events[0], seq=2), *events[2:]]
    assert check(renumbered, person)


def test_removed_personal_fields_are_found_and_the_chain_still_closes(story):
    events, person = story
    erased = replace(events[1], text=None, evidence=None, salt=None)
    found = check([events[0], erased, *events[2:]], person)
    assert found == [Fault(SUBJECT, 2, "its personal fields were removed")]


def test_without_the_key_nothing_can_be_forged(story):
    events, person = story
    forged = replace(events[3], choice=Choice.YES)
    forged = replace(
        forged, chain=link(forged, head=head_after(events[2].chain, key=b"w" * 32), key=b"w" * 32)
    )
    assert check([*events[:3], forged], replace(person, head=head_after(forged.chain, key=b"w" * 32)))
    assert len(check(events, person, key=b"w" * 32)) > len(events)


def test_the_digest_needs_text_evidence_salt_and_key():
    values = {"text": "STOP", "evidence": "{}", "salt": SALT, "key": KEY}
    digests = {digest_of(values["text"], values["evidence"], salt=SALT, key=KEY)}
    for name, other in (("text", "STOP "), ("evidence", None), ("salt", bytes(16)), ("key", b"w" * 32)):
        changed = values | {name: other}
        digests.add(digest_of(changed.pop("text"), changed.pop("evidence"), **changed))
    assert len(digests) == 5


TEXTS = st.one_of(st.none(), st.text(alphabet="-: 1ab", max_size=6))


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=2, max_size=2, unique=True))
def test_no_two_pairs_of_personal_fields_have_the_same_bytes(pairs: list[tuple[str | None, str | None]]):
    assert personal(*pairs[0]) != personal(*pairs[1])


WORDS = st.text(alphabet="-: 1ab", max_size=4)
NAMES = ("account", "message_id", "klass", "scope", "sender", "source", "rule")


@given(
    st.lists(
        st.tuples(st.fixed_dictionaries(dict.fromkeys(NAMES, WORDS)), TEXTS, TEXTS).map(repr),
        min_size=2,
        max_size=2,
        unique=True,
    )
)
def test_no_two_events_have_the_same_bytes(written: list[str]):
    found = set()
    for one in written:
        names, actor, reply = ast.literal_eval(one)
        found.add(canonical(replace(EVENT, actor=actor, reply=reply, **names)))
    assert len(found) == 2


def test_the_forms_never_change():
    """A ledger written today must verify with every later version: these bytes are for ever."""
    event = EVENT
    assert canonical(event).decode() == (
        f"000102030405060708090a0b0c0d0e0f 2 1 2 3 {event.digest.hex()} n 11:acme-twilio 3:SM1 7:opt_out "
        "8:* offers 12:+15550199000 7:keyword 9:keyword@1 - 7:opt_out"
    )
    assert personal(event.text, event.evidence).decode() == '12:Arrêt "tout" 18:{"band":"certain"}'
    assert event.digest.hex() == "4cbe34a254cfad41b44824efec69922afb912720dc0177b51afd185040204835"
    chained = link(event, head=bytes(32), key=KEY)
    assert chained.hex() == "0bc700c882d57a1025721867061e0fb31b8765b33771569aeea5e4bd781c5215"
    assert (
        head_after(chained, key=KEY).hex()
        == "5716d5a0723c1b7806e99b31ebfc15127f459700644f838e4dd3d1ac9a582a0f"
    )


def test_a_fault_names_its_event_as_the_api_does(story):
    events, _ = story
    assert str(Fault(SUBJECT, 2, "altered")) == f"event {events[1].event_id}: altered"
    assert str(Fault(SUBJECT, None, "altered")) == f"subject {SUBJECT.hex()}: altered"
