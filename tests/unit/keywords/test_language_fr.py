"""French, of France and of Canada: what people answer to a text message (R10, R15, R17 to R21, R23)."""

import pytest
from support.languages import CHAT, PENDING, classes, ends_messages, lexicon_of, reader_of

from gateway.flows.segments import segments
from gateway.keywords.interpreter import Reader
from gateway.keywords.lexicon import Lexicon
from gateway.keywords.reading import Band, Context, Reach, Reading, ReadingClass

REPLY = Context(marketing=True, last_sent="Acme : soldes jusqu'à dimanche. STOP au 36180")
VALUES = {
    "name": "N" * 20,
    "contact": "aide@shop.example",
    "frequency": "4 SMS par mois.",
    "rates": "Tarif normal.",
}


@pytest.fixture(scope="module")
def lexicons() -> list[Lexicon]:
    return [lexicon_of("fr"), lexicon_of("fr-ca")]


@pytest.fixture(scope="module")
def reader(lexicons: list[Lexicon]) -> Reader:
    return reader_of("fr", *lexicons)


@pytest.fixture(scope="module")
def canadian(lexicons: list[Lexicon]) -> Reader:
    return reader_of("fr-CA", *lexicons)


def both(reader: Reader, text: str) -> list[Reading]:
    return [reader.read(text, context) for context in (REPLY, CHAT)]


# -- R10: keywords of the language -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["ARRÊT", "arrete", "Arrêtez !", "désabonnement svp", "DÉSINSCRIPTION", "Désabonnez-moi", "arrêt"],
)
def test_a_keyword_is_a_certain_opt_out_in_french(reader, text):
    for reading in both(reader, text):
        assert (reading.klass, reading.band, reading.language) == (ReadingClass.OPT_OUT, Band.CERTAIN, "fr")


@pytest.mark.parametrize(
    ("text", "klass"),
    [("ARRET", ReadingClass.OPT_OUT), ("AIDE", ReadingClass.HELP), ("INFO", ReadingClass.HELP)],
)
def test_the_words_of_canadian_short_codes_are_answered_in_the_french_of_canada(canadian, text, klass):
    for reading in both(canadian, text):
        assert (reading.klass, reading.band, reading.language) == (klass, Band.CERTAIN, "fr-ca")


def test_free_text_is_read_in_canada_as_in_france(canadian):
    assert all(map(ends_messages, both(canadian, "ne m'envoyez plus de textos")))


@pytest.mark.parametrize("text", ["Oui", "je confirme"])
def test_a_yes_is_a_word_only_while_an_opt_in_waits_for_it(reader, text):
    assert reader.read(text, CHAT).klass is ReadingClass.OTHER
    assert reader.read(text, PENDING).klass is ReadingClass.OPT_IN_CONFIRM


@pytest.mark.parametrize("text", ["non", "Non.", "nan", "end of story"])
def test_a_bare_no_decides_nothing(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.OTHER}


# -- R15, R16: what phones add ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        "A aimé {}",
        "A adoré {}",
        "N\u2019a pas aimé {}",
        "A ri de {}",
        "A mis en évidence {}",
        "A posé une question sur {}",
        "a attribué la mention « Adore » à {}",
        "A attribué la mention « Je n\u2019aime pas » à {}",
        "A réagi 🔥 à {}",
        "A réagi avec 😂 à {}",
        "A retiré un cœur de {}",
        "A retiré la mention « J\u2019aime » de {}",
        "A retiré la réaction 😂 à {}",
        "\u200a\u200b😂\u200b à {}",
        "Questioned {}",
        "Removed a heart from {}",
    ],
)
@pytest.mark.parametrize("quoted", ["« Acme : soldes ! Répondez STOP »", "“Pour arrêter : STOP”"])
def test_a_reaction_to_our_instruction_is_no_reply(reader, form, quoted):
    assert classes(both(reader, form.format(quoted))) == {ReadingClass.REACTION}


@pytest.mark.parametrize("text", ["A aimé une image", "A adoré une vidéo"])
def test_a_reaction_to_an_image_is_no_reply(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.REACTION}


