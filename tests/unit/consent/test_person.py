"""How an entry changes what is held about a person."""

from dataclasses import replace

import pytest
from support.entries import KEY, NOW, entry

from gateway.consent.choice import Choice
from gateway.consent.entry import Entry, Outcome, Reply, Result
from gateway.consent.event import Event
from gateway.consent.person import (
    NOBODY,
    Person,
    ReplyLimits,
    Writing,
    record,
    replay,
    replies_from_text,
    replies_to_text,
)
from gateway.consent.state import State

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SCOPE = "@+15550199000"
HELP = Reply("help", "Help text")


class Story:
    """One person, entry by entry."""

    def __init__(self, limits: ReplyLimits | None = None) -> None:
        self.person: Person = NOBODY
        self.events: list[Event] = []
        self._limits = limits or ReplyLimits()

    def say(self, said: Entry) -> Outcome:
        writing = Writing(KEY, said.received_at + 1, self._limits, bytes(16))
        self.person, outcome = record(said, self.person, writing)
        if outcome.event is not None:
            self.events.append(outcome.event)
        return outcome

    def choice(self, scope: str = SCOPE) -> Choice | None:
        state = self.person.states.get(scope)
        return None if state is None else state.choice


@pytest.fixture
def story() -> Story:
    return Story()


def asks(at: int = NOW, **fields: object) -> Entry:
    return entry(0, None, klass="help", reply=HELP, at=at, **fields)


def test_an_entry_becomes_an_event_with_its_place(story: Story):
    outcome = story.say(entry(0, reply=Reply("opt_out", "bye"), actor="anna"))
    event = outcome.event
    assert outcome.result is Result.RECORDED
    assert event is not None
    assert (event.seq, event.reply, event.actor, event.recorded_at) == (1, "opt_out", "anna", NOW + 1)
    assert story.person.states == {SCOPE: State(Choice.NO, NOW, 1)}
    assert story.say(entry(0)).event.seq == 2  # type: ignore[union-attr]  # recorded


def test_the_person_given_is_not_changed(story: Story):
    story.say(entry(0))
    before = story.person
    states = dict(before.states)
    story.say(entry(0, Choice.YES, scope="* offers", at=NOW + 1))
    assert dict(before.states) == states
    assert Person() == NOBODY


def test_the_same_kind_of_reply_is_given_once_in_ten_minutes(story: Story):
    assert story.say(asks()).reply == HELP
    held = story.say(asks(NOW + 10 * MINUTE - 1))
    assert held.reply is None
    assert held.event is not None
    assert held.event.reply is None
    assert story.say(asks(NOW + 10 * MINUTE)).reply == HELP


def test_a_reply_that_was_held_back_does_not_prolong_the_silence(story: Story):
    story.say(asks())
    story.say(asks(NOW + 9 * MINUTE))
    assert story.say(asks(NOW + 11 * MINUTE)).reply == HELP


def test_three_replies_of_a_kind_are_given_in_a_day(story: Story):
    given = [story.say(asks(NOW + number * HOUR)).reply for number in range(6)]
    assert given == [HELP] * 3 + [None] * 3
    assert story.say(asks(NOW + DAY - 1)).reply is None
    assert story.say(asks(NOW + DAY)).reply == HELP


def test_other_kinds_and_other_senders_are_counted_by_themselves(story: Story):
    story.say(asks())
    assert story.say(replace(asks(NOW + 1), klass="opt_in")).reply == HELP
    assert story.say(asks(NOW + 1, sender="+15550199001")).reply == HELP


def test_consent_is_updated_though_the_reply_is_held_back(story: Story):
    for number in range(6):
        choice = (Choice.NO, Choice.YES)[number % 2]
        story.say(entry(0, choice, klass="x", reply=HELP, at=NOW + number))
        assert story.choice() is choice


def test_limits_can_be_set():
    story = Story(ReplyLimits(window=MINUTE, per_day=1))
    assert story.say(asks()).reply == HELP
    assert story.say(asks(NOW + HOUR)).reply is None


def test_a_late_message_is_guarded_too(story: Story):
    story.say(asks(NOW + HOUR))
    assert story.say(asks(NOW + HOUR - MINUTE)).reply is None


