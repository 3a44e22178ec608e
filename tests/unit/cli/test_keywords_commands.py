"""`gateway keywords` and `gateway interpret`, as operators and translators type them."""

import json
from pathlib import Path

import pytest

OWN = 'language = "tlh"\n[words]\nopt_out = ["mev"]\n[phrases]\nopt_out = ["mev nabeq"]\n[guards]\nphrases = ["ghobe mev"]\n'


@pytest.fixture
def own(run) -> str:  # noqa: ARG001 - which moves into the folder of the test
    Path("tlh.toml").write_text(OWN)
    return "tlh.toml"


# -- interpret -------------------------------------------------------------------------------------------


def test_a_text_is_read_as_an_answer_to_advertising_where_the_program_is(told):
    assert told("interpret", "not interested", "--program", "offers")["class"] == "opt_out"
    assert told("interpret", "not interested", "--program", "offers", "--chat")["class"] == "other"
    assert told("interpret", "not interested", "--marketing")["class"] == "opt_out"


def test_our_own_message_is_left_out_of_what_answers_it(told):
    ours = "Big sale today. Reply STOP to end"
    assert told("interpret", f"{ours} haha", "--last-sent", ours)["class"] == "other"


def test_what_the_gateway_would_do_is_shown(run, told):
    document = told("interpret", "please STOP!!", "--program", "offers")
    assert (document["choice"], document["reply"], document["reach"]) == ("n", "opt_out", "default")
    assert document["reply_text"].startswith("Acme Offers: you are unsubscribed")
    shown = run("interpret", "please STOP!! [x]", "--program", "offers").output
    assert "reply_text: Acme Offers: you are unsubscribed" in shown
    assert "text: please STOP!! [x]" in shown


# -- explain ---------------------------------------------------------------------------------------------


def test_the_guard_is_shown_with_its_line_below_the_text(run, own):
    shown = run("keywords", "explain", "ghobe mev nabeq", "--file", own).output
    assert "held back by tlh.toml:7: ghobe mev" in shown
    assert "  ghobe mev nabeq\n        ^^^^^^^^^ opt_out, held back\n    tlh.toml:5: mev nabeq" in shown
    assert "phrases: ghobe mev nabeq\n    -> other, certain (guarded@1)" in shown


def test_an_explanation_is_a_document_too(told, own):
    document = told("keywords", "explain", "mev nabeq", "--file", own)
    (phrase,) = document["phrases"]
    assert (phrase["place"], phrase["text"], phrase["decided"]) == ("tlh.toml:5", "mev nabeq", True)
    assert [step["stage"] for step in document["steps"]] == ["wrappers", "keywords", "typos", "phrases"]
    assert (document["class"], document["choice"]) == ("opt_out", "n")


def test_what_a_wrapper_leaves_is_shown(run):
    shown = run("keywords", "explain", "STOP\n> Reply STOP", "--language", "en").output
    assert "wrappers: stop reply stop\n    -> the rest: stop" in shown
    shown = run("keywords", "explain", "Auto reply: gone", "--language", "en").output
    assert "-> the rest: gone; if that says nothing: auto_reply, probable (auto_reply@1)" in shown


def test_a_phrase_for_answers_to_advertising_is_shown_as_such(run):
    shown = run("keywords", "explain", "I am not interested", "--language", "en", "--chat").output
    assert "counts as a reply to advertising only" in shown


def test_without_languages_and_files_the_settings_are_asked(run, told):
    assert told("keywords", "explain", "stop offers")["program"] is None
    assert told("keywords", "explain", "stop offers", "--program", "offers")["program"] == "offers"
    Path("config/gateway.toml").unlink()
    assert "keys.master" in run("keywords", "explain", "stop", code=1).stderr
    assert told("keywords", "explain", "\u9000\u8ba2", "--language", "zh")["class"] == "opt_out"


def test_an_unknown_language_is_told_with_the_known_ones(run):
    shown = run("keywords", "explain", "stop", "--language", "tlh", code=2).stderr
    assert 'unknown language "tlh"; known are ' in shown


def test_a_wrong_file_is_one_line_not_a_trace(run):
    Path("bad.toml").write_text('language = "tlh"\n[words]\nhelp = ["stop"]\n')
    result = run("keywords", "explain", "stop", "--file", "bad.toml", code=1)
    assert result.stderr.startswith('bad.toml:3: "stop" cannot be a word of help')


# -- lint ------------------------------------------------------------------------------------------------


def test_a_good_file_has_no_remarks(run, told, own):
    assert run("keywords", "lint", own).output == "0 faults, 0 notes\n"
    assert told("keywords", "lint", own) == []


