"""Portuguese: what people answer to a text message, rule by rule (R10, R15, R17 to R21, R23)."""

import pytest
from support.languages import CHAT, PENDING, classes, ends_messages, fits_one_message, lexicon_of, reader_of

from gateway.keywords.interpreter import Reader
from gateway.keywords.lexicon import Lexicon
from gateway.keywords.reading import Band, Context, Reading, ReadingClass
from gateway.keywords.texts import TEXT_KEYS

REPLY = Context(marketing=True, last_sent="Acme: 20% em botas. Responda SAIR para não receber SMS.")
VALUES = {
    "name": "N" * 20,
    "contact": "ajuda@acme.example",
    "frequency": "4 SMS por semana.",
    "rates": "Sem custo.",
}
UNSOURCED = "pt-x-unsourced"


@pytest.fixture(scope="module")
def portuguese() -> Lexicon:
    return lexicon_of("pt")


@pytest.fixture(scope="module")
def reader(portuguese: Lexicon) -> Reader:
    return reader_of("pt", portuguese)


def both(reader: Reader, text: str) -> list[Reading]:
    return [reader.read(text, context) for context in (REPLY, CHAT)]


# -- R10: the words of the language -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Sair",
        "sair, obrigado",
        "SAIR pfv",
        "Descadastrar!",
        "cancelar inscrição",
        "parar promoções",
        "sairrr já",
    ],
)
def test_a_keyword_is_a_certain_opt_out_that_is_answered_in_portuguese(reader, text):
    for reading in both(reader, text):
        assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.CERTAIN)
        assert reading.language == "pt"


def test_stop_is_answered_in_portuguese(reader):
    assert reader.read("STOP").language == "pt"


def test_a_portuguese_yes_confirms_only_a_pending_opt_in_and_only_in_portuguese(reader):
    spanish = reader_of("es", lexicon_of("es"))
    assert reader.read("sim", PENDING).klass is ReadingClass.OPT_IN_CONFIRM
    assert reader.read("sim").klass is ReadingClass.OTHER
    assert spanish.read("sim", PENDING).klass is ReadingClass.OTHER


@pytest.mark.parametrize("text", ["parar", "Cancelar", "REMOVER", "pare"])
def test_a_word_without_a_source_counts_only_as_a_reply_to_advertising(reader, text):
    assert [ends_messages(reading) for reading in both(reader, text)] == [True, False]


@pytest.mark.parametrize("text", ["parar", "Cancelar", "REMOVER", "cancelr", "remvoer"])
def test_a_program_may_ask_for_the_words_without_a_source(portuguese, text):
    asking = reader_of(UNSOURCED, portuguese, lexicon_of(UNSOURCED))
    assert all(map(ends_messages, both(asking, text)))


@pytest.mark.parametrize("text", ["pagar", "parir", "parada", "cancelado", "canela", "removeu", "mover"])
def test_a_real_word_is_no_slip_of_a_word_without_a_source(portuguese, text):
    asking = reader_of(UNSOURCED, portuguese, lexicon_of(UNSOURCED))
    assert not any(map(ends_messages, both(asking, text)))


# -- R15: reactions ---------------------------------------------------------------------------------------


def test_every_reaction_around_our_instruction_is_a_reaction(reader, portuguese):
    for form in portuguese.wrappers.reactions:
        opening, closing = " ".join(form.before), " ".join(form.after)
        text = f"\U0001f44d {opening} “Acme: botas. Responda STOP para sair” {closing}"
        assert classes(both(reader, text)) == {ReadingClass.REACTION}, text


@pytest.mark.parametrize("text", ["Amou uma foto", "Gostou de um vídeo", "Removeu um coração de uma imagem"])
def test_a_reaction_to_a_picture_is_a_reaction(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.REACTION}


