"""Spanish: what people answer to a text message, rule by rule (R10, R15, R17 to R21, R23)."""

import pytest
from support.languages import CHAT, PENDING, classes, ends_messages, fits_one_message, lexicon_of, reader_of

from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.lexicon import Lexicon
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Band, Context, Reading, ReadingClass
from gateway.keywords.texts import TEXT_KEYS

REPLY = Context(marketing=True, last_sent="Acme: 20% en botas. Responde BAJA para no recibir SMS.")
VALUES = {
    "name": "N" * 20,
    "contact": "ayuda@acme.example",
    "frequency": "4 SMS al mes.",
    "rates": "Sin coste.",
}


@pytest.fixture(scope="module")
def spanish() -> Lexicon:
    return lexicon_of("es")


@pytest.fixture(scope="module")
def reader(spanish: Lexicon) -> Reader:
    return reader_of("es", spanish)


def both(reader: Reader, text: str) -> list[Reading]:
    return [reader.read(text, context) for context in (REPLY, CHAT)]


# -- R10: the words of the language -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Baja",
        "cancelar, gracias",
        "PARAR",
        "Salir!",
        "darme de baja por favor",
        "detener promociones",
        "bajaaa ya",
    ],
)
def test_a_keyword_is_a_certain_opt_out_that_is_answered_in_spanish(reader, text):
    for reading in both(reader, text):
        assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.CERTAIN)
        assert reading.language == "es"


def test_stop_is_answered_in_spanish(reader):
    assert reader.read("STOP").language == "es"


@pytest.mark.parametrize("text", ["SÍ", "si", "acepto"])
def test_a_spanish_yes_confirms_only_a_pending_opt_in_and_only_in_spanish(reader, text):
    english = Interpreter([lexicon_of("en")]).for_programs([ProgramWords("offers")])
    assert reader.read(text, PENDING).klass is ReadingClass.OPT_IN_CONFIRM
    assert reader.read(text).klass is ReadingClass.OTHER
    assert english.read(text, PENDING).klass is ReadingClass.OTHER


def test_no_opts_out_only_where_a_program_names_it(spanish):
    program = ProgramWords("offers", "Acme", ("es",), {"opt_out": ("NO",)})
    assert ends_messages(Interpreter([spanish]).for_programs([program]).read("No"))
    plain = reader_of("es", spanish)
    assert not any(map(ends_messages, both(plain, "No")))


# -- R15: reactions ---------------------------------------------------------------------------------------


def test_every_reaction_around_our_instruction_is_a_reaction(reader, spanish):
    for form in spanish.wrappers.reactions:
        opening, closing = " ".join(form.before), " ".join(form.after)
        text = f"\U0001f44d {opening} “Acme: botas. Responde STOP para salir” {closing}"
        assert classes(both(reader, text)) == {ReadingClass.REACTION}, text


@pytest.mark.parametrize(
    "text", ["Le encantó una foto", "Le ha gustado un vídeo", "Eliminó un corazón de una imagen"]
)
def test_a_reaction_to_a_picture_is_a_reaction(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.REACTION}


# -- R17: free text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "paren de mandarme sus anuncios",
        "Dejad de bombardearme con publicidad",
        "dejá de escribirme",
        "No me vuelvas a escribir",
        "no me enviéis ni un mensaje más",
        "ya no kiero q me manden msjs",
        "no deseo seguir recibiendo sus boletines",
        "que no me lleguen más promos xfa",
        "ni un aviso más por favor",
        "harta de vuestros anuncios",
        "sácame de vuestra base de datos",
        "me podrían sacar del listado?",
        "quiten mi celular de sus registros",
        "supriman mis datos",
        "tramiten la baja de mi número",
        "me pueden dar de baja cuanto antes",
        "revoco mi permiso",
        "nunca autoricé recibir anuncios",
        "les dije que me den de baja",
        "quiero desuscribirme",
    ],
)
def test_free_text_that_names_messages_or_lists_ends_them_in_every_conversation(reader, text):
    assert [ends_messages(reading) for reading in both(reader, text)] == [True, True]


