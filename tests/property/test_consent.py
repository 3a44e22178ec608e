"""What must hold of consent for every order, repetition and grouping of what people say."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from support.entries import KEY, NOW, entry
from support.memory import MemoryLedger

from gateway.consent import chain
from gateway.consent.choice import EFFECTS, WORD_WEIGHT, Choice, Purpose
from gateway.consent.decision import ProgramRule, Reason, decide
from gateway.consent.entry import Entry, Reply, Result
from gateway.consent.person import replay
from gateway.consent.scope import ALL, join, split

SENDER = "@+15550199000"
SCOPES = [ALL, SENDER, "news", "offers"]
OFFERS = ProgramRule("offers", Purpose.MARKETING, Choice.NO, (ALL, SENDER, "offers"))
MINUTE = 60_000_000

# Within the loop guard's window, beyond it, and a day later.
moments = st.sampled_from([0, 1, 2, 3, 11, 12, 1440, 1450]).map(lambda minutes: NOW + minutes * MINUTE)
scopes = st.sets(st.sampled_from(SCOPES), min_size=1).map(join)
choices = st.sampled_from([None, *Choice])


@st.composite
def words(draw: st.DrawFn) -> Entry:
    """One person's word, of which `message_id` may come again; the same id always says the same."""
    choice = draw(choices)
    said_at = draw(moments)
    return entry(
        draw(st.integers(0, 1)),
        choice,
        scope="" if choice is None else draw(scopes),
        said_at=said_at,
        at=said_at + draw(st.integers(0, 3)) * MINUTE,
    )


@st.composite
def messages(draw: st.DrawFn) -> Entry:
    """A word with everything that can hang on it: a reply, conditions, and readings by context."""
    key = st.sampled_from([None, Reply("a", "inline"), Reply("b", "by API", inline=False)])
    plain = draw(words())
    changed = {
        "klass": draw(st.sampled_from(["opt_in", "opt_out", "help"])),
        "reply": draw(key),
        "only_if_new": draw(st.booleans()),
        "only_over": draw(choices),
        "pending_since": draw(moments),
    }
    fields = {name: getattr(plain, name) for name in Entry.__slots__} | changed
    if fields["choice"] is None:
        return Entry(**fields)
    other = draw(st.sampled_from(Choice))
    read_otherwise = Entry(**fields | {"choice": other, "only_over": None})
    return Entry(
        **fields
        | {
            "when_pending": draw(st.sampled_from([None, read_otherwise])),
            "when_consenting": draw(st.sampled_from([None, read_otherwise])),
        }
    )


def standing(ledger: MemoryLedger) -> dict[tuple[bytes, str], tuple[Choice, int]]:
    return {
        (subject, scope): (state.choice, state.said_at)
        for subject, person in ledger.persons().items()
        for scope, state in person.states.items()
    }


def recorded(entries: Sequence[Entry], sizes: Sequence[int] = ()) -> MemoryLedger:
    """Record the entries in groups of these sizes, what is left one by one."""
    ledger, rest = MemoryLedger(), list(entries)
    for size in sizes:
        ledger.record(rest[:size])
        rest = rest[size:]
    for one in rest:
        ledger.record([one])
    return ledger


@given(
    st.lists(words(), min_size=1, max_size=12).flatmap(lambda said: st.tuples(st.just(said), repeats(said)))
)
def test_order_and_repetition_do_not_matter(both: tuple[list[Entry], list[Entry]]):
    said, again = both
    for sizes in ([], [len(again)]):
        assert standing(recorded(again, sizes)) == standing(recorded(said))
        assert len(recorded(again, sizes).events) == len(said)


def repeats(said: list[Entry]) -> st.SearchStrategy[list[Entry]]:
    """All of them in any order, any of them any number of times."""
    return st.lists(st.sampled_from(said), max_size=8).flatmap(lambda more: st.permutations([*said, *more]))


def weight_of(word: Entry) -> tuple[bool, int, int]:
    assert word.choice is not None
    weight = EFFECTS[word.choice].weight
    return (weight >= WORD_WEIGHT, word.said_at, weight)


