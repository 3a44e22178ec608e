import pytest
from pydantic import ValidationError

from gateway.configuration.schema import fields_of
from gateway.consent.choice import Choice
from gateway.settings import DatabaseSettings, KeySettings, ProgramSettings, ServerSettings, Settings

MASTER = "k" * 32
PROGRAM = {"name": "Offers", "purpose": "marketing", "default_choice": "n"}
ACCOUNT = {"provider": "twilio", "account_sid": "AC" + "0" * 32, "auth_tokens": ["t" * 32]}


def program(**changes):
    return ProgramSettings.model_validate(PROGRAM | changes)


def settings(**tables):
    return Settings.model_validate({"keys": {"master": MASTER}} | tables)


def problem_of(error):
    (details,) = error.value.errors()
    return ".".join(map(str, details["loc"])), details["msg"]


def test_settings_cannot_be_changed_after_loading():
    with pytest.raises(ValidationError):
        settings().server.workers = 9


def test_defaults_are_those_of_the_documentation():
    found = settings()
    assert found.server.public_url == "http://127.0.0.1:8080"
    assert found.database.url.get_secret_value() == "sqlite:///var/gateway.sqlite3"
    assert (found.limits.body_bytes, found.limits.link_expiry_days) == (65536, None)
    assert (found.replies.window_minutes, found.replies.per_day, found.replies.max_age_minutes) == (10, 3, 5)


def test_every_setting_has_a_help_text():
    data = {"accounts": {"a": ACCOUNT}, "programs": {"p": PROGRAM}}
    assert [path for path, field in fields_of(data).items() if not field.description] == []


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://consent.example.com/", "https://consent.example.com"),
        ("https://example.com/gateway", "https://example.com/gateway"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://127.8.9.1", "http://127.8.9.1"),
    ],
)
def test_public_url_loses_its_last_slash_and_nothing_else(given, normal):
    assert ServerSettings(public_url=given).public_url == normal


@pytest.mark.parametrize(
    "given",
    [
        "example.com",
        "//example.com",
        "ftp://example.com",
        "https://",
        "https://example.com?x=1",
        "https://example.com/#top",
        "https://me:pw@example.com",
        "https://exa mple.com",
        "https://example.com\n",
        "https://example.com:99999",
        "https://[::1",
        "https://bücher.example",
    ],
)
def test_public_url_is_refused_when_links_could_not_be_made_from_it(given):
    with pytest.raises(ValidationError):
        ServerSettings(public_url=given)


@pytest.mark.parametrize(
    "host", ["example.com", "10.0.0.1", "0.0.0.0", "localhost.example.com", "[2001:db8::1]"]
)
def test_plain_http_is_for_this_machine_only(host):
    with pytest.raises(ValidationError, match="must be https"):
        ServerSettings(public_url=f"http://{host}")
    with pytest.raises(ValidationError, match="must be https"):
        settings(accounts={"acme": ACCOUNT | {"public_url": f"http://{host}"}})


@pytest.mark.parametrize(
    "bind", ["127.0.0.1:8080", ":8080", "[::]:80", "unix:/run/gateway.sock", "web.internal:0"]
)
def test_bind_takes_what_a_web_server_can_listen_on(bind):
    assert ServerSettings(bind=bind).bind == bind