@pytest.mark.parametrize("text", ["Arrêt\n\nEnvoyé depuis mon Galaxy", "STOP\nCordialement\nLuc"])
def test_a_signature_hides_no_keyword(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "Réponse automatique : absente jusqu'au 3",
        "Je suis au volant",
        "Je ne peux pas répondre pour le moment",
        "Je suis en congés jusqu'au 15, je vous répondrai à mon retour",
    ],
)
def test_the_answer_of_a_device_is_one(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.AUTO_REPLY}


# -- R11, R12, R17: what ends messages -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["Répondez STOP au 36180", "envoyez arret pour ne plus recevoir de sms", "STOP 36034"]
)
def test_our_instruction_repeated_is_certain(reader, text):
    for reading in both(reader, text):
        assert (reading.klass, reading.band) == (ReadingClass.OPT_OUT, Band.CERTAIN)


@pytest.mark.parametrize(
    "text",
    [
        "cessez de m'envoyer vos réclames",
        "arreter de menvoyer des textos",
        "halte aux pubs",
        "je souhaiterais ne plus être relancé par vos services",
        "jveux pu de vos alertes",
        "on ne désire plus recevoir vos annonces",
        "ne nous écrivez plus",
        "m'envoyez plus de promos",
        "plus aucun texto à ce numéro",
        "j'ai plus besoin de vos notifications",
        "rayez-nous de vos fichiers",
        "veuillez ôter mon nom de cette liste",
        "pourriez-vous me sortir de votre base de données",
        "perdez mon numéro",
        "le retrait de mes coordonnées svp",
        "je tiens à me désinscrire",
        "où puis-je me désabonner",
        "comment ne plus être contacté",
        "je n'ai jamais souscrit à vos alertes",
        "je vous retire ma permission",
        "je fais valoir mon droit à l'effacement",
        "je m'oppose à toute prospection",
        "vous n'avez pas le droit d'utiliser mon numéro",
        "marre d'avoir vos messages",
        "vos notifications me réveillent",
        "j'ai pourtant envoyé stop",
        "pourquoi je reçois encore vos textos",
        "lâchez-moi avec vos alertes",
        "écoeurée de vos textos",
        "textez-moi pus",
    ],
)
def test_whoever_wants_no_more_messages_says_so_in_every_conversation(reader, text):
    assert all(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "Annulez",
        "ça suffit maintenant",
        "fichez-moi la paix",
        "pas intéressée du tout",
        "stop je ne suis plus cliente",
        "plus de pub svp",
        "je n'en veux plus",
        "vous me saoulez",
        "comment arrêter ça ?",
        "arrête tout",
    ],
)
def test_as_the_reply_to_advertising_it_ends_messages_and_between_people_it_is_chat(reader, text):
    assert ends_messages(reader.read(text, REPLY))
    assert reader.read(text, CHAT).klass is not ReadingClass.OPT_OUT


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("STOP TOUT", Reach.ALL),
        ("retirez-moi de toutes vos listes", Reach.ALL),
        ("je ne veux plus rien recevoir", Reach.ALL),
        ("plus de promos, seulement mes livraisons", Reach.MARKETING),
        ("stop les pubs", Reach.DEFAULT),
    ],
)
def test_the_words_tell_how_far_the_opt_out_reaches(reader, text, reach):
    assert {reading.reach for reading in both(reader, text) if ends_messages(reading)} == {reach}


def test_mail_is_another_channel_unless_the_texts_are_named_too(reader):
    assert classes(both(reader, "je ne veux plus recevoir vos courriels")) == {ReadingClass.OTHER}
    assert all(map(ends_messages, both(reader, "je ne veux plus recevoir vos courriels ni vos textos")))