def test_replies_older_than_a_day_are_forgotten(story: Story):
    story.say(asks())
    story.say(entry(0, at=NOW + DAY))
    assert story.person.replies == ()


def once(choice: Choice, at: int, scope: str = SCOPE) -> Entry:
    return entry(0, choice, scope=scope, at=at, only_if_new=True)


def test_a_repeat_of_what_stands_leaves_no_event(story: Story):
    assert story.say(once(Choice.NO, NOW)).result is Result.RECORDED
    before = story.person
    assert story.say(once(Choice.NO, NOW + 1)) == Outcome(Result.UNCHANGED)
    assert story.person is before
    assert story.say(once(Choice.YES, NOW + 2)).result is Result.RECORDED
    assert story.say(once(Choice.NO, NOW + 3)).result is Result.RECORDED


def test_a_repeat_must_stand_in_every_scope(story: Story):
    story.say(once(Choice.NO, NOW, "offers"))
    assert story.say(once(Choice.NO, NOW + 1, "* offers")).result is Result.RECORDED
    assert story.say(once(Choice.NO, NOW + 2, "* offers")).result is Result.UNCHANGED


@pytest.mark.parametrize(("out", "back"), [("offers", "*"), ("*", "offers"), (SCOPE, "*"), ("*", SCOPE)])
def test_a_withdrawal_that_was_lifted_from_another_scope_is_no_repeat(story: Story, out: str, back: str):
    """Unsubscribed from all, came back to one program, unsubscribes from all again: that must count."""
    story.say(once(Choice.NO, NOW, out))
    story.say(entry(0, Choice.YES, scope=back, at=NOW + 1))
    assert story.say(once(Choice.NO, NOW + 2, out)).result is Result.RECORDED
    assert story.say(once(Choice.NO, NOW + 3, out)).result is Result.UNCHANGED


def test_a_word_about_another_program_or_an_assigned_value_lifts_nothing(story: Story):
    story.say(once(Choice.NO, NOW, "offers"))
    story.say(entry(0, Choice.YES, scope="news", at=NOW + 1))
    story.say(entry(0, Choice.LEGITIMATE_INTEREST, scope="*", at=NOW + 1))
    assert story.say(once(Choice.NO, NOW + 2, "offers")).result is Result.UNCHANGED


def test_without_a_choice_there_is_nothing_that_could_stand(story: Story):
    for at in (NOW, NOW + 1):
        assert story.say(entry(0, None, at=at, only_if_new=True)).result is Result.RECORDED


def test_an_entry_that_may_only_displace_something_else_leaves_no_event(story: Story):
    undo = entry(0, Choice.YES, only_over=Choice.NO, at=NOW + 5)
    assert story.say(undo).result is Result.UNCHANGED
    story.say(entry(0, Choice.NO, at=NOW))
    assert story.say(undo).result is Result.RECORDED
    assert story.say(replace(undo, message_id="again")).result is Result.UNCHANGED


def test_what_is_displaced_must_stand_in_every_scope(story: Story):
    story.say(entry(0, Choice.NO, scope="offers"))
    undo = entry(0, Choice.YES, scope="* offers", only_over=Choice.NO, at=NOW + 5)
    assert story.say(undo).result is Result.UNCHANGED


def starts(at: int) -> Entry:
    """START at a desk with double opt-in: it waits, unless the person is in already."""
    plain = entry(0, Choice.YES, klass="opt_in", scope=f"{SCOPE} offers", at=at)
    return replace(plain, choice=Choice.PENDING, when_consenting=plain)


def yes(at: int, *, waits: int = HOUR) -> Entry:
    """YES at the same desk: a confirmation if an opt-in waits, else nothing."""
    nothing = entry(0, None, klass="other", at=at)
    confirming = replace(nothing, klass="opt_in_confirm", choice=Choice.YES, scope=f"{SCOPE} offers")
    return replace(nothing, when_pending=confirming, pending_since=at - waits)


def test_an_opt_in_waits_for_its_confirmation(story: Story):
    story.say(starts(NOW))
    assert story.choice("offers") is Choice.PENDING
    story.say(yes(NOW + 1))
    assert story.choice("offers") is story.choice() is Choice.YES
    assert [event.klass for event in story.events] == ["opt_in", "opt_in_confirm"]


