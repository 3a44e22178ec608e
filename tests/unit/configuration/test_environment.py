import pytest

from gateway.configuration.faults import SettingsError
from gateway.configuration.loading import load

MASTER = "m" * 32
FILE = """\
[keys]
master = "${MASTER}"
[accounts.acme-twilio]
provider = "twilio"
account_sid = "AC00000000000000000000000000000000"
auth_tokens = ["from-the-file"]
[programs.winter-sale]
name = "Winter sale"
purpose = "marketing"
default_choice = "n"
"""


@pytest.fixture
def loaded(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text(FILE)
    return lambda **environ: load(file, {"MASTER": MASTER} | environ)


def faults_of(call, **environ):
    with pytest.raises(SettingsError) as error:
        call(**environ)
    return error.value.faults


def test_variables_override_every_kind_of_setting(loaded):
    found = loaded(
        GATEWAY_SERVER_PUBLIC_URL="https://example.com",
        GATEWAY_SERVER_WORKERS="7",
        GATEWAY_SERVER_ACCESS_LOG="true",
        GATEWAY_DATABASE_URL="postgresql://h/d",
        GATEWAY_MAIL_EMPTY_POST="page",
        GATEWAY_LIMITS_LINK_EXPIRY_DAYS="90",
        GATEWAY_KEYS_MASTER="n" * 32,
        GATEWAY_KEYS_LINKS=f'[{{"id": "a", "secret": "{MASTER}"}}]',
    )
    assert found.server.public_url == "https://example.com"
    assert (found.server.workers, found.server.access_log) == (7, True)
    assert found.database.url.get_secret_value() == "postgresql://h/d"
    assert (found.mail.empty_post, found.limits.link_expiry_days) == ("page", 90)
    assert found.keys.master.get_secret_value() == "n" * 32
    assert found.keys.links[0].id == "a"


def test_accounts_and_programs_of_the_file_are_overridden_by_name(loaded):
    found = loaded(
        GATEWAY_ACCOUNTS_ACME_TWILIO_AUTH_TOKENS="new, old",
        GATEWAY_ACCOUNTS_ACME_TWILIO_SHARED_KEYS='{"k": {"secret": "s"}}',
        GATEWAY_PROGRAMS_WINTER_SALE_SENDERS="15550100123,12345",
        GATEWAY_PROGRAMS_WINTER_SALE_CONTACT="help@example.com",
        GATEWAY_PROGRAMS_WINTER_SALE_WORDS='["a, b", "c"]',
        GATEWAY_PROGRAMS_WINTER_SALE_TEXTS_HELP="{name}, {contact}",
        GATEWAY_PROGRAMS_WINTER_SALE_KEYWORDS_OPT_OUT="enough",
    )
    account, program = found.accounts["acme-twilio"], found.programs["winter-sale"]
    assert [token.get_secret_value() for token in account.auth_tokens] == ["new", "old"]
    assert account.shared_keys["k"].secret.get_secret_value() == "s"
    assert program.senders == ("+15550100123", "12345")
    assert program.words == ("a, b", "c")
    assert (program.texts.help, program.keywords.opt_out) == ("{name}, {contact}", ("enough",))


def test_empty_variable_leaves_the_file_as_it_is(loaded):
    found = loaded(GATEWAY_PROGRAMS_WINTER_SALE_NAME="", GATEWAY_SERVER_WORKERS="")
    assert (found.programs["winter-sale"].name, found.server.workers) == ("Winter sale", 2)


def test_variable_stands_in_for_a_reference_that_cannot_be_resolved(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text(FILE)
    assert load(file, {"GATEWAY_KEYS_MASTER": MASTER}).keys.master.get_secret_value() == MASTER


def test_value_from_the_environment_is_not_expanded(loaded):
    found = loaded(GATEWAY_PROGRAMS_WINTER_SALE_NAME="${MASTER}")
    assert found.programs["winter-sale"].name == "${MASTER}"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("GATEWAY_DATABSE_URL", "Did you mean GATEWAY_DATABASE_URL?"),
        ("GATEWAY_PROGRAMS_WINTER_SALE_SENDER", "Did you mean GATEWAY_PROGRAMS_WINTER_SALE_SENDERS?"),
        ("GATEWAY_PROGRAMS_SPRING_NAME", "Only accounts and programs that stand in the file"),
        ("GATEWAY_SECRET", "Unset it"),
    ],
)
def test_unknown_variable_is_a_fault_with_a_suggestion(loaded, name, remedy):
    (fault,) = faults_of(loaded, **{name: "SENTINEL"})
    assert fault.variable == name
    assert fault.remedy.startswith(remedy)
    assert "SENTINEL" not in str(fault)