@pytest.mark.parametrize("bind", ["8080", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:http", "unix:", ""])
def test_bind_refuses_what_none_can(bind):
    with pytest.raises(ValidationError):
        ServerSettings(bind=bind)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("sqlite:////srv/g.sqlite3", "sqlite:////srv/g.sqlite3"),
        ("postgresql://u:p@h/d", "postgresql://u:p@h/d"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("postgres://u:p@h/d", "postgresql://u:p@h/d"),
    ],
)
def test_database_url_is_kept_but_for_the_old_name_of_postgresql(given, kept):
    assert DatabaseSettings(url=given).url.get_secret_value() == kept


@pytest.mark.parametrize(
    "given",
    [
        "gateway.sqlite3",
        "mysql://h/d",
        "postgresql+asyncpg://h/d",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://h:port/d",
        "",
    ],
)
def test_database_url_is_refused_when_nothing_durable_answers_to_it(given):
    with pytest.raises(ValidationError):
        DatabaseSettings(url=given)


def test_safe_url_masks_passwords_wherever_they_stand():
    found = DatabaseSettings(url="postgresql://u:SENTINEL@h/d?sslpassword=SENTINEL&sslmode=require")
    assert "SENTINEL" not in found.safe_url
    assert found.safe_url.startswith("postgresql://u:***@h/d")
    assert "sslmode=require" in found.safe_url


def test_keys_shorter_than_32_characters_are_refused():
    assert KeySettings(master="x" * 32).master.get_secret_value() == "x" * 32
    with pytest.raises(ValidationError, match="at least 32"):
        KeySettings(master="x" * 31)
    with pytest.raises(ValidationError, match="at least 32"):
        KeySettings(master=MASTER, links=[{"id": "a", "secret": "x" * 31}])


def test_link_keys_keep_their_order_and_have_ids_of_their_own():
    keys = KeySettings(master=MASTER, links=[{"id": i, "secret": MASTER} for i in "ba"])
    assert [key.id for key in keys.links] == ["b", "a"]
    with pytest.raises(ValidationError, match="same id"):
        KeySettings(master=MASTER, links=[{"id": "a", "secret": MASTER}] * 2)


@pytest.mark.parametrize("name", ["acme", "a", "0", "acme-2", "a" * 63])
def test_names_of_accounts_and_programs_fit_into_a_path(name):
    found = settings(accounts={name: ACCOUNT}, programs={name: PROGRAM})
    assert set(found.accounts) == set(found.programs) == {name}


@pytest.mark.parametrize("name", ["Acme", "-acme", "a_b", "*", "", "a" * 64, "a.b", "ümlaut", "a\n"])
def test_other_names_are_refused(name):
    for table, value in (("accounts", ACCOUNT), ("programs", PROGRAM)):
        with pytest.raises(ValidationError):
            settings(**{table: {name: value}})


def test_account_is_read_by_the_model_of_its_provider():
    account = settings(accounts={"acme": ACCOUNT}).accounts["acme"]
    assert account.auth_tokens[0].get_secret_value() == "t" * 32


def test_base_url_of_an_account_is_normalised_like_that_of_the_server():
    account = ACCOUNT | {"public_url": "https://example.com/"}
    assert settings(accounts={"acme": account}).accounts["acme"].public_url == "https://example.com"


def test_account_of_an_unknown_provider_is_told_the_known_ones():
    with pytest.raises(ValidationError) as error:
        settings(accounts={"acme": {"provider": "twillio", "token": "x"}})
    assert problem_of(error) == ("accounts.acme.provider", "is not a provider kind")
    with pytest.raises(ValidationError) as error:
        settings(accounts={"acme": {"token": "x"}})
    assert problem_of(error)[0] == "accounts.acme.provider"


@pytest.mark.parametrize("key", ["name", "purpose", "default_choice"])
def test_program_does_not_guess_what_must_be_decided_at_set_up(key):
    with pytest.raises(ValidationError) as error:
        ProgramSettings.model_validate({name: value for name, value in PROGRAM.items() if name != key})
    assert problem_of(error) == (key, "Field required")


def test_default_choice_is_yes_or_no():
    assert program().default_choice is Choice.NO
    assert program(default_choice="y").default_choice is Choice.YES
    for other in ("p", "dy", "", True):
        with pytest.raises(ValidationError):
            program(default_choice=other)


def test_senders_are_compared_in_normal_form():
    given = ["15550100123", " 12345 ", "acme", "news.example.com"]
    assert program(senders=given, contact="1-800-555-0199").senders == (
        "+15550100123",
        "12345",
        "ACME",
        "NEWS.EXAMPLE.COM",
    )
    with pytest.raises(ValidationError, match="twice"):
        program(senders=["+15550100123", "15550100123"], contact="1-800-555-0199")


@pytest.mark.parametrize(
    "sender", ["", " ", "+1 555 010 0123", "(555) 010-0123", "555-0100", "12", "+0155501001"]
)
def test_sender_that_no_message_could_ever_match_is_refused(sender):
    with pytest.raises(ValidationError):
        program(senders=[sender], contact="1-800-555-0199")


def test_two_programs_may_share_a_sender():
    shared = PROGRAM | {"senders": ["12345"], "contact": "a@example.com"}
    assert len(settings(programs={"a": shared, "b": shared}).programs) == 2


def test_program_with_senders_names_a_contact():
    assert program().contact is None
    with pytest.raises(ValidationError) as error:
        program(senders=["12345"])
    assert problem_of(error)[0] == "contact"


@pytest.mark.parametrize(
    "contact", ["1-800-FLOWERS", "+44 (0)20 7946 0000", "18005550199", "Help@Example.com"]
)
def test_contact_is_a_number_or_a_mailbox_and_stays_as_written(contact):
    assert program(contact=contact).contact == contact


@pytest.mark.parametrize("contact", ["", "our website", "https://example.com", "help@", "123"])
def test_contact_that_reaches_nobody_is_refused(contact):
    with pytest.raises(ValidationError):
        program(contact=contact)


def test_languages_are_those_that_are_shipped():
    assert program().languages == ("en",)
    for languages in (["tlh"], [], ["en", "en"], ["en", "EN"], ["en_AU"], ["en-"], [""], ["ja"]):
        with pytest.raises(ValidationError):
            program(languages=languages)


@pytest.mark.parametrize("tag", ["en-AU", "en-ZA", "zh", "zh-Hant-TW", "ja-x-unsourced", "EN"])
def test_a_language_may_be_named_with_its_region_in_any_case(tag):
    assert program(languages=[tag]).languages == (tag.lower(),)


def test_stops_with_marketing_is_for_transactional_programs():
    assert program(purpose="transactional", stops_with_marketing=True).stops_with_marketing
    with pytest.raises(ValidationError, match="transactional programs only"):
        program(stops_with_marketing=True)


@pytest.mark.parametrize("text", ["{name}", "{name} {contact} {frequency}", "plain", "{{literal}}"])
def test_texts_take_the_documented_placeholders(text):
    texts = program(texts={"help": text}).texts
    assert texts.help == text
    assert texts.help.format(name="a", contact="b", frequency="c")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "{0}",
        "{address}",
        "{name.__class__}",
        "{name[0]}",
        "{name!r}",
        "{name:>99}",
        "{name",
        "name}",
    ],
)
def test_texts_refuse_every_other_placeholder(text):
    with pytest.raises(ValidationError):
        program(texts={"opt_out": text})