@pytest.mark.parametrize(
    "text",
    [
        "no me interesa",
        "ya paren",
        "dejen de joder",
        "Bórrenme",
        "nunca más",
        "déjenme tranquilo",
        "cancelen esto",
    ],
)
def test_free_text_that_names_nothing_ends_them_only_as_a_reply_to_advertising(reader, text):
    assert [ends_messages(reading) for reading in both(reader, text)] == [True, False]


# -- R18 to R20: negation, objects, idioms, questions, other people ---------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "no dejes de mandarme ofertas",
        "nunca paren de enviar cupones",
        "No me saquen de su lista",
        "no quiero que borren mi número",
        "no pienso darme de baja",
    ],
)
def test_a_negated_opt_out_is_none(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "la parada del autobús está llena",
        "baja las escaleras con cuidado",
        "sigo de baja por la rodilla",
        "en temporada baja sale más barato",
        "nos vemos a fin de mes",
        "cancelen la mesa de las nueve",
        "quiero darme de baja del gimnasio",
        "da de baja el contrato de la luz",
        "dejé de comer pan",
        "quita el pepino",
        "sácame de la lista de invitados",
        "no me escribas mientras conduzco",
        "no me mandes más fotos",
        "borra mi número antiguo, este es el nuevo",
    ],
)
def test_other_objects_and_idioms_are_no_opt_out(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "¿Qué ocurre si contesto STOP?",
        "¿puedo cancelar mi reserva sin coste?",
        "¿hasta cuándo dura la oferta?",
    ],
)
def test_a_question_about_the_word_or_something_else_is_no_opt_out(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text", ["¿cómo dejo de recibir estos avisos?", "como hago para que no me manden mensajes"]
)
def test_a_question_how_to_end_the_messages_is_an_opt_out(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "mi hermana me dijo que no le escribiera",
        "ella se dio de baja",
        "ya me dieron el alta",
        "se paró el ascensor",
    ],
)
def test_a_tale_of_others_or_of_the_past_is_no_opt_out(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text", ["no quiero más correos", "bórrenme de la lista de correos", "no me envíen más emails"]
)
def test_what_concerns_mail_does_not_end_text_messages(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


# -- R21: the wrong person --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "nro equivocado",
        "se han confundido de persona",
        "este número ya no es de Luis",
        "mi abuela falleció",
        "aquí no hay ninguna Rosa",
    ],
)
def test_who_never_was_ours_to_write_to_is_a_wrong_number(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.WRONG_NUMBER}


# -- R23: typing errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["bja", "bsja", "cancealr", "canzelar", "slair", "finalisar", "parrar", "darme de bja"]
)
def test_a_slip_is_a_probable_opt_out(reader, text):
    for reading in both(reader, text):
        assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.PROBABLE)


@pytest.mark.parametrize(
    "text",
    [
        "raja",
        "paja",
        "bata",
        "baje",
        "pasar",
        "pagar",
        "cárcel",
        "calcular",
        "salió",
        "salta",
        "top",
        "debajo",
        "quizá",
    ],
)
def test_a_real_word_is_no_slip(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


# -- what we answer ---------------------------------------------------------------------------------------


def test_every_text_is_there_and_fits_one_message_of_the_gsm_alphabet(spanish):
    assert set(spanish.texts) == set(TEXT_KEYS)
    for key, text in spanish.texts.items():
        assert fits_one_message(text.format_map(VALUES)), key


@pytest.mark.parametrize("key", ["opt_out", "opt_out_nameless"])
def test_the_confirmation_tells_how_to_return(reader, spanish, key):
    assert "START" in spanish.texts[key]
    assert reader.read("START").klass is ReadingClass.OPT_IN
