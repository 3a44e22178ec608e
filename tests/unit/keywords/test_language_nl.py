"""Dutch: what people answer to a text message, rule by rule (R10, R15, R17 to R21, R23)."""

import pytest
from support.languages import CHAT, PENDING, classes, ends_messages, fits_one_message, lexicon_of, reader_of

from gateway.keywords.interpreter import Reader
from gateway.keywords.lexicon import Lexicon
from gateway.keywords.reading import Band, Context, Reading, ReadingClass

REPLY = Context(marketing=True, last_sent="Acme: 10% op jassen. STOP = einde")
NAME, CONTACT = "N" * 20, "hulp@shop.example"


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_of("nl")


@pytest.fixture(scope="module")
def reader(lexicon: Lexicon) -> Reader:
    return reader_of("nl", lexicon)


def both(reader: Reader, text: str) -> list[Reading]:
    return [reader.read(text, context) for context in (REPLY, CHAT)]


# -- R10: keywords of the language -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Stop",
        "afmelden",
        "UITSCHRIJVEN",
        "stop uit!",
        "stoppen, dank u",
        "Graag direct afmelden",
        "stoooop",
        "STOP idioten",
    ],
)
def test_a_keyword_is_a_certain_opt_out_in_this_language(reader, text):
    for reading in both(reader, text):
        assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.CERTAIN)
        assert reading.language == "nl"


@pytest.mark.parametrize("text", ["Ja", "akkoord"])
def test_a_yes_is_a_word_only_while_an_opt_in_waits_for_it(reader, text):
    assert reader.read(text, CHAT).klass is ReadingClass.OTHER
    assert reader.read(text, PENDING).klass is ReadingClass.OPT_IN_CONFIRM


@pytest.mark.parametrize("text", ["stop even", "Stop nou"])
def test_hold_on_between_friends_is_no_keyword(reader, text):
    assert not ends_messages(reader.read(text, CHAT))
    assert ends_messages(reader.read(text, REPLY))


# -- R14, R15, R16: what phones add ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Vond \u2018Acme: antwoord STOP om je af te melden.\u2019 leuk",
        "Vond \u2018Antwoord STOP.\u2019 niet leuk",
        "Lachte om “Antwoord STOP.”",
        "Benadrukte \u2018Antwoord STOP.\u2019",
        "Zette een vraagteken bij \u2018Antwoord STOP.\u2019",
        "Verwijderde een hartje van \u2018Antwoord STOP.\u2019",
        "Reageerde met 😂 op \u2018Antwoord STOP.\u2019",
        "\u200a\u200b👍\u200b op \u2018\u200aAntwoord STOP.\u200a\u2019\u200a",
        "Questioned “Antwoord STOP.”",
        "Removed a heart from “Antwoord STOP.”",
        "Vond een afbeelding leuk",
    ],
)
def test_a_reaction_to_our_instruction_is_no_reply(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.REACTION}


@pytest.mark.parametrize("text", ["Afmelden\n\nVerzonden vanaf mijn Samsung", "Stop\nGroeten van\nEva"])
def test_a_signature_hides_no_keyword(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "Afwezigheidsbericht: maandag terug",
        "Ik zit achter het stuur, ben aan het rijden",
        "Ik kan nu niet bellen",
    ],
)
def test_the_answer_of_a_device_is_one(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.AUTO_REPLY}


# -- R17: free text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Stop alstublieft met mij deze berichten te sturen",
        "geen kortingscodes meer",
        "Stuur mij niks meer",
        "Ik heb jullie sms'jes niet meer nodig",
        "haal ons nummer uit jullie database",
        "verwijder mn nr aub",
        "Zouden jullie me willen uitschrijven?",
        "Hierbij trek ik mijn toestemming in",
        "Ik heb me nooit voor deze berichten aangemeld",
        "Waar kan ik deze nieuwsbrief opzeggen?",
        "Sms mij niet meer",
        "Ik heb al twee keer stop gestuurd",
    ],
)
def test_whoever_names_our_messages_opts_out_in_every_conversation(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    ["laat mij met rust", "geen interesse", "Genoeg!", "hou op hiermee", "dit wil ik niet meer", "Uit"],
)
def test_what_friends_say_too_opts_out_only_as_a_reply_to_advertising(reader, text):
    assert ends_messages(reader.read(text, REPLY))
    assert not ends_messages(reader.read(text, CHAT))


# -- R18, R19, R20: what holds an opt-out back -------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Niet uitschrijven aub",
        "meld me alsjeblieft niet af",
        "Stop alsjeblieft niet met de aanbiedingen",
        "verwijder mijn nummer maar niet",
        "Ik wil de aanbiedingen niet missen",
        "Waarom komen er geen berichten meer?",
        "Ik heb nog geen sms ontvangen",
        "Kunt u de tafel van acht uur annuleren?",
        "Ik moet mijn dochter afmelden voor zwemles",
        "We hebben de auto uitgeschreven",
        "Volgende stop: Zwolle",
        "Eind juni heb ik tijd",
        "Aan het eind kwam alles goed",
        "Stop de sleutel maar in de brievenbus",
        "Ik ben gestopt met roken",
        "Kan ik nog gratis annuleren?",
        "Wat gebeurt er als ik STOP antwoord?",
        "Ze zei dat ik moest ophouden",
        "Opa wil geen sms meer van de bank",
        "Ik heb per ongeluk stop gestuurd",
        "Haal de boter van het boodschappenlijstje",
    ],
)
def test_a_negation_object_question_or_third_person_changes_nothing(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "Geen e-mails meer aub",
        "Ik wil geen telefoontjes meer",
        "De catalogus graag opzeggen, geen folders meer",
    ],
)
def test_another_channel_is_not_ours(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.OTHER}


# -- R21: the wrong number ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Verkeerd nummer, sorry",
        "U bent verkeerd verbonden",
        "Dit is niet het nummer van Joost",
        "Meneer De Lange is helaas overleden",
        "Hier woont geen Ali",
    ],
)
def test_a_wrong_number_is_its_own_class(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.WRONG_NUMBER}


# -- R23: typing errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Stpo", "afmedlen", "uitschrjven", "AFMELDEN1", "st0p", "uitschrijvne"])
def test_a_slip_of_the_finger_is_forgiven(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize("text", ["Stof", "Stoep", "Aanleiding", "afbeelding", "Stap", "inschrijver"])
def test_a_real_word_is_no_slip(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.OTHER}


# -- R29: what we answer -----------------------------------------------------------------------------------


def test_every_text_fits_one_message_of_the_gsm_alphabet(lexicon):
    for text in lexicon.texts.values():
        assert fits_one_message(text.format(name=NAME, contact=CONTACT, frequency="", rates=""))


def test_the_confirmation_names_a_word_that_opts_in_again(lexicon):
    assert "START" in lexicon.texts["opt_out"]
    assert any(word.text == "start" and word.klass is ReadingClass.OPT_IN for word in lexicon.words)
