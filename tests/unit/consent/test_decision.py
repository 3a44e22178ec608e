"""May this address get a message of this program now?"""

import pytest

from gateway.consent.choice import Choice, Purpose
from gateway.consent.decision import Decision, ProgramRule, Reason, decide
from gateway.consent.state import State

SENDER = "@+15550100"
PATH = ("*", SENDER, "offers")
MARKETING = ProgramRule("offers", Purpose.MARKETING, Choice.NO, PATH)
SILENCE_IS_CONSENT = ProgramRule("offers", Purpose.MARKETING, Choice.YES, PATH)
# A marketing STOP to the sender does not bind a transactional program, so its path leaves the sender out.
TRANSACTIONAL = ProgramRule("orders", Purpose.TRANSACTIONAL, Choice.YES, ("*", "orders"))

# XDM choice: whether marketing and transactional messages go out, and the reason.
TABLE = {
    "y": (True, True, "consent", "consent"),
    "n": (False, False, "opted_out", "opted_out"),
    "p": (False, True, "pending_opt_in", "consent"),
    "u": (False, True, "choice_denies", "consent"),
    "dy": (True, True, "consent", "consent"),
    "dn": (False, False, "choice_denies", "choice_denies"),
    "LI": (True, True, "consent", "consent"),
    "CT": (False, True, "choice_denies", "consent"),
    "CP": (False, True, "choice_denies", "consent"),
    "VI": (False, True, "choice_denies", "consent"),
    "PI": (False, True, "choice_denies", "consent"),
}


def said(**states: tuple[str, int]) -> dict[str, State]:
    """Return states: scope=(choice, said_at); `all` stands for `*`, `sender` for the sender's scope."""
    names = {"all": "*", "sender": SENDER}
    return {names.get(key, key): State(Choice(value), at, at) for key, (value, at) in states.items()}


def test_the_table_below_knows_every_choice():
    assert set(TABLE) == {choice.value for choice in Choice}


@pytest.mark.parametrize("value", list(TABLE))
def test_what_each_choice_lets_through(value: str):
    marketing, transactional, *reasons = TABLE[value]
    states = said(offers=(value, 1), orders=(value, 1))
    found = [decide(rule, states, {}) for rule in (MARKETING, TRANSACTIONAL)]
    assert [one.allowed for one in found] == [marketing, transactional]
    assert [one.reason.value for one in found] == reasons
    assert [one.scope for one in found] == ["offers", "orders"]
    assert found[0].state == states["offers"]


def test_without_a_word_the_program_decides():
    assert decide(MARKETING, {}, {}) == Decision(allowed=False, reason=Reason.NO_CONSENT)
    assert decide(SILENCE_IS_CONSENT, {}, {}) == Decision(allowed=True, reason=Reason.DEFAULT_CONSENT)


def test_words_about_other_programs_and_senders_do_not_count():
    states = said(news=("n", 9), orders=("y", 9)) | {"@+15550999": State(Choice.NO, 9, 9)}
    assert decide(SILENCE_IS_CONSENT, states, {}).reason is Reason.DEFAULT_CONSENT
    assert decide(MARKETING, states, {}).reason is Reason.NO_CONSENT


@pytest.mark.parametrize(
    ("states", "reason", "scope"),
    [
        (said(offers=("y", 1), sender=("n", 2)), "opted_out", SENDER),
        (said(offers=("y", 1), all=("n", 2)), "opted_out", "*"),
        (said(offers=("y", 3), all=("n", 2), sender=("n", 1)), "consent", "offers"),
        (said(offers=("n", 3), all=("y", 2)), "opted_out", "offers"),
        (said(offers=("n", 1), sender=("y", 2)), "default_consent", None),
        (said(offers=("n", 1), all=("y", 2)), "default_consent", None),
        (said(offers=("y", 1), sender=("y", 2), all=("n", 3)), "opted_out", "*"),
    ],
)
def test_along_the_path_the_newest_word_wins(states: dict[str, State], reason: str, scope: str | None):
    found = decide(SILENCE_IS_CONSENT, states, {})
    assert (found.reason.value, found.scope) == (reason, scope)


@pytest.mark.parametrize("yes", PATH)
@pytest.mark.parametrize("no", PATH)
def test_ties_deny(yes: str, no: str):
    states = {yes: State(Choice.YES, 5, 1), no: State(Choice.NO, 5, 2)}
    assert decide(SILENCE_IS_CONSENT, states, {}).reason is Reason.OPTED_OUT