def test_notes_leave_the_exit_code_and_faults_do_not(run, told, own):
    Path("note.toml").write_text('language = "tlh"\n[sets]\na = ["x"]\n')
    assert (
        "note.toml:3: note: no phrase uses the set <a>\n0 faults, 1 notes"
        in run("keywords", "lint", own, "note.toml").output
    )
    Path("bad.toml").write_text('language = "tlh"\n[words]\nhelp = ["mev"]\n')
    assert "bad.toml:3: fault: " in run("keywords", "lint", own, "bad.toml", code=1).output
    assert [each["grade"] for each in told("keywords", "lint", own, "bad.toml", code=1)] == ["fault"]


def test_a_file_that_cannot_be_read_is_told(run):
    assert "nope.toml: cannot be read" in run("keywords", "lint", "nope.toml", code=1).stderr


def test_without_a_file_the_shipped_ones_and_those_of_the_settings_are_looked_at(run):
    Path("own").mkdir()
    Path("own/tlh.toml").write_text('language = "tlh"\n[sets]\na = ["x"]\n')
    config = Path("config/gateway.toml")
    config.write_text(config.read_text() + '[interpreter]\nlanguages = "own"\n')
    shown = run("keywords", "lint").output
    assert "own/tlh.toml:3: note: no phrase uses the set <a>" in shown
    assert "\n0 faults, " in shown


# -- try -------------------------------------------------------------------------------------------------


def test_a_plain_file_is_read_line_by_line(run, told):
    Path("texts.txt").write_text("STOP\n\nsee you at eight\n")
    document = told("keywords", "try", "texts.txt")
    assert [(each["line"], each["class"], each["agrees"]) for each in document["texts"]] == [
        (1, "opt_out", None),
        (3, "other", None),
    ]
    assert document["summary"] == {
        "texts": 2,
        "expected": 0,
        "agreed": 0,
        "classes": {"opt_out": 1, "other": 1},
    }
    shown = run("keywords", "try", "texts.txt").output
    assert "1 opt_out, 1 other" in shown
    assert "as expected" not in shown


def test_a_trial_reads_as_messages_to_a_marketing_program_are_read(told):
    Path("texts.txt").write_text("not interested")
    (found,) = told("keywords", "try", "texts.txt", "--language", "en")["texts"]
    assert (found["class"], found["marketing"]) == ("opt_out", True)
    (found,) = told("keywords", "try", "texts.txt", "--language", "en", "--chat")["texts"]
    assert (found["class"], found["marketing"]) == ("other", False)


TSV = """\
# last_sent\tBig sale today. Reply STOP to end
class\tcontext\ttext
opt_out\tany\tSTOP
opt_out\tmarketing\tnot interested
other\tchat\tnot interested
other\tmarketing\tBig sale today. Reply STOP to end\\nhaha
unclear\tchat\tstop start
"""


def test_a_table_is_compared_with_what_it_expects(run, told):
    Path("texts.tsv").write_text(TSV)
    document = told("keywords", "try", "texts.tsv", "--language", "en")
    assert document["summary"]["agreed"] == document["summary"]["expected"] == 6  # any: in both contexts
    assert [each["line"] for each in document["texts"]] == [3, 3, 4, 5, 6, 7]
    assert "6 of 6 as expected" in run("keywords", "try", "texts.tsv", "--language", "en").output


def test_what_is_read_otherwise_makes_the_exit_code_1(run, told):
    Path("texts.csv").write_text('text,class\n"please, stop",opt_out\nSTOP,help\nstop start,opt_out\n')
    document = told("keywords", "try", "texts.csv", "--language", "en", "--chat", "--wrong", code=1)
    assert [(each["line"], each["agrees"]) for each in document["texts"]] == [(3, False), (4, False)]
    assert (
        "1 of 3 as expected"
        in run("keywords", "try", "texts.csv", "--language", "en", "--chat", code=1).output
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text\tclass\nSTOP\tgone\n", 'texts.tsv:2: unknown class "gone"; known are auto_reply, help'),
        ("text\tcontext\nSTOP\tparty\n", 'texts.tsv:2: unknown context "party"'),
        ("class\ttext\nopt_out\n", "texts.tsv:2: has no text"),
    ],
)
def test_a_wrong_table_is_told_with_its_line(run, text, message):
    Path("texts.tsv").write_text(text)
    assert message in run("keywords", "try", "texts.tsv", code=1).stderr


def test_the_suites_of_the_project_are_tables_too(told):
    suite = Path(__file__).parents[2] / "suites" / "en.tsv"
    document = json.loads(
        json.dumps(told("keywords", "try", str(suite), "--language", "en", "--wrong", code=1))
    )
    assert document["summary"]["agreed"] > 0.9 * document["summary"]["expected"]
