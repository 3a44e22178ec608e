"""Decisions for many addresses."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.consent.address import Address, Channel, subject_of
from gateway.consent.choice import Choice
from gateway.consent.decision import Reason
from gateway.consent.state import State
from gateway.errors import OurTroubleError
from gateway.flows.check import Checks
from gateway.flows.status import Caveat, Statuses
from gateway.keywords.interpreter import Interpreter
from gateway.programs import ProgramBook, UnknownProgramError
from gateway.settings import ProgramSettings
from gateway.store.reader import PersonRows, Standing, Suppression

KEY = b"k" * 32
SENDER = "+15550199000"
_COMMON = {"senders": [SENDER], "contact": "help@example.com"}
BOOK = ProgramBook(
    {
        "offers": ProgramSettings.model_validate(
            {"name": "Acme Offers", "purpose": "marketing", "default_choice": "n", **_COMMON}
        ),
        "orders": ProgramSettings.model_validate(
            {"name": "Acme Orders", "purpose": "transactional", "default_choice": "y", **_COMMON}
        ),
    },
    Interpreter.shipped(),
)


def _number(number: int) -> Address:
    return Address(Channel.SMS, f"+1555010{number:04d}")


@dataclass
class FakeReader:
    """What the store would hold, by address."""

    standing: dict[Address, Standing] = field(default_factory=dict)
    calls: list[list[bytes]] = field(default_factory=list)

    def persons(self, subjects):
        self.calls.append(list(subjects))
        known = {subject_of(address, KEY): found for address, found in self.standing.items()}
        return {subject: known[subject] for subject in subjects if subject in known}

    def statuses(self, subjects):
        return {
            subject: PersonRows(found.states, {}, found.suppressions, 1, "sms", "")
            for subject, found in self.persons(subjects).items()
        }


def _check(addresses, standing=None, program: str = "offers", channel: Channel = Channel.SMS):
    return Checks(FakeReader(standing or {}), BOOK, KEY).check(addresses, channel, program)


def test_results_keep_the_order_and_repeat_with_their_addresses():
    out = Standing({f"@{SENDER}": State(Choice.NO, 5, 1)}, {})
    given_ = ["+15550100002", "+1 555-010-0001", "15550100002", "+15550100001"]
    found = _check(given_, {_number(1): out, _number(2): Standing({"offers": State(Choice.YES, 5, 1)}, {})})
    assert [result.address.value for result in found] == [_number(n).value for n in (2, 1, 2, 1)]
    assert [result.allowed for result in found] == [True, False, True, False]


def test_what_is_no_address_has_its_error_and_is_not_allowed():
    good, bad, empty = _check(["+15550100001", "call me", ""], program="orders")
    assert good.allowed
    assert good.error is None
    for result in (bad, empty):
        assert (result.allowed, result.address, result.decision) == (False, None, None)
        assert result.error == "not an address for sms: give the number in E.164, like +15550100123"


def test_addresses_that_are_the_same_are_read_once():
    reader = FakeReader()
    Checks(reader, BOOK, KEY).check(["+15550100001", "15550100001", "x", "+15550100002"], Channel.SMS, "*")
    assert reader.calls == [sorted(subject_of(_number(n), KEY) for n in (1, 2))]


def test_the_unknown_get_the_default_of_the_program():
    assert _check(["+15550100001"])[0].decision.reason is Reason.NO_CONSENT
    assert _check(["+15550100001"], program="orders")[0].decision.reason is Reason.DEFAULT_CONSENT


def test_the_suppressed_are_denied():
    bounced = Standing({}, {"manual": Suppression("manual", 1, "kim")})
    (found,) = _check(["+15550100001"], {_number(1): bounced}, "orders")
    assert (found.allowed, found.decision.reason) == (False, Reason.SUPPRESSED)


def test_the_carrier_is_warned_of_here_too():
    out = Standing({f"@{SENDER}": State(Choice.NO, 5, 1)}, {})
    (found,) = _check(["+15550100001"], {_number(1): out}, "orders")
    assert (found.allowed, found.warning) == (True, Caveat.CARRIER_MAY_BLOCK)


def test_an_unknown_program_is_refused_as_a_whole():
    with pytest.raises(UnknownProgramError):
        _check(["+15550100001"], program="nope")


def test_when_the_database_cannot_be_read_nobody_is_allowed():
    class Broken(FakeReader):
        def persons(self, subjects):  # noqa: ARG002 - the reader's signature
            raise OurTroubleError("down")

    with pytest.raises(OurTroubleError):
        Checks(Broken(), BOOK, KEY).check(["+15550100001"], Channel.SMS, "orders")


@given(st.lists(st.text(max_size=30)), st.sampled_from(list(Channel)))
def test_any_text_at_all_gets_one_result(addresses: list[str], channel: Channel):
    found = _check(addresses, channel=channel)
    assert len(found) == len(addresses)
    assert all((result.error is None) == (result.address is not None) for result in found)
    assert not any(result.allowed for result in found)


_choices = st.builds(State, st.sampled_from(list(Choice)), st.integers(1, 3), st.integers(1, 9))
_states = st.dictionaries(st.sampled_from(["*", f"@{SENDER}", "offers", "orders"]), _choices)


@given(_states, st.booleans(), st.sampled_from(["*", "offers", "orders"]))
def test_a_check_and_a_status_never_disagree(states, suppressed, program):
    standing = Standing(states, {"manual": Suppression("manual", 1, "kim")} if suppressed else {})
    reader = FakeReader({_number(1): standing})
    (checked,) = Checks(reader, BOOK, KEY).check([_number(1).value], Channel.SMS, program)
    (asked,) = Statuses(reader, BOOK, KEY).status(_number(1), program).programs
    assert (checked.decision, checked.warning) == (asked.decision, asked.warning)
