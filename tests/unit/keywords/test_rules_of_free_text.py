"""The rules R11, R12 and R14 to R26 of reading free text, in English. `tests/suites` judges it; this names the rules."""

import pytest

from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.normalise import CAP
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, Reach, Reading, ReadingClass

OPT_OUT, OTHER, HELP = ReadingClass.OPT_OUT, ReadingClass.OTHER, ReadingClass.HELP
CHAT = Context()
OURS = "Acme: shoes half price till Monday. Reply STOP to opt out, HELP for help"
REPLY = Context(marketing=True, last_sent=OURS)


@pytest.fixture(scope="module")
def reader() -> Reader:
    programs = [
        ProgramWords("offers", "Acme Offers", words=("deals",)),
        ProgramWords("alerts", "Acme Alerts"),
    ]
    return Interpreter.shipped().for_programs(programs)


def both(reader: Reader, text: str) -> tuple[Reading, Reading]:
    return reader.read(text, CHAT), reader.read(text, REPLY)


def ends(reading: Reading) -> bool:
    return reading.klass is OPT_OUT and reading.band is not Band.UNCLEAR


# -- echo and wrappers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Text STOP to 55501",
        "txt stop to 80160",
        "send STOP to 40404.",
        "Reply UNSUBSCRIBE to end",
        "Quit 2 end",
        "stop to cancel",
        "type stop",
        "STOP 85555",
        "'Stop' to unsubscribe",
        "stop2stop",
        "respond with stop",
        "reply STOP to stop receiving these messages",
    ],
)
def test_r11_our_instruction_repeated_is_an_opt_out_as_certain_as_a_keyword(
    reader: Reader, text: str
) -> None:
    for reading in both(reader, text):
        assert (reading.klass, reading.band) == (OPT_OUT, Band.CERTAIN)


@pytest.mark.parametrize(
    ("text", "reach", "program"),
    [
        ("STOP OFFERS", Reach.NAMED, "offers"),
        ("stop deals please", Reach.NAMED, "offers"),
        ("End Acme Alerts", Reach.NAMED, "alerts"),
        ("unsubscribe acme-offers", Reach.NAMED, "offers"),
        ("cancel alerts!", Reach.NAMED, "alerts"),
        ("STOP ALL", Reach.ALL, None),
        ("stop all deals", Reach.ALL, None),
        ("STOP OFFERS ALERTS", Reach.ALL, None),
        ("opt out deals", Reach.NAMED, "offers"),
        ("stop", Reach.DEFAULT, None),
    ],
)
def test_r12_the_word_of_a_program_narrows_and_all_widens(
    reader: Reader, text: str, reach: Reach, program: str | None
) -> None:
    for reading in both(reader, text):
        assert (reading.klass, reading.reach, reading.program) == (OPT_OUT, reach, program)


@pytest.mark.parametrize("text", ["STOP FRND", "stop horoscope", "Stop tones", "UNSUB CHAT"])
def test_r12_an_unknown_word_after_stop_narrows_nothing(reader: Reader, text: str) -> None:
    reading = reader.read(text, REPLY)
    assert (ends(reading), reading.reach) == (True, Reach.DEFAULT)


@pytest.mark.parametrize(
    "text",
    [
        "STOP\nSent from my iPhone",
        "stop - Maria",
        "Unsubscribe. -- Dr. Ann Miller",
        "Cancel\nKind regards",
        f"STOP\n> {OURS}",
        f"> {OURS}\nstop",
        f"quit\n{OURS}",
        f"{OURS}\n\nEND",
        "revoke\nGet Outlook for Android",
        "opt out\nSent via the app of a well known phone company",
    ],
)
def test_r14_signature_quoted_lines_and_a_copy_of_ours_are_taken_off(reader: Reader, text: str) -> None:
    reading = reader.read(text, REPLY)
    assert (reading.klass, reading.band) == (OPT_OUT, Band.CERTAIN)
    assert reading.span is not None
    start, end = reading.span
    assert text[start:end].lower() in {"stop", "unsubscribe", "cancel", "quit", "end", "revoke", "opt out"}


@pytest.mark.parametrize(
    "text", ["Sent from my iPhone", "- Maria", f"> {OURS}", OURS, f"{OURS} thanks, see you there"]
)
def test_r14_what_is_ours_or_a_signature_alone_says_nothing(reader: Reader, text: str) -> None:
    assert reader.read(text, REPLY).klass is OTHER


