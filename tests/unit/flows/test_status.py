"""The status of an address: what decides, what stands, and what may still be in the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gateway.consent.address import Address, Channel, subject_of
from gateway.consent.choice import Choice
from gateway.consent.decision import Reason
from gateway.consent.state import State
from gateway.flows.status import Asking, Caveat, Statuses, event_name, is_by_default
from gateway.keywords.interpreter import Interpreter
from gateway.programs import ProgramBook, UnknownProgramError
from gateway.settings import ProgramSettings
from gateway.store.reader import DecidingEvent, PersonRows, Suppression

KEY = b"k" * 32
SENDER = "+15550199000"
ADDRESS = Address(Channel.SMS, "+15550100123")
STOP = DecidingEvent("opt_out", "keyword", "keyword@1", "acme", "SM1", 10)


@dataclass
class FakeReader:
    """What the store would hold."""

    rows: PersonRows | None = None
    asked: list[bytes] = field(default_factory=list)

    def statuses(self, subjects: Sequence[bytes]) -> dict[bytes, PersonRows]:
        self.asked.extend(subjects)
        return {} if self.rows is None else dict.fromkeys(subjects, self.rows)


def _program(**changes) -> ProgramSettings:
    return ProgramSettings.model_validate(
        {
            "name": "Acme Offers",
            "purpose": "marketing",
            "default_choice": "n",
            "senders": [SENDER],
            "contact": "help@example.com",
            **changes,
        }
    )


PROGRAMS = {
    "offers": _program(),
    "orders": _program(name="Acme Orders", purpose="transactional", default_choice="y"),
}


def _book(programs=PROGRAMS) -> ProgramBook:
    return ProgramBook(programs, Interpreter.shipped())


def _rows(states=None, suppressions=None, seq: int = 1) -> PersonRows:
    return PersonRows(states or {}, {1: STOP}, suppressions or {}, seq, "sms", ADDRESS.value)


def _status(rows: PersonRows | None, *, program=None, address=ADDRESS, book=None):
    return Statuses(FakeReader(rows), book or _book(), KEY).status(address, program)


def test_the_subject_is_asked_for_once():
    reader = FakeReader()
    found = Statuses(reader, _book(), KEY).status(ADDRESS)
    assert reader.asked == [subject_of(ADDRESS, KEY)] == [found.subject]


def test_an_unknown_address_has_the_same_shape_and_the_defaults_decide():
    found = _status(None)
    assert (found.known, found.states, found.suppressions, found.last_seq) == (False, {}, {}, 0)
    decisions = {each.program.rule.slug: each.decision for each in found.programs}
    assert decisions["offers"].reason is Reason.NO_CONSENT
    assert decisions["orders"].reason is Reason.DEFAULT_CONSENT
    assert all(is_by_default(decision) for decision in decisions.values())


def test_a_stop_decides_for_each_program_that_it_binds():
    found = _status(_rows({f"@{SENDER}": State(Choice.NO, 5, 1)}))
    offers, orders = found.programs
    assert (offers.decision.allowed, offers.decision.reason) == (False, Reason.OPTED_OUT)
    assert found.event_of(offers.decision.state) == STOP
    assert not is_by_default(offers.decision)
    assert orders.decision.allowed
    assert found.event_of(orders.decision.state) is None


def test_a_transactional_program_that_a_stop_leaves_alone_warns_of_the_carrier():
    offers, orders = _status(_rows({f"@{SENDER}": State(Choice.NO, 5, 1)})).programs
    assert orders.warning is Caveat.CARRIER_MAY_BLOCK
    assert offers.warning is None


@pytest.mark.parametrize(
    ("states", "address"),
    [
        ({}, ADDRESS),
        ({f"@{SENDER}": State(Choice.YES, 5, 1)}, ADDRESS),
        ({"@+15550199999": State(Choice.NO, 5, 1)}, ADDRESS),
        ({"offers": State(Choice.NO, 5, 1)}, ADDRESS),
        ({f"@{SENDER}": State(Choice.NO, 5, 1)}, Address(Channel.EMAIL, "kim@example.org")),
    ],
)
def test_without_a_stop_to_its_sender_there_is_nothing_to_warn_of(states, address):
    assert [each.warning for each in _status(_rows(states), address=address).programs] == [None, None]


def test_a_return_to_one_program_after_a_stop_to_the_sender_warns_too():
    """ "START OFFERS" lifts our bar and not the carrier's, which knows whole words only."""
    states = {f"@{SENDER}": State(Choice.NO, 5, 1), "offers": State(Choice.YES, 6, 2)}
    offers = _status(_rows(states)).programs[0]
    assert offers.decision.allowed
    assert offers.warning is Caveat.CARRIER_MAY_BLOCK


def test_a_suppression_denies_every_program_and_is_told_apart_from_consent():
    bounced = {"hard_bounce": Suppression("hard_bounce", 1, "ses")}
    found = _status(_rows({"offers": State(Choice.YES, 5, 1)}, bounced))
    assert [each.decision.reason for each in found.programs] == [Reason.SUPPRESSED] * 2
    assert found.suppressions == bounced
    assert not any(is_by_default(each.decision) for each in found.programs)


def test_one_program_can_be_asked_about():
    found = _status(None, program="orders")
    assert [each.program.rule.slug for each in found.programs] == ["orders"]
    assert found.programs[0].program.name == "Acme Orders"


def test_all_programs_can_be_asked_about_as_one():
    (asked,) = _status(_rows({"*": State(Choice.NO, 5, 1)}), program="*").programs
    assert (asked.program.rule.slug, asked.program.name) == ("*", None)
    assert asked.decision.reason is Reason.OPTED_OUT


def test_without_programs_the_answer_is_about_all():
    (asked,) = _status(None, book=_book({})).programs
    assert (asked.program.rule.slug, asked.decision.reason) == ("*", Reason.NO_CONSENT)


def test_a_program_that_is_not_there_is_refused_before_anything_is_read():
    reader = FakeReader()
    with pytest.raises(UnknownProgramError):
        Statuses(reader, _book(), KEY).status(ADDRESS, "nope")
    assert reader.asked == []


def test_an_event_has_one_name_everywhere():
    assert event_name(bytes(range(16)), 7) == "000102030405060708090a0b0c0d0e0f-7"


def test_programs_are_asked_about_in_the_order_of_the_settings():
    assert [asked.rule.slug for asked in Asking(_book()).all] == ["offers", "orders"]
