"""Where a person stands at a sender, as a provider's list would have it."""

from typing import Any

import pytest

from gateway.consent.choice import Choice
from gateway.consent.state import State
from gateway.flows.listing import Listing
from gateway.keywords.interpreter import Interpreter
from gateway.programs import ProgramBook
from gateway.providers.account import AccountSettings
from gateway.settings import ProgramSettings

SENDER, SHARED, SHORT = "+15550199000", "+15550199001", "54321"


def program(*senders: str, purpose: str = "marketing") -> ProgramSettings:
    return ProgramSettings(
        name="Acme", purpose=purpose, default_choice="n", senders=senders, contact="help@example.com"
    )


BOOK = ProgramBook(
    {
        "offers": program(SENDER, SHARED, "ACME.EXAMPLE.COM"),
        "alerts": program(SHARED, SHORT, purpose="transactional"),
    },
    Interpreter.shipped(),
)


def listing(**accounts: Any) -> Listing:
    return Listing(
        {
            name: AccountSettings(provider="x", senders={key: {} for key in senders})
            for name, senders in accounts.items()
        },
        BOOK,
    )


def words(**by_scope: tuple[str, int]) -> dict[str, State]:
    names = {"all_": "*", "sender": f"@{SENDER}", "shared": f"@{SHARED}"}
    return {
        names.get(key, key): State(Choice(choice), at, number + 1)
        for number, (key, (choice, at)) in enumerate(by_scope.items())
    }


def test_an_account_has_the_senders_that_it_names_and_another_all_the_rest():
    both = listing(one=(SENDER,), two=())
    assert both.senders("one") == (SENDER,)
    assert both.senders("two") == (SHARED, SHORT)
    assert listing(only=()).senders("only") == (SENDER, SHARED, SHORT)
    assert listing(one=(SENDER, SHARED, SHORT), two=()).senders("two") == ("",)


@pytest.mark.parametrize(
    ("sender", "states", "is_out"),
    [
        (SENDER, {}, None),
        (SENDER, words(sender=("n", 5)), True),
        (SENDER, words(all_=("n", 5)), True),
        (SENDER, words(offers=("n", 5)), True),  # its only program
        (SENDER, words(all_=("n", 5), offers=("y", 6)), False),
        (SENDER, words(all_=("y", 5), sender=("n", 6)), True),
        (SENDER, words(offers=("y", 5)), False),
        (SENDER, words(offers=("p", 5)), None),
        (SENDER, words(shared=("n", 5)), None),
        (SHARED, words(shared=("n", 5)), True),
        (SHARED, words(offers=("n", 5)), None),  # still in the other program
        (SHARED, words(offers=("n", 5), alerts=("n", 6)), True),
        (SHARED, words(offers=("n", 5), alerts=("y", 6)), None),
        (SHARED, words(shared=("n", 5), alerts=("y", 6)), None),
        (SHARED, words(shared=("y", 7), offers=("n", 5)), False),
        ("", words(all_=("n", 5)), True),
        ("", words(sender=("n", 5)), None),
        ("+15550199999", words(all_=("n", 5)), True),
    ],
)
def test_the_standing_at_a_sender(sender: str, states: dict[str, State], is_out: bool | None):  # noqa: FBT001 - a column of the table
    found = listing(one=()).standing(sender, states)
    assert (None if found is None else found.is_out) is is_out


def test_the_deciding_word_is_the_newest():
    found = listing(one=()).standing(SENDER, words(all_=("n", 5), sender=("n", 9), offers=("n", 7)))
    assert found is not None
    assert found.word.said_at == 9
