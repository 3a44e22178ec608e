"""Italian: what people answer to a text message, rule by rule (R10, R15, R17 to R21, R23)."""

import pytest
from support.languages import CHAT, PENDING, classes, ends_messages, lexicon_of, reader_of

from gateway.flows.segments import segments
from gateway.keywords.interpreter import Reader
from gateway.keywords.lexicon import Lexicon
from gateway.keywords.reading import Band, Context, Reach, Reading, ReadingClass

REPLY = Context(marketing=True, last_sent="Acme: saldi fino a domenica. Rispondi STOP")
VALUES = {
    "name": "N" * 20,
    "contact": "aiuto@shop.example",
    "frequency": "4 SMS al mese.",
    "rates": "Costi standard.",
}


@pytest.fixture(scope="module")
def lexicons() -> list[Lexicon]:
    return [lexicon_of("it"), lexicon_of("it-x-unsourced")]


@pytest.fixture(scope="module")
def reader(lexicons: list[Lexicon]) -> Reader:
    return reader_of("it", *lexicons)


@pytest.fixture(scope="module")
def wider(lexicons: list[Lexicon]) -> Reader:
    return reader_of("it-x-unsourced", *lexicons)


def both(reader: Reader, text: str) -> list[Reading]:
    return [reader.read(text, context) for context in (REPLY, CHAT)]


# -- R10: keywords of the language -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop sms grazie", "Disiscrizione", "CANCELLATEMI!", "cancellami per favore", "stop cazzo"],
)
def test_a_keyword_is_a_certain_opt_out_in_italian(reader, text):
    for reading in both(reader, text):
        assert (reading.klass, reading.band, reading.language) == (ReadingClass.OPT_OUT, Band.CERTAIN, "it")


@pytest.mark.parametrize("text", ["Esci", "ANNULLA", "termina", "cancella", "interrompi"])
def test_an_unsourced_word_is_chat_unless_the_program_names_it_or_answers_advertising(reader, wider, text):
    assert reader.read(text, CHAT).klass is ReadingClass.OTHER
    assert ends_messages(reader.read(text, REPLY))
    assert wider.read(text, CHAT).band is Band.CERTAIN


def test_guida_asks_for_help_only_where_it_is_named(reader, wider):
    assert classes(both(reader, "GUIDA")) == {ReadingClass.OTHER}
    assert classes(both(wider, "GUIDA")) == {ReadingClass.HELP}


@pytest.mark.parametrize("text", ["Sì", "SI", "confermo"])
def test_a_yes_is_a_word_only_while_an_opt_in_waits_for_it(reader, text):
    assert reader.read(text, CHAT).klass is ReadingClass.OTHER
    assert reader.read(text, PENDING).klass is ReadingClass.OPT_IN_CONFIRM


@pytest.mark.parametrize("text", ["no", "No.", "nono", "fine"])
def test_a_bare_no_or_end_is_chat(reader, text):
    assert reader.read(text, CHAT).klass is ReadingClass.OTHER


# -- R15, R16: what phones add ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        "Ha messo “Mi piace” a {}",
        "Ha messo “Non mi piace” a {}",
        "Ha messo un cuore a {}",
        "Ha adorato {}",
        "Ha riso a {}",
        "Ha evidenziato {}",
        "Ha messo in dubbio {}",
        "Ha reagito con 😂 a {}",
        "Ha reagito 🔥 a {}",
        "Ha rimosso un cuore da {}",
        "Ha tolto il “Mi piace” a {}",
        "\u200a\u200b😂\u200b a {}",
        "Laughed at {}",
        "Removed a question mark from {}",
    ],
)
@pytest.mark.parametrize("quoted", ["“Acme: saldi! Rispondi STOP”", "«Per disiscriverti: STOP»"])
def test_a_reaction_to_our_instruction_is_no_reply(reader, form, quoted):
    assert classes(both(reader, form.format(quoted))) == {ReadingClass.REACTION}


@pytest.mark.parametrize("text", ["Ha messo “Mi piace” a un'immagine", "Ha adorato un video"])
def test_a_reaction_to_an_image_is_no_reply(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.REACTION}


@pytest.mark.parametrize("text", ["Stop\n\nInviato dal mio Galaxy", "Disiscrizione\nDistinti saluti\nAnna"])
def test_a_signature_hides_no_keyword(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "Risposta automatica: torno lunedì",
        "Sto guidando",
        "In questo momento non posso parlare",
        "Sono in ferie fino al 20, risponderò al rientro",
    ],
)
def test_the_answer_of_a_device_is_one(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.AUTO_REPLY}


# -- R11, R12, R17: what ends messages -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["Rispondi STOP al 48383", "invia stop per non ricevere più messaggi", "STOP 48383"]
)
def test_our_instruction_repeated_is_certain(reader, text):
    for reading in both(reader, text):
        assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.CERTAIN)