@pytest.mark.parametrize("quoted", [OURS, "STOP", "Text STOP to end. No more texts from us? Never!"])
@pytest.mark.parametrize(
    "form",
    [
        "Liked \u201c{}\u201d",
        'Loved "{}"',
        "Disliked \u201c{}\u201d",
        "Laughed at \u201c{}\u201d",
        "Emphasized \u201c{}\u201d",
        "Questioned \u201c{}\u201d",
        "Removed a heart from \u201c{}\u201d",
        "Reacted \U0001f602 to \u201c{}\u201d",
        "\u200a\u200b\U0001f44d\u200b to \u201c{}\u201d",
        "\u200a\u200c\U0001f44d\u200c Removed from \u201c{}\u201d",
    ],
)
def test_r15_a_reaction_is_no_reply_whatever_it_quotes(reader: Reader, form: str, quoted: str) -> None:
    for reading in both(reader, form.format(quoted)):
        assert reading.klass is ReadingClass.REACTION


@pytest.mark.parametrize(
    "text",
    [
        "[Auto Reply] STOP",
        "Auto-reply: stop",
        "Automatic reply: unsubscribe",
        "Out of office. Please remove me from your list",
        "autoreply - stop texting me",
        "Automated reply: wrong number",
        "(Auto response) Do not text me again",
        "Auto text: QUIT",
    ],
)
def test_r16_a_device_that_says_stop_is_believed(reader: Reader, text: str) -> None:
    assert reader.read(text, REPLY).klass in {OPT_OUT, ReadingClass.WRONG_NUMBER}
    empty = reader.read("[Auto Reply] I am driving and will call you later", REPLY)
    assert empty.klass is ReadingClass.AUTO_REPLY


# -- free text -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "will you please quit texting me at work",
        "I want you to stop messaging me this minute",
        "no more messages from this store",
        "dont ever text this number",
        "Do not contact me again about shoes",
        "kindly take my number off your marketing list",
        "remove my name from the list",
        "please delete my number from your system",
        "lose my number will ya",
        "I would like to unsubscribe from your texts",
        "opt me out of this nonsense",
        "We opt out of all of it",
        "leave me alone already",
        "I am no longer interested in receiving your texts",
        "enough with the promo texts",
        "I don't want these texts",
        "how do I stop these messages",
        "plz stp txting me",
    ],
)
def test_r17_what_a_reasonable_reader_takes_for_the_end_is_one(reader: Reader, text: str) -> None:
    for reading in both(reader, text):
        assert ends(reading), reading


@pytest.mark.parametrize(
    "text",
    [
        "pls don't stop these texts",
        "never stop sending me deals",
        "do not unsubscribe me, I like it",
        "I don't want you to stop",
        "please don't take me off the list",
        "dont remove me from the list",
        "I didn't ask you to stop",
        "no need to unsubscribe me",
        "why did you stop texting me",
    ],
)
def test_r18_a_negated_stop_is_none(reader: Reader, text: str) -> None:
    for reading in both(reader, text):
        assert not ends(reading), reading


@pytest.mark.parametrize(
    "text",
    [
        "I can stop by the shop at noon",
        "the bus stop is closed on Sunday",
        "I can't stop laughing",
        "we open till the end of the week",
        "see you at the end",
        "please cancel my appointment for Tuesday",
        "I need to cancel my dinner reservation",
        "he wants to quit his job",
        "I want to quit smoking",
        "remove milk from my shopping list",
        "unsubscribe me from the emails",
        "help me move the couch on Friday",
        "non-stop flights to Denver?",
    ],
)
def test_r19_other_objects_and_idioms_end_nothing(reader: Reader, text: str) -> None:
    for reading in both(reader, text):
        assert not ends(reading), reading


@pytest.mark.parametrize(
    "text",
    [
        "can I cancel?",
        "can I cancel my order?",
        "he told me to stop",
        "she said stop doing that to the dog",
        "my wife told me to stop eating so late",
        "when does the sale end?",
        "what time does it stop",
        "did you stop the delivery?",
        "what happens if I reply stop?",
    ],
)
def test_r20_questions_about_other_things_and_others_words_end_nothing(reader: Reader, text: str) -> None:
    assert not ends(reader.read(text, CHAT))


@pytest.mark.parametrize(
    "text",
    [
        "sorry, you have the wrong number",
        "Wrong number!!",
        "this is not John",
        "who is this? wrong person",
        "you got the wrong guy",
        "There is no Maria here",
        "my husband passed away last year",
        "this number belongs to someone else now",
        "not my name, wrong nbr",
    ],
)
def test_r21_who_was_never_meant_says_so(reader: Reader, text: str) -> None:
    assert reader.read(text, REPLY).klass is ReadingClass.WRONG_NUMBER


