"""Which word stands in a scope."""

from dataclasses import replace

import pytest
from support.entries import KEY, NOW, entry

from gateway.consent.choice import EFFECTS, WORD_WEIGHT, Choice
from gateway.consent.event import Event
from gateway.consent.person import NOBODY, ReplyLimits, Writing, record
from gateway.consent.state import State, changes, rebuild

WORDS = [choice for choice in Choice if EFFECTS[choice].weight >= WORD_WEIGHT]
ASSIGNED = [choice for choice in Choice if EFFECTS[choice].weight < WORD_WEIGHT]


def event(choice: Choice | None, *, said_at: int = NOW, scope: str = "offers", seq: int = 1) -> Event:
    writing = Writing(KEY, NOW + 10, ReplyLimits(), bytes(16))
    _, outcome = record(entry(0, choice, scope=scope, said_at=said_at), NOBODY, writing)
    assert outcome.event is not None
    return replace(outcome.event, seq=seq)


def test_a_word_stands_in_every_scope_it_was_said_for():
    found = changes({}, event(Choice.NO, scope="* @+15550199000 offers", seq=7))
    assert found == dict.fromkeys(["*", "@+15550199000", "offers"], State(Choice.NO, NOW, 7))


def test_an_event_without_a_choice_changes_nothing():
    assert changes({}, event(None, scope="")) == {}


@pytest.mark.parametrize("new", WORDS)
@pytest.mark.parametrize("old", WORDS)
def test_of_two_words_the_newer_stands(old: Choice, new: Choice):
    standing = {"offers": State(old, NOW - 1, 1)}
    assert changes(standing, event(new, seq=2))["offers"].choice is new
    standing = {"offers": State(old, NOW + 1, 1)}
    assert changes(standing, event(new, seq=2)) == {}


@pytest.mark.parametrize(("word", "heavier"), [("n", "y"), ("n", "p"), ("p", "y")])
def test_at_the_same_time_the_more_restrictive_word_stands(word: str, heavier: str):
    restrictive, other = Choice(word), Choice(heavier)
    assert changes({"offers": State(other, NOW, 1)}, event(restrictive))["offers"].choice is restrictive
    assert changes({"offers": State(restrictive, NOW, 1)}, event(other)) == {}


def test_the_same_word_at_the_same_time_leaves_the_first_event():
    assert changes({"offers": State(Choice.NO, NOW, 1)}, event(Choice.NO, seq=2)) == {}


@pytest.mark.parametrize("assigned", ASSIGNED)
@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_never_displaced_by_an_assigned_value_however_new(word: Choice, assigned: Choice):
    assert changes({"offers": State(word, NOW - 1000, 1)}, event(assigned)) == {}
    found = changes({"offers": State(assigned, NOW + 1000, 1)}, event(word))
    assert found["offers"].choice is word


def test_no_two_choices_weigh_the_same():
    assert len({effect.weight for effect in EFFECTS.values()}) == len(EFFECTS) == len(Choice)


def test_states_are_rebuilt_from_events():
    said = [
        event(Choice.YES, seq=1, said_at=NOW - 5),
        event(Choice.NO, seq=2, scope="*"),
        event(Choice.NO, seq=3, said_at=NOW - 9),
    ]
    assert rebuild(said) == {
        "offers": State(Choice.YES, NOW - 5, 1),
        "*": State(Choice.NO, NOW, 2),
    }
