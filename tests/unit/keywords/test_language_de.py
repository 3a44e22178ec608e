"""German: what people answer to a text message, rule by rule (R10, R15, R17 to R21, R23)."""

import pytest
from support.languages import CHAT, PENDING, classes, ends_messages, fits_one_message, lexicon_of, reader_of

from gateway.keywords.interpreter import Reader
from gateway.keywords.lexicon import Lexicon
from gateway.keywords.reading import Band, Context, Reading, ReadingClass

REPLY = Context(marketing=True, last_sent="Acme: 10 % auf Jacken. STOPP = Ende")
NAME, CONTACT = "N" * 20, "hilfe@shop.example"


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_of("de")


@pytest.fixture(scope="module")
def reader(lexicon: Lexicon) -> Reader:
    return reader_of("de", lexicon)


def both(reader: Reader, text: str) -> list[Reading]:
    return [reader.read(text, context) for context in (REPLY, CHAT)]


# -- R10: keywords of the language -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Stopp",
        "abmelden",
        "ABBESTELLEN",
        "Stornieren!",
        "austragen, danke",
        "Bitte sofort abmelden",
        "stoooopp",
        "STOPP ihr Idioten",
    ],
)
def test_a_keyword_is_a_certain_opt_out_in_this_language(reader, text):
    for reading in both(reader, text):
        assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.CERTAIN)
        assert reading.language == "de"


@pytest.mark.parametrize("text", ["Ja", "bestätigen"])
def test_a_yes_is_a_word_only_while_an_opt_in_waits_for_it(reader, text):
    assert reader.read(text, CHAT).klass is ReadingClass.OTHER
    assert reader.read(text, PENDING).klass is ReadingClass.OPT_IN_CONFIRM


@pytest.mark.parametrize("text", ["stopp mal", "Stop mal bitte"])
def test_hold_on_between_friends_is_no_keyword(reader, text):
    assert not ends_messages(reader.read(text, CHAT))
    assert ends_messages(reader.read(text, REPLY))


# -- R14, R15, R16: what phones add ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Gefällt „Acme: Schluss? Mit STOPP abmelden.“",
        "Gefällt „Mit STOPP abmelden.“ nicht",
        "„Mit STOPP abmelden.“ ein Herz hinzugefügt",
        "„Mit STOPP abmelden.“ ein Fragezeichen hinzugefügt",
        "Herz von „Mit STOPP abmelden.“ entfernt",
        "Lachte über „Antworte STOPP“",
        "Hat mit 👍 auf „Mit STOPP abmelden.“ reagiert",
        "\u200a\u200b😂\u200b zu „\u200aMit STOPP abmelden.\u200a“\u200a",
        "Questioned “Mit STOPP abmelden.”",
        "Removed a heart from “Mit STOPP abmelden.”",
        "Gefällt ein Bild",
    ],
)
def test_a_reaction_to_our_instruction_is_no_reply(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.REACTION}


@pytest.mark.parametrize("text", ["Abmelden\n\nVon meinem iPad gesendet", "Stopp\nViele Grüße\nEva"])
def test_a_signature_hides_no_keyword(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    ["Abwesenheitsnotiz: bis Montag nicht da", "Bin gerade am Steuer", "Ich kann gerade nicht telefonieren"],
)
def test_the_answer_of_a_device_is_one(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.AUTO_REPLY}


# -- R17: free text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Hört bitte auf, mir diese Nachrichten zu schicken",
        "keine Gutscheine mehr",
        "Schicken Sie mir nichts mehr",
        "Ich brauche eure SMS nicht mehr",
        "nehmen Sie unsere Nummer aus Ihrer Datenbank",
        "loescht bitte meine handynummer",
        "Würdet ihr mich bitte austragen?",
        "Ich entziehe Ihnen hiermit meine Einwilligung",
        "Für sowas hab ich mich nie angemeldet",
        "Wo kann ich diesen Newsletter abbestellen?",
        "Schreibt mir nicht mehr",
        "Ich habe euch schon zweimal Stopp geschrieben",
    ],
)
def test_whoever_names_our_messages_opts_out_in_every_conversation(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "lasst mich in Ruhe",
        "kein Interesse",
        "Es reicht!",
        "hört auf damit",
        "will ich nicht mehr",
        "Abo kündigen",
    ],
)
def test_what_friends_say_too_opts_out_only_as_a_reply_to_advertising(reader, text):
    assert ends_messages(reader.read(text, REPLY))
    assert not ends_messages(reader.read(text, CHAT))


# -- R18, R19, R20: what holds an opt-out back -------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Bitte nicht abbestellen",
        "meldet mich bloß nicht ab",
        "Hört bitte nicht auf mit den Angeboten",
        "löscht meine Nummer bitte nicht",
        "Ich will die Angebote nicht verpassen",
        "Wieso kommen keine Nachrichten mehr?",
        "Ich habe noch keine SMS bekommen",
        "Können Sie den Tisch für acht stornieren?",
        "Ich muss meine Tochter vom Schwimmkurs abmelden",
        "Wir haben das Auto abgemeldet",
        "Nächster Stopp: Kassel",
        "Bis Ende Juni habe ich Zeit",
        "Am Ende war alles gut",
        "Um sechs ist Schluss",
        "Mit dem Rauchen hab ich aufgehört",
        "Kann ich noch kostenlos stornieren?",
        "Was passiert, wenn ich STOPP sende?",
        "Sie hat gesagt, ich soll aufhören",
        "Opa will keine SMS mehr von der Bank",
        "Ich habe aus Versehen Stopp geschickt",
        "Streich die Butter von der Einkaufsliste",
    ],
)
def test_a_negation_object_question_or_third_person_changes_nothing(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text", ["Keine E-Mails mehr, bitte", "Ich möchte keine Anrufe mehr", "Den Katalog bitte abbestellen"]
)
def test_another_channel_is_not_ours(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.OTHER}


# -- R21: the wrong number ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Falsche Nummer, sorry",
        "Sie haben sich verwählt",
        "Das ist nicht die Nummer von Jonas",
        "Herr Lange ist leider verstorben",
        "Hier gibt es keinen Ali",
    ],
)
def test_a_wrong_number_is_its_own_class(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.WRONG_NUMBER}


# -- R23: typing errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Stpop", "abmedlen", "abbestelen", "ABMELDEN1", "st0pp", "stornieern"])
def test_a_slip_of_the_finger_is_forgiven(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize("text", ["Stoff", "Stoppuhr", "Anwendung", "absenden", "Stock", "Kanzel"])
def test_a_real_word_is_no_slip(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.OTHER}


# -- R29: what we answer -----------------------------------------------------------------------------------


def test_every_text_fits_one_message_of_the_gsm_alphabet(lexicon):
    for text in lexicon.texts.values():
        assert fits_one_message(text.format(name=NAME, contact=CONTACT, frequency="", rates=""))


def test_the_confirmation_names_a_word_that_opts_in_again(lexicon):
    assert "START" in lexicon.texts["opt_out"]
    assert any(word.text == "start" and word.klass is ReadingClass.OPT_IN for word in lexicon.words)
