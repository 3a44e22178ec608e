"""What an operator sees of what goes out, and what can be done about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from support.entries import NOW, entry
from support.outgoing import forward

from gateway.consent.entry import Reply
from gateway.store.engine import open_engine, writing
from gateway.store.ledger import LedgerRules, open_ledger
from gateway.store.tables import audit

KEY = b"k" * 32


@pytest.fixture
def engine(migrated, tmp_path: Path) -> Iterator[Engine]:  # noqa: ARG001 - the database must be there
    engine = open_engine(f"sqlite:///{tmp_path}/gateway.sqlite3")
    yield engine
    engine.dispose()


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A reply, two forwards and a sync; all but one forward are dead."""
    ledger = open_ledger(engine, LedgerRules(KEY, clock=lambda: NOW))
    words = Reply("help", "text of help", inline=False)
    rows = [
        forward(account="acme", body=b"From=%2B15550100001&Body=hi", received_at=NOW + each)
        for each in (0, 1)
    ]
    ledger.record([entry(1, None, klass="help", account="acme", reply=words)], [row.row() for row in rows])
    ledger.close()
    with writing(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO syncs VALUES (:subject, 'acme', '+15555550199', 1, 'dead', 10, :now, :now, '40001')"
            ),
            {"subject": b"s" * 16, "now": NOW},
        )
        connection.execute(text("UPDATE outbox SET state = 'dead', result = 'unknown'"))
        connection.execute(
            text("UPDATE forwards SET state = 'dead', result = '500' WHERE received_at = :now"), {"now": NOW}
        )
    return engine


def ids(told, *options: str) -> dict[str, str]:
    return {row["kind"] + "/" + row["state"]: row["id"] for row in told("outbox", "list", *options)}


def states(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [
            str(state)
            for table in ("outbox", "forwards", "syncs")
            for (state,) in connection.execute(text(f"SELECT state FROM {table} ORDER BY due_at"))
        ]


@pytest.mark.usefixtures("engine")
def test_an_empty_outbox(run, told):
    assert told("outbox", "list") == []
    assert "0 due" in run("doctor", code=1).output


@pytest.mark.usefixtures("filled")
def test_the_list_shows_what_waits_and_what_is_dead_without_content(run, told):
    rows = told("outbox", "list")
    assert sorted((row["kind"], row["state"], row["result"]) for row in rows) == [
        ("forward", "dead", "500"),
        ("forward", "due", None),
        ("reply", "dead", "unknown"),
        ("sync", "dead", "40001"),
    ]
    shown = run("outbox", "list").output
    assert "5550100001" not in shown + str(rows)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("options", "number"),
    [
        (("--kind", "forward"), 2),
        (("--state", "dead"), 3),
        (("--kind", "sync", "--kind", "reply"), 2),
        (("--account", "other"), 0),
        (("--limit", "1"), 1),
        (("--state", "done"), 0),
    ],
)
def test_the_list_can_be_narrowed(told, options, number):
    assert len(told("outbox", "list", *options)) == number


@pytest.mark.usefixtures("filled")
def test_show_has_the_content(run, told):
    found = ids(told)
    shown = told("outbox", "show", found["forward/dead"])
    assert (shown["body"], shown["result"]) == ("From=%2B15550100001&Body=hi", "500")
    assert "text of help" in run("outbox", "show", found["reply/dead"]).output
    assert told("outbox", "show", found["sync/dead"])["sender"] == "+15555550199"


def test_retry_makes_a_dead_one_due_and_writes_it_down(filled, told):
    found = ids(told)
    assert told("outbox", "retry", found["forward/dead"], found["sync/dead"]) == {
        "retried": [found["forward/dead"], found["sync/dead"]]
    }
    assert states(filled) == ["dead", "due", "due", "due"]
    with filled.connect() as connection:
        rows = connection.execute(select(audit.c.action, audit.c.subject)).all()
    assert [row.action for row in rows] == ["outbox.retry"] * 2
    assert rows[1].subject == b"s" * 16


@pytest.mark.usefixtures("filled")
def test_retry_of_all_leaves_the_replies(told):
    assert len(told("outbox", "retry", "--all")["retried"]) == 2
    assert ids(told).keys() == {"forward/due", "sync/due", "reply/dead"}


@pytest.mark.usefixtures("filled")
def test_a_reply_is_never_sent_again(run, told):
    result = run("outbox", "retry", ids(told)["reply/dead"], code=1)
    assert "never sent again" in result.stderr


@pytest.mark.usefixtures("filled")
def test_what_is_not_dead_is_not_retried(run, told):
    assert "is due, and must be dead" in run("outbox", "retry", ids(told)["forward/due"], code=1).stderr


def test_drop_lets_go_and_forgets(filled, told):
    found = ids(told)
    told("outbox", "drop", found["forward/dead"], found["forward/due"], found["reply/dead"])
    with filled.connect() as connection:
        rows = connection.execute(text("SELECT state, result, body, url, headers FROM forwards")).all()
    assert [tuple(row) for row in rows] == [("dropped", "by_hand", b"", "", "[]")] * 2
    assert ids(told).keys() == {"sync/dead"}


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    "item_id",
    [
        "",
        "forward",
        "forward:zz:zz",
        "forward:00:00",
        "letter:1",
        "reply:" + "00" * 16 + ":x",
        "sync:" + "00" * 16,
    ],
)
def test_an_id_that_is_none_is_told(run, item_id):
    for command in ("show", "retry", "drop"):
        result = run("outbox", command, item_id, code=1)
        assert "id" in result.stderr or "never sent" in result.stderr


@pytest.mark.usefixtures("engine")
def test_an_unknown_id_is_told(run):
    for command in ("show", "retry", "drop"):
        result = run("outbox", command, f"forward:{'00' * 16}:{'11' * 16}", code=1)
        assert "no item has" in result.stderr


def test_the_doctor_tells_of_dead_ones_but_not_of_replies(filled, told):
    findings = {each["what"]: each for each in told("doctor", code=1)}
    assert not findings["outbox"]["ok"]
    assert "2 dead" in findings["outbox"]["found"]
    with writing(filled) as connection:
        connection.execute(text("DELETE FROM forwards"))
        connection.execute(text("DELETE FROM syncs"))
    assert {each["what"]: each["ok"] for each in told("doctor", code=1)}["outbox"]