def test_an_assigned_value_never_displaces_a_persons_word_along_the_path():
    assert decide(MARKETING, said(offers=("LI", 9), all=("n", 1)), {}).reason is Reason.OPTED_OUT
    assert decide(MARKETING, said(offers=("y", 1), sender=("dn", 9), all=("dn", 9)), {}).allowed


@pytest.mark.parametrize("broad", ["all", "sender"])
@pytest.mark.parametrize(
    ("rule", "reason"), [(MARKETING, "no_consent"), (SILENCE_IS_CONSENT, "default_consent")]
)
def test_a_broad_consent_is_none_to_a_program_of_which_the_person_never_heard(
    broad: str, rule: ProgramRule, reason: str
):
    found = decide(rule, said(**{broad: ("y", 5)}), {})
    assert (found.reason.value, found.scope, found.state) == (reason, None, None)


def test_a_broad_consent_lifts_an_older_broad_withdrawal_for_the_programs_that_were_there():
    states = said(sender=("y", 5), offers=("y", 5), all=("n", 4))
    assert decide(MARKETING, states, {}).allowed
    assert decide(
        ProgramRule("new", Purpose.MARKETING, Choice.NO, ("*", SENDER, "new")), states, {}
    ).reason is (Reason.NO_CONSENT)


def test_all_programs_asked_about_as_a_whole_need_a_word_for_all():
    whole = ProgramRule("*", Purpose.MARKETING, Choice.NO, ("*",))
    assert decide(whole, said(all=("y", 1)), {}).allowed
    assert decide(whole, said(all=("n", 1)), {}).reason is Reason.OPTED_OUT
    assert decide(whole, said(offers=("y", 1)), {}).reason is Reason.NO_CONSENT


def test_a_marketing_stop_to_the_sender_does_not_stop_a_transactional_program_but_one_for_all_does():
    assert decide(TRANSACTIONAL, said(sender=("n", 5)), {}).reason is Reason.DEFAULT_CONSENT
    assert decide(TRANSACTIONAL, said(all=("n", 5)), {}).reason is Reason.OPTED_OUT
    assert decide(TRANSACTIONAL, said(all=("n", 5), orders=("y", 6)), {}).allowed


@pytest.mark.parametrize("states", [{}, said(offers=("y", 9)), said(offers=("n", 9))])
def test_a_suppression_denies_whatever_was_said(states: dict[str, State]):
    for rule in (MARKETING, SILENCE_IS_CONSENT, TRANSACTIONAL):
        found = decide(rule, states, {"hard_bounce": object()})
        assert found == Decision(allowed=False, reason=Reason.SUPPRESSED)


@pytest.mark.parametrize(
    ("states", "suppressions", "channel", "code"),
    [
        (said(offers=("y", 1)), {}, "sms", None),
        (said(offers=("n", 1)), {}, "email", "050101"),
        (said(offers=("n", 1)), {}, "sms", "050104"),
        (said(offers=("p", 1)), {}, "push", "050111"),
        ({}, {}, "sms", "050104"),
        ({}, {}, "postal", None),
        ({}, {"complaint": 1}, "email", "050102"),
        ({}, {"deactivated": 1}, "sms", "050107"),
    ],
)
def test_adobes_code_for_the_same_exclusion(
    states: dict[str, State], suppressions: dict[str, object], channel: str, code: str | None
):
    assert decide(MARKETING, states, suppressions).ajo_code(channel) == code


def test_a_broad_consent_is_none_to_a_program_that_the_person_has_only_ever_left():
    for default, allowed in ((Choice.NO, False), (Choice.YES, True)):
        rule = ProgramRule("offers", Purpose.MARKETING, default, ("*", "@+15550199000", "offers"))
        states = {"offers": State(Choice.NO, 1, 1), "@+15550199000": State(Choice.YES, 2, 2)}
        assert decide(rule, states, {}).allowed is allowed


EVERYTHING = ProgramRule("*", Purpose.MARKETING, Choice.NO, ("*",))


@pytest.mark.parametrize(
    ("states", "allowed"),
    [
        ({}, False),
        (said(all=("y", 1)), True),
        (said(all=("y", 1), sender=("n", 2)), False),
        (said(all=("y", 3), sender=("n", 2), offers=("n", 1)), True),
        (said(offers=("y", 1)), False),
        (said(all=("y", 1), offers=("n", 2)), False),
    ],
)
def test_asked_about_everything_a_word_to_any_program_or_sender_counts(states: dict[str, State], allowed):
    assert decide(EVERYTHING, states, {}).allowed is allowed