# -- R18, R19, R20: what does not ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "n'arrêtez jamais vos promos",
        "surtout ne me retirez pas de vos listes",
        "je n'ai pas l'intention de me désabonner",
        "je ne veux pas que vous arrêtiez vos messages",
        "j'ai jamais dit stop",
        "ne perdez pas mon numéro",
        "je ne veux pas manquer vos alertes",
    ],
)
def test_a_negation_turns_the_words_around(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "on se voit à l'arrêt du 12",
        "j'ai grillé un stop",
        "il neige non-stop",
        "en arrêt maladie jusqu'à jeudi",
        "bonne fin de semaine",
        "arrêtez la livraison svp",
        "je veux annuler mon rdv de mardi",
        "enlève le beurre de la liste de courses",
        "retirez-moi de la liste d'attente",
        "résilier mon abonnement internet",
        "désinscrivez ma fille de la cantine",
        "supprimez la ligne 2 de ma commande",
        "mon médecin veut que j'arrête de fumer",
        "envoyez-moi plus d'informations",
        "je n'ai plus de sms dans mon forfait",
        "pas de message de sa part",
    ],
)
def test_other_objects_and_idioms_are_no_opt_outs(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


@pytest.mark.parametrize(
    "text",
    [
        "que se passe-t-il si j'envoie STOP ?",
        "comment annuler mon colis ?",
        "quand s'arrête la promo ?",
        "pourquoi vous ne m'écrivez plus ?",
        "elle m'a dit d'arrêter de lui écrire",
        "mon fils a répondu stop par erreur",
        "ma soeur s'est désabonnée de Netflix",
        "j'ai arrêté d'envoyer des sms",
        "il ne m'envoie plus de messages",
    ],
)
def test_questions_third_persons_and_the_past_are_no_opt_outs(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


# -- R21, R22 and the rest -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "vous avez fait un faux numéro",
        "vous vous êtes trompés de personne",
        "ce numéro n'appartient plus à Karim",
        "il n'y a pas de Léa ici",
        "mon père est décédé en mai",
        "je ne suis pas la destinataire",
    ],
)
def test_a_wrong_number_is_told_apart(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.WRONG_NUMBER}


@pytest.mark.parametrize(
    "text", ["allez au diable", "va voir ailleurs, ta gueule", "décrissez", "bande d'arnaqueurs"]
)
def test_hostility_without_messages_is_a_refusal_of_advertising_only(reader, text):
    assert reader.read(text, REPLY).klass is ReadingClass.REFUSAL
    assert reader.read(text, CHAT).klass is ReadingClass.OTHER


@pytest.mark.parametrize(
    ("text", "klass"),
    [
        ("réabonnez-moi", ReadingClass.OPT_IN),
        ("je voudrais recevoir à nouveau vos textos", ReadingClass.OPT_IN),
        ("qui êtes-vous ?", ReadingClass.HELP),
        ("d'où vous avez mon numéro", ReadingClass.HELP),
    ],
)
def test_joining_and_asking_for_help_are_understood(reader, text, klass):
    assert classes(both(reader, text)) == {klass}


@pytest.mark.parametrize(
    "text", ["je vous prie de continuer, pas d'arrêter", "continuez à m'envoyer vos sms puis stop vos sms"]
)
def test_two_directions_decide_nothing(reader, text):
    assert not any(map(ends_messages, both(reader, text)))


# -- R23: slips of the finger ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["stpo", "arrt", "arettez", "desabonenr", "desinscriptoin", "ARR3T", "désinsription", "ST0P svp"]
)
def test_a_slip_of_the_finger_is_forgiven(reader, text):
    assert ends_messages(reader.read(text, REPLY))


@pytest.mark.parametrize(
    "text",
    [
        "jarret",
        "nuit",
        "qui",
        "huit",
        "cancer",
        "step",
        "top",
        "aime",
        "aile",
        "rayonnement",
        "regret",
        "abonné",
    ],
)
def test_a_real_word_is_no_slip(reader, text):
    assert classes(both(reader, text)) == {ReadingClass.OTHER}


# -- what we answer --------------------------------------------------------------------------------------


def test_every_text_fits_one_message(lexicons):
    for lexicon in lexicons:
        for key, text in lexicon.texts.items():
            assert segments(text.format(**VALUES)) == 1, (lexicon.language, key)


def test_the_confirmation_tells_how_to_return(lexicons):
    for lexicon in lexicons:
        assert "START" in lexicon.texts["opt_out"]
        assert "START" in lexicon.texts["opt_out_nameless"]