@given(st.lists(words(), min_size=1, max_size=12))
def test_in_each_scope_the_last_word_of_the_person_stands(said: list[Entry]):
    expected: dict[tuple[bytes, str], Entry] = {}
    for word in said:
        for scope in split(word.scope):
            place = (word.subject, scope)
            if place not in expected or weight_of(word) > weight_of(expected[place]):
                expected[place] = word
    found = standing(recorded(said))
    assert found == {place: (word.choice, word.said_at) for place, word in expected.items()}


def binds(word: Entry, choice: Choice) -> bool:
    return word.choice is choice and bool(set(split(word.scope)) & set(OFFERS.path))


@given(st.lists(words(), max_size=10), st.data())
def test_a_withdrawal_is_never_undone_by_what_was_said_before_it_or_with_it(
    said: list[Entry], data: st.DataObject
):
    mine = [word for word in said if word.subject == entry(0).subject]
    latest = max((word.said_at for word in mine if binds(word, Choice.YES)), default=NOW)
    stop = entry(0, Choice.NO, scope=data.draw(st.sampled_from(OFFERS.path)), said_at=latest, at=latest)
    ledger = recorded(data.draw(st.permutations([*said, stop])))
    decision = decide(OFFERS, ledger.person(stop.subject).states, {})
    assert not decision.allowed
    assert decision.reason in {Reason.OPTED_OUT, Reason.PENDING}


@given(st.lists(words(), max_size=10), st.sampled_from(OFFERS.path))
def test_who_unsubscribes_last_is_out_whether_it_makes_an_event_or_not(said: list[Entry], scope: str):
    now = NOW + 10_000 * MINUTE
    ledger = recorded([*said, entry(0, Choice.NO, scope=scope, at=now, only_if_new=True)])
    decision = decide(OFFERS, ledger.person(entry(0).subject).states, {})
    assert decision.reason is Reason.OPTED_OUT


@given(st.lists(messages(), max_size=12))
def test_the_person_is_rebuilt_from_the_ledger_as_it_stands(said: list[Entry]):
    ledger = recorded(said)
    for subject, person in ledger.persons().items():
        assert replay(ledger.events_of(subject), key=KEY) == person


@given(st.lists(messages(), max_size=12), st.lists(st.integers(1, 6), max_size=6))
def test_a_group_of_any_size_records_what_its_entries_record_one_by_one(said: list[Entry], sizes: list[int]):
    together, singly = recorded(said, sizes), recorded(said)
    key = ("subject", "seq")
    assert sorted_by(together.events, key) == sorted_by(singly.events, key)
    assert together.persons() == singly.persons()
    assert together.rows.keys() == singly.rows.keys()


def sorted_by(rows: list, names: tuple[str, ...]) -> list:
    return sorted(rows, key=lambda row: tuple(getattr(row, name) for name in names))


@given(st.lists(messages(), max_size=12), st.data())
def test_a_message_that_made_an_event_makes_no_other(said: list[Entry], data: st.DataObject):
    ledger = recorded(said)
    before, rows = len(ledger.events), dict(ledger.rows)
    taken = {(event.subject, event.message_id) for event in ledger.events}
    repeated = [one for one in said if (one.subject, one.message_id) in taken]
    outcomes = ledger.record(data.draw(st.permutations(repeated)))
    assert {outcome.result for outcome in outcomes} <= {Result.DUPLICATE}
    assert all(outcome.reply is None for outcome in outcomes)
    assert (len(ledger.events), ledger.rows) == (before, rows)


@given(st.lists(messages(), min_size=1, max_size=10))
def test_every_ledger_verifies_and_none_without_one_of_its_events(said: list[Entry]):
    ledger = recorded(said)
    for subject, person in ledger.persons().items():
        events = ledger.events_of(subject)
        last = {"head": person.head, "last_seq": person.last_seq, "key": KEY}
        assert chain.verify(subject, events, **last) == []
        for number in range(len(events)):
            assert chain.verify(subject, events[:number] + events[number + 1 :], **last)