# -- R17: free text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "parem de me mandar os vossos anúncios",
        "pare de ficar mandando propaganda",
        "deixa de me enviar sms",
        "não voltem a enviar mensagens",
        "não me enviem nem mais uma mensagem",
        "n quero q me mandem msgs",
        "não desejo continuar a receber newsletters",
        "nunca mais me mandem promoção pfvr",
        "nem mais um aviso por favor",
        "farta das vossas promoções",
        "tira-me da vossa base de dados",
        "podem me retirar do cadastro?",
        "removam o meu telemóvel dos registos",
        "eliminem os meus dados",
        "solicito a remoção do meu contacto",
        "favor me descadastrar o quanto antes",
        "revogo o meu consentimento",
        "nunca autorizei receber propaganda",
        "já falei pra vocês pararem de mandar mensagem",
        "quero me descadastrar",
    ],
)
def test_free_text_that_names_messages_or_lists_ends_them_in_every_conversation(reader, text):
    assert [ends_messages(reading) for reading in both(reader, text)] == [True, True]


@pytest.mark.parametrize(
    "text",
    [
        "não me interessa",
        "parem já",
        "para de encher",
        "me tira daqui",
        "nunca mais",
        "deixem-me em paz",
        "cancelem isso",
    ],
)
def test_free_text_that_names_nothing_ends_them_only_as_a_reply_to_advertising(reader, text):
    assert [ends_messages(reading) for reading in both(reader, text)] == [True, False]


# -- R18 to R20: negation, objects, idioms, questions, other people ---------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "não deixe de me mandar ofertas",
        "nunca parem de enviar cupons",
        "Não me retirem da lista",
        "não quero que apaguem meu número",
        "não pretendo cancelar",
    ],
)
def test_a_negated_opt_out_is_none(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "a parada de ônibus está cheia",
        "vou sair com a turma",
        "quero sair mais cedo do trabalho",
        "bom fim de semana pra vocês",
        "no fim do mês eu pago",
        "cancelem a mesa das nove",
        "quero cancelar a academia",
        "cancelar minha inscrição no curso",
        "parei de comer pão",
        "tira o pepino",
        "me tira da lista de convidados",
        "não me mande mensagem enquanto dirijo",
        "não me manda mais foto",
        "apaga meu número antigo, esse é o novo",
        "ele não me manda mais mensagem",
    ],
)
def test_other_objects_and_idioms_are_no_opt_out(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "O que acontece se eu mandar STOP?",
        "posso cancelar a reserva sem custo?",
        "até quando vai a promoção?",
    ],
)
def test_a_question_about_the_word_or_something_else_is_no_opt_out(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text", ["como paro de receber esses avisos?", "como faço pra vocês pararem de mandar sms"]
)
def test_a_question_how_to_end_the_messages_is_an_opt_out(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "minha irmã pediu para ele parar de mandar mensagem",
        "ela saiu da lista",
        "a chuva parou",
        "já cancelei a viagem",
    ],
)
def test_a_tale_of_others_or_of_the_past_is_no_opt_out(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text", ["não quero mais emails", "me tirem da lista de e-mails", "parem de enviar emails"]
)
def test_what_concerns_mail_does_not_end_text_messages(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


# -- R21: the wrong person --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "nro errado",
        "enganaram-se na pessoa",
        "este número já não é do Luís",
        "minha avó faleceu",
        "aqui não mora nenhuma Rosa",
    ],
)
def test_who_never_was_ours_to_write_to_is_a_wrong_number(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.WRONG_NUMBER}


# -- R23: typing errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["siar", "sauir", "sdair", "descadstrar", "descadastar", "cancelar inscriçao", "stpo"]
)
def test_a_slip_is_an_opt_out(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text", ["saia", "saiu", "cair", "sais", "top", "optou", "quito", "câncer", "escrever"]
)
def test_a_real_word_is_no_slip(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


# -- what we answer ---------------------------------------------------------------------------------------


def test_every_text_is_there_and_fits_one_message_of_the_gsm_alphabet(portuguese):
    assert set(portuguese.texts) == set(TEXT_KEYS)
    for key, text in portuguese.texts.items():
        assert fits_one_message(text.format_map(VALUES)), key


@pytest.mark.parametrize("key", ["opt_out", "opt_out_nameless"])
def test_the_confirmation_tells_how_to_return(reader, portuguese, key):
    assert "START" in portuguese.texts[key]
    assert reader.read("START").klass is ReadingClass.OPT_IN