@pytest.mark.parametrize(
    "text",
    [
        "piantatela di inviarmi sconti",
        "la finisca chi vi paga, smettete di mandare sms",
        "evitate di mandarmi altre proposte",
        "basta coi messaggini",
        "sospendete gli invii",
        "non gradisco più le vostre comunicazioni",
        "nn voglio + ricevere volantini",
        "non intendo essere contattata",
        "nn inviatemi piu promo",
        "non mi mandi più avvisi",
        "nessun altro messaggio",
        "mai più sms da voi",
        "non ho più bisogno delle vostre notifiche",
        "toglietemi da sto elenco",
        "mi può rimuovere dalla lista",
        "eliminate il mio recapito dai vostri archivi",
        "scordatevi il mio numero",
        "chiedo la rimozione dei miei dati, eliminate i miei dati",
        "intendo disiscrivermi",
        "come ci si disiscrive",
        "come posso non ricevere altri sms",
        "non ho mai autorizzato le vostre promozioni",
        "nego ogni consenso",
        "mi oppongo all'invio di messaggi",
        "vi diffido dal mandarmi altri sms",
        "sono esausta dei vostri messaggi",
        "i vostri avvisi non mi interessano",
        "ve l'ho già scritto di togliermi",
        "avevo già risposto stop",
        "perché continuo a ricevere le vostre offerte",
    ],
)
def test_whoever_wants_no_more_messages_says_so_in_every_conversation(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "Basta!",
        "ora basta",
        "smettetela subito",
        "lasciatemi perdere",
        "non mi interessa più",
        "avete stufato",
        "nn li voglio",
        "come si disdice?",
        "siete assillanti",
        "stop non sono più cliente",
    ],
)
def test_as_the_reply_to_advertising_it_ends_messages_and_between_people_it_is_chat(reader, text):
    assert ends_messages(reader.read(text, REPLY))
    assert reader.read(text, CHAT).klass is not ReadingClass.OPT_OUT


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("STOP TUTTO", Reach.ALL),
        ("toglietemi da tutte le liste", Reach.ALL),
        ("non voglio più ricevere nulla", Reach.ALL),
        ("niente promozioni, solo notifiche sulle consegne", Reach.MARKETING),
        ("basta sconti", Reach.DEFAULT),
    ],
)
def test_the_words_tell_how_far_the_opt_out_reaches(reader, text, reach):
    assert {reading.reach for reading in both(reader, text) if ends_messages(reading)} == {reach}


def test_mail_is_another_channel_unless_the_texts_are_named_too(reader):
    assert classes(both(reader, "non mandatemi più email")) == {ReadingClass.OTHER}
    assert all(map(ends_messages, both(reader, "non mandatemi più email né sms")))


# -- R18, R19, R20: what does not ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "non smettete di mandarmi le offerte",
        "non rimuovetemi dalla lista",
        "non ho intenzione di disiscrivermi",
        "non voglio rinunciare ai vostri messaggi",
        "non ho mai detto stop",
        "non perdete il mio numero",
    ],
)
def test_a_negation_turns_the_words_around(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "basta un messaggio",
        "mi basta poco",
        "fermata del tram",
        "a fine anno",
        "nevica senza sosta",
        "orario no stop",
        "annullate la mia prenotazione",
        "vorrei disdire l'abbonamento in palestra",
        "disiscrivere mia figlia dal corso",
        "togli il pane dalla lista della spesa",
        "toglietemi dalla lista d'attesa",
        "cancella la chat",
        "smettila di fumare",
        "mandatemi più informazioni",
        "non ricevo più i vostri sms",
        "non mi è arrivato nessun messaggio",
    ],
)
def test_other_objects_and_idioms_are_no_opt_outs(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "cosa succede se scrivo STOP?",
        "come annullo la consegna?",
        "quando finisce la promozione?",
        "perché non mi scrivete più?",
        "mi ha detto di smettere di scrivergli",
        "mio figlio ha scritto stop per errore",
        "lui vuole disiscriversi da netflix",
        "ho smesso di mandare messaggi",
        "Anna non mi scrive più",
    ],
)
def test_questions_third_persons_and_the_past_are_no_opt_outs(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


# -- R21, R22 and the rest -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "mi sa che avete sbagliato persona",
        "questo numero non è più di Paolo",
        "qui non c'è nessun Carlo",
        "non sono la signora Verdi",
        "mio nonno è venuto a mancare",
        "destinatario errato",
    ],
)
def test_a_wrong_number_is_told_apart(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.WRONG_NUMBER}


@pytest.mark.parametrize(
    "text", ["andate al diavolo", "fottetevi", "sparite dal mio telefono", "branco di ladri"]
)
def test_hostility_without_messages_is_a_refusal_of_advertising_only(reader, text):
    assert reader.read(text, REPLY).klass is ReadingClass.REFUSAL
    assert reader.read(text, CHAT).klass is ReadingClass.OTHER


@pytest.mark.parametrize(
    ("text", "klass"),
    [
        ("iscrivetemi di nuovo", ReadingClass.OPT_IN),
        ("vorrei ricevere di nuovo le offerte", ReadingClass.OPT_IN),
        ("chi siete?", ReadingClass.HELP),
        ("da dove avete preso il mio numero", ReadingClass.HELP),
    ],
)
def test_joining_and_asking_for_help_are_understood(reader, text, klass):
    assert classes(both(reader, text)) == {klass}


# -- R23: slips of the finger ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["stpo", "sotp", "cancelatemi", "disicrizione", "ST0P", "cancellamii", "disiscrizone"]
)
def test_a_slip_of_the_finger_is_forgiven(reader, text):
    assert ends_messages(reader.read(text, REPLY))


@pytest.mark.parametrize(
    "text",
    [
        "qui",
        "step",
        "top",
        "cancellato",
        "cancelli",
        "descrizione",
        "discrezione",
        "auto",
        "acuto",
        "iscriviti",
    ],
)
def test_a_real_word_is_no_slip(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


# -- what we answer --------------------------------------------------------------------------------------


def test_every_text_fits_one_message(lexicons):
    for key, text in lexicons[0].texts.items():
        assert segments(text.format(**VALUES)) == 1, key


def test_the_confirmation_tells_how_to_return(lexicons):
    assert "START" in lexicons[0].texts["opt_out"]
    assert "START" in lexicons[0].texts["opt_out_nameless"]