@pytest.mark.parametrize(
    "text",
    [
        "hell no",
        "go away",
        "get lost",
        "Fuck off",
        "piss off!",
        "screw you",
        "go to hell",
        "shut up",
        "buzz off",
    ],
)
def test_r22_hostility_is_a_refusal_as_an_answer_to_advertising_only(reader: Reader, text: str) -> None:
    chat, reply = both(reader, text)
    assert reply.klass is ReadingClass.REFUSAL
    assert chat.klass is OTHER


@pytest.mark.parametrize("text", ["no", "No.", "nope", "No thanks", "NO!!"])
def test_r22_a_bare_no_is_no_refusal(reader: Reader, text: str) -> None:
    reading = reader.read(text, REPLY)
    assert reading.klass is not ReadingClass.REFUSAL
    assert not ends(reading)


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("stpo", "stop"),
        ("STOPP", "stop"),
        ("5TOP", "stop"),
        ("sotp please", "stop"),
        ("unsubcribe", "unsubscribe"),
        ("unsuscribe me", "unsubscribe"),
        ("unsubscirbe", "unsubscribe"),
        ("cancle", "cancel"),
        ("CANCIL", "cancel"),
        ("revoek", "revoke"),
        ("opt uot", "opt out"),
        ("remvoe", "remove"),
    ],
)
def test_r23_one_slip_is_forgiven(reader: Reader, text: str, keyword: str) -> None:
    for reading in both(reader, text):
        assert (ends(reading), reading.keyword) == (True, keyword)


@pytest.mark.parametrize(
    "text",
    [
        "shop",
        "Step",
        "slop",
        "stow",
        "atop",
        "top",
        "stoop",
        "spot",
        "post",
        "cancer",
        "quiet",
        "quite",
        "suit",
        "star",
        "smart",
        "stars",
        "and",
        "en",
        "send",
        "bend",
    ],
)
def test_r23_a_real_word_is_no_slip(reader: Reader, text: str) -> None:
    for reading in both(reader, text):
        assert reading.klass is OTHER


@pytest.mark.parametrize(
    ("text", "klass", "rule"),
    [
        ("STOP", "opt_out", "keyword@"),
        ("please stop now", "opt_out", "keyword_loose@"),
        ("stop deals", "opt_out", "keyword_program@"),
        ("stpo", "opt_out", "typo@"),
        ("reply stop", "opt_out", "echo@"),
        ("please delete my number", "opt_out", "phrase@"),
        ("not interested", "opt_out", "phrase_reply@"),
        ("wrong number", "wrong_number", "wrong_number@"),
        ("get lost", "refusal", "refusal@"),
        ('Liked "x"', "reaction", "reaction@"),
        ("don't stop texting me", "other", "guarded@"),
        ("START", "opt_in", "keyword@"),
        ("help", "help", "keyword@"),
    ],
)
def test_r24_a_reading_names_its_rule_with_a_version_and_what_decided(
    reader: Reader, text: str, klass: str, rule: str
) -> None:
    reading = reader.read(text, REPLY)
    assert (reading.klass, reading.rule[: len(rule)]) == (klass, rule)
    assert reading.rule[len(rule) :].isdigit()
    assert reading.span is not None
    assert reading == reader.read(text, REPLY)
    assert reading.language in {"en", ""}


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("STOP", Band.CERTAIN),
        ("stop please", Band.CERTAIN),
        ("reply stop", Band.CERTAIN),
        ("stpo", Band.PROBABLE),
        ("please quit texting my phone", Band.PROBABLE),
        ("STOP! I said it twice now", Band.PROBABLE),
        ("stop help", Band.PROBABLE),
        ("stop start", Band.UNCLEAR),
        ("don't start", Band.UNCLEAR),
    ],
)
def test_r25_how_sure_a_reading_is(reader: Reader, text: str, band: Band) -> None:
    assert reader.read(text, CHAT).band is band


@pytest.mark.parametrize("length", [1, 10, CAP - 5, CAP, CAP + 1, 2 * CAP, 5 * CAP, 20 * CAP])
def test_r26_only_the_first_code_points_count(reader: Reader, length: int) -> None:
    late = "x" * length + " " + "please stop texting me"
    is_within = length + len(" please stop texting") <= CAP
    assert ends(reader.read(late, CHAT)) is is_within
