"""Dead letters: one for one content, counted, handled, dropped and deleted when old, on both engines."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, select, text
from support.entries import NOW

from gateway.errors import OurTroubleError
from gateway.store.dead_letters import DeadLetter, DeadLetters, LetterKind, UnknownLetterError
from gateway.store.engine import writing
from gateway.store.tables import audit, dead_letters

LETTER = DeadLetter(
    id="0123456789abcdef01234567",
    account="acme",
    kind=LetterKind.INBOUND,
    reason="no JSON",
    received_at=NOW,
    method="POST",
    url="https://sms.example.com/sms/acme",
    headers={"content-type": "application/json", "ce-source": "\u00e4"},
    body=b"\x00\xff{",
    repeated_at=NOW,
)


@pytest.fixture
def letters(engine: Engine) -> DeadLetters:
    return DeadLetters(engine)


def deeds(engine: Engine) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(audit.c.at, audit.c.actor, audit.c.action))]


def number(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(connection.execute(select(dead_letters.c.id)).all())


def test_a_letter_comes_back_as_it_was_kept(letters: DeadLetters):
    assert letters.keep(LETTER)
    assert letters.find(LETTER.id) == LETTER
    assert letters.all(handled=False, limit=10) == [LETTER]
    assert letters.waiting() == 1


def test_the_same_content_is_one_letter_that_counts(letters: DeadLetters):
    letters.keep(LETTER)
    assert not letters.keep(replace(LETTER, received_at=NOW + 7))
    assert not letters.keep(replace(LETTER, received_at=NOW - 7))
    assert letters.find(LETTER.id) == replace(LETTER, deliveries=3, repeated_at=NOW + 7)


def test_a_handled_letter_waits_no_more_and_stays_handled(letters: DeadLetters, engine: Engine):
    letters.keep(LETTER)
    assert letters.handle(LETTER.id, actor="cli:ann", now=NOW + 1)
    assert not letters.handle(LETTER.id, actor="cli:ann", now=NOW + 2)
    letters.keep(LETTER)
    assert letters.waiting() == 0
    assert letters.all(handled=False, limit=10) == []
    assert [letter.handled_at for letter in letters.all(handled=True, limit=10)] == [NOW + 1]
    assert deeds(engine) == [(NOW + 1, "cli:ann", "dead_letter.handle")]


def test_a_dropped_letter_is_gone_and_who_did_it_is_written_down(letters: DeadLetters, engine: Engine):
    letters.keep(LETTER)
    letters.drop(LETTER.id, actor="cli:ann", now=NOW)
    with pytest.raises(UnknownLetterError):
        letters.find(LETTER.id)
    with pytest.raises(UnknownLetterError):
        letters.drop(LETTER.id, actor="cli:ann", now=NOW)
    assert deeds(engine) == [(NOW, "cli:ann", "dead_letter.drop")]


def test_letters_are_listed_oldest_first_and_bounded(letters: DeadLetters):
    for age in (3, 1, 2):
        letters.keep(replace(LETTER, id=f"{age}", received_at=NOW - age))
    assert [letter.id for letter in letters.all(handled=True, limit=2)] == ["3", "2"]


def test_old_letters_go_handled_or_not(letters: DeadLetters, engine: Engine):
    for age in range(1200):
        letters.keep(replace(LETTER, id=f"{age}", received_at=NOW - age))
        if age > 1195:
            letters.handle(f"{age}", actor="x", now=NOW)
    assert letters.prune(before=NOW - 99, most=10**6) == 1100
    assert number(engine) == 100
    assert letters.prune(before=NOW - 99, most=10**6) == 0


def test_beyond_the_most_the_handled_go_first_and_then_the_oldest(letters: DeadLetters):
    for age in range(6):
        letters.keep(replace(LETTER, id=f"{age}", received_at=NOW - age))
    letters.handle("0", actor="x", now=NOW)
    assert letters.prune(before=0, most=4) == 2
    assert [letter.id for letter in letters.all(handled=True, limit=9)] == ["4", "3", "2", "1"]


def test_a_database_without_the_table_is_our_trouble(letters: DeadLetters, engine: Engine):
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE dead_letters RENAME TO elsewhere"))
    try:
        for use in (
            lambda: letters.keep(LETTER),
            lambda: letters.find("x"),
            lambda: letters.all(handled=True, limit=1),
            letters.waiting,
            lambda: letters.handle("x", actor="x", now=NOW),
            lambda: letters.drop("x", actor="x", now=NOW),
            lambda: letters.prune(before=NOW, most=1),
        ):
            with pytest.raises(OurTroubleError):
                use()
    finally:
        with writing(engine) as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO dead_letters"))