@pytest.mark.parametrize("table", ["server", "database", "mail", "limits", "replies", "retention"])
def test_unknown_keys_are_refused(table):
    with pytest.raises(ValidationError):
        settings(**{table: {"unknown": 1}})


def test_keywords_can_only_be_added():
    assert program(keywords={"opt_out": ["enough"]}).keywords.opt_out == ("enough",)
    for keywords in ({"remove": ["stop"]}, {"opt_out": [" "]}, {"opt_out": "enough"}):
        with pytest.raises(ValidationError):
            program(keywords=keywords)


def test_link_expiry_honours_the_sixty_days_of_canadian_law():
    assert settings(limits={"link_expiry_days": 60}).limits.link_expiry_days == 60
    with pytest.raises(ValidationError):
        settings(limits={"link_expiry_days": 59})


def test_unsubscribe_mailbox_is_a_bare_address():
    mail = {"unsubscribe_mailto": "Unsubscribe@Example.com"}
    assert settings(mail=mail).mail.unsubscribe_mailto == "unsubscribe@example.com"
    for wrong in ("mailto:u@example.com", "Us <u@example.com>", "example.com", ""):
        with pytest.raises(ValidationError):
            settings(mail={"unsubscribe_mailto": wrong})


@pytest.mark.parametrize("table", ["keys", "database", "accounts"])
def test_models_used_without_a_file_show_no_secret_either(table):
    tables = {
        "keys": {"master": ["SENTINEL"], "links": "SENTINEL"},
        "database": {"url": "mysql://u:SENTINEL@h/d"},
        "accounts": {
            "acme": {"provider": "twilio", "auth_tokens": ["SENTINEL"], "api_key_secret": ["SENTINEL"]}
        },
    }
    with pytest.raises(ValidationError) as error:
        settings(**{table: tables[table]})
    assert "SENTINEL" not in str(error.value)