@pytest.mark.parametrize(
    "name",
    [
        "GATEWAY_CONFIG",
        "GATEWAY_TEST_DATABASE_URL",
        "GATEWAY_BENCH_SECONDS",
        "GATEWAY_SERVICE_HOST",
        "GATEWAY_SERVICE_PORT",
        "GATEWAY_SERVICE_PORT_HTTP",
        "GATEWAY_PORT",
        "GATEWAY_PORT_8080_TCP",
        "GATEWAY_PORT_8080_TCP_ADDR",
        "PATH",
    ],
)
def test_variables_that_are_no_settings_are_let_be(loaded, name):
    assert loaded(**{name: "tcp://10.0.0.1:8080"})


def test_variable_that_the_file_refers_to_is_no_unknown_one(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text('[keys]\nmaster = "${GATEWAY_SECRET}"\n')
    assert load(file, {"GATEWAY_SECRET": MASTER})


def test_fault_of_a_value_from_the_environment_names_the_variable(loaded):
    (fault,) = faults_of(loaded, GATEWAY_SERVER_WORKERS="many")
    assert (fault.key, fault.variable, fault.file, fault.line) == (
        "server.workers",
        "GATEWAY_SERVER_WORKERS",
        None,
        None,
    )
    text = "environment variable GATEWAY_SERVER_WORKERS: server.workers: must be a whole number. Remedy: "
    assert str(fault).startswith(text)


def test_element_of_a_list_from_the_environment_is_named_too(loaded):
    found = faults_of(
        loaded,
        GATEWAY_PROGRAMS_WINTER_SALE_SENDERS="12345,1 2",
        GATEWAY_PROGRAMS_WINTER_SALE_CONTACT="help@example.com",
    )
    assert [(fault.key, fault.variable) for fault in found] == [
        ("programs.winter-sale.senders[1]", "GATEWAY_PROGRAMS_WINTER_SALE_SENDERS")
    ]


def test_broken_json_is_one_fault_that_shows_nothing_of_it(loaded):
    (fault,) = faults_of(loaded, GATEWAY_KEYS_LINKS='[{"secret": "SENTINEL-SENTINEL"')
    assert (fault.key, fault.problem) == ("keys.links", "is not valid JSON")
    assert "SENTINEL" not in str(fault)


def test_changed_provider_decides_which_keys_there_are(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text(FILE.replace('provider = "twilio"', 'provider = "none"'))
    environ = {
        "MASTER": MASTER,
        "GATEWAY_ACCOUNTS_ACME_TWILIO_PROVIDER": "twilio",
        "GATEWAY_ACCOUNTS_ACME_TWILIO_AUTH_TOKENS": "token",
    }
    assert load(file, environ).accounts["acme-twilio"].auth_tokens[0].get_secret_value() == "token"
    del environ["GATEWAY_ACCOUNTS_ACME_TWILIO_PROVIDER"]
    with pytest.raises(SettingsError) as error:
        load(file, environ)
    assert [fault.key for fault in error.value.faults] == ["accounts.acme-twilio.provider"]


def test_variable_that_could_mean_two_settings_is_refused(tmp_path):
    file = tmp_path / "gateway.toml"
    program = 'name = "x"\npurpose = "marketing"\ndefault_choice = "n"\n'
    file.write_text(f'[keys]\nmaster = "{MASTER}"\n[programs.a]\n{program}[programs.A]\n{program}')
    with pytest.raises(SettingsError) as error:
        load(file, {"GATEWAY_PROGRAMS_A_NAME": "y"})
    problems = [fault.problem for fault in error.value.faults]
    assert "could mean programs.a.name and programs.A.name" in problems