def test_a_confirmation_of_nothing_is_no_consent(story: Story):
    story.say(yes(NOW))
    assert story.choice() is None
    assert story.events[0].klass == "other"


def test_a_confirmation_that_comes_too_late_is_no_consent(story: Story):
    story.say(starts(NOW))
    story.say(yes(NOW + HOUR + 1))
    assert story.choice() is Choice.PENDING
    story.say(starts(NOW + 2 * HOUR))
    story.say(yes(NOW + 3 * HOUR))
    assert story.choice() is Choice.YES


def test_a_stop_while_an_opt_in_waits_takes_it_back(story: Story):
    story.say(starts(NOW))
    story.say(entry(0, Choice.NO, scope=f"{SCOPE} offers", at=NOW + 1))
    story.say(yes(NOW + 2))
    assert story.choice() is story.choice("offers") is Choice.NO


def test_a_stop_to_all_while_an_opt_in_waits_takes_it_back_too(story: Story):
    story.say(starts(NOW))
    story.say(entry(0, Choice.NO, scope="*", at=NOW + 1))
    story.say(yes(NOW + 2))
    assert story.choice("*") is Choice.NO
    assert story.choice("offers") is Choice.PENDING


def test_who_has_stopped_all_is_not_in_already(story: Story):
    story.say(starts(NOW))
    story.say(yes(NOW + 1))
    story.say(entry(0, Choice.NO, scope="*", at=NOW + 2))
    story.say(starts(NOW + 3))
    assert story.choice("offers") is Choice.PENDING


def test_who_is_in_already_is_not_made_to_wait(story: Story):
    story.say(starts(NOW))
    story.say(yes(NOW + 1))
    story.say(starts(NOW + 2))
    assert story.choice() is story.choice("offers") is Choice.YES


def test_who_is_in_for_some_of_it_only_waits(story: Story):
    story.say(entry(0, Choice.YES, scope="offers"))
    story.say(starts(NOW + 1))
    assert story.choice() is Choice.PENDING


@pytest.mark.parametrize("choice", [Choice.NO, Choice.PENDING, Choice.UNKNOWN, Choice.CONTRACT])
def test_what_does_not_let_marketing_through_is_not_being_in(story: Story, choice: Choice):
    story.say(entry(0, choice, scope=f"{SCOPE} offers"))
    story.say(starts(NOW + 1))
    assert story.choice() is Choice.PENDING


def test_waiting_comes_before_being_in(story: Story):
    """START START YES: the second START finds the first waiting, not a consent."""
    both = replace(starts(NOW + 1), when_pending=yes(NOW + 1).when_pending)
    story.say(starts(NOW))
    story.say(both)
    assert story.events[-1].klass == "opt_in_confirm"


def test_a_person_is_rebuilt_with_its_head_and_replies(story: Story):
    story.say(asks())
    story.say(entry(0, at=NOW + 1, reply=Reply("opt_out", "bye")))
    story.say(asks(NOW + 2))
    assert replay(story.events, key=KEY) == story.person
    story.say(entry(0, at=NOW + DAY))
    assert replay(story.events, key=KEY) == story.person
    assert replay(iter(story.events[:1]), key=KEY).last_seq == 1
    assert replay([], key=KEY) == NOBODY


def test_replies_survive_their_way_through_the_row(story: Story):
    story.say(asks(sender='Ärme "1"'))
    story.say(asks(NOW + 1))
    text = replies_to_text(story.person.replies)
    assert replies_from_text(text) == story.person.replies
    assert len(story.person.replies) == 2
    assert replies_to_text(()) is None
    assert replies_from_text(None) == ()


def test_a_day_later_the_same_word_is_a_new_one_and_outlives_what_was_said_in_between(story: Story):
    story.say(once(Choice.NO, NOW))
    assert story.say(once(Choice.NO, NOW + DAY)).result is Result.RECORDED
    late = replace(entry(0, Choice.YES, scope=SCOPE, at=NOW + DAY + 1), said_at=NOW + DAY - 1)
    story.say(late)
    assert story.person.states[SCOPE].choice is Choice.NO
