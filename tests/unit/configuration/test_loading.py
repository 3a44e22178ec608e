import traceback
from pathlib import Path

import pytest
from pydantic import field_validator

from gateway.configuration.faults import Fault, SettingsError
from gateway.configuration.loading import load
from gateway.errors import ConfigurationError
from gateway.providers.twilio import TwilioSettings

MASTER = "m" * 32
SENTINEL = "SENTINEL-SECRET"
GOOD = f"""\
[keys]
master = "{MASTER}"
[server]
workers = 3
"""


@pytest.fixture
def write(tmp_path):
    def writing(text):
        file = tmp_path / "gateway.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return writing


def faults_of(file, environ=None):
    with pytest.raises(SettingsError) as error:
        load(file, environ or {})
    assert isinstance(error.value, ConfigurationError)
    return error.value.faults


def places(faults):
    return [(fault.key, fault.line) for fault in faults]


def test_the_path_given_wins_over_the_variable_and_that_over_the_usual_place(write, tmp_path, monkeypatch):
    given = write(GOOD)
    named = tmp_path / "named.toml"
    named.write_text(GOOD.replace("3", "4"))
    usual = tmp_path / "config" / "gateway.toml"
    usual.parent.mkdir()
    usual.write_text(GOOD.replace("3", "5"))
    monkeypatch.chdir(tmp_path)
    environ = {"GATEWAY_CONFIG": str(named)}
    assert load(given, environ).server.workers == 3
    assert load(None, environ).server.workers == 4
    assert load(None, {"GATEWAY_CONFIG": ""}).server.workers == 5
    usual.unlink()
    assert load(None, {"GATEWAY_KEYS_MASTER": MASTER}).server.workers == 2


def test_the_environment_of_the_process_is_the_default(write, monkeypatch):
    monkeypatch.setenv("GATEWAY_SERVER_WORKERS", "9")
    assert load(write(GOOD)).server.workers == 9


def test_without_a_file_only_the_master_key_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (fault,) = faults_of(None)
    assert (fault.key, fault.problem, fault.file) == ("keys.master", "is missing", None)
    assert "GATEWAY_KEYS_MASTER" in fault.remedy


def test_file_that_is_named_must_be_there(tmp_path):
    (fault,) = faults_of(tmp_path / "no.toml")
    assert fault.problem == "cannot be read: No such file or directory"
    (fault,) = faults_of(None, {"GATEWAY_CONFIG": str(tmp_path)})
    assert fault.problem == "cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[keys]\nmaster = \n", 2),
        ("[keys]\nmaster = bare\n", 2),
        ("a = 1\na = 2\n", 2),
        ("[keys]\n[keys]\n", 2),
        ('[keys]\nmaster = """x\n\n', 2),
        ("[keys\n", 1),
        (b'[keys]\n\nmaster = "\xff"\n', 3),
    ],
)
def test_syntax_fault_has_its_line(write, text, line):
    (fault,) = faults_of(write(text))
    assert fault.line == line
    assert str(fault).startswith(f"{fault.file}:{line}: is not ")


def test_byte_order_mark_of_windows_editors_is_let_pass(write):
    assert load(write(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())).server.workers == 3


def test_all_faults_are_told_at_once_in_the_order_of_the_file(write):
    faults = faults_of(
        write("""\
[server]
workers = 0
public_url = "http://example.com"
colour = 1

[accounts.acme]
provider = "twilio"
auth_token = "x"

[accounts.other]
provider = "twillio"

[keys]

[programs.offers]
purpose = "advertising"
senders = [
  "12345",
  "1 2",
]

["programs"."Bad Name"]
name = "x"
purpose = "marketing"
default_choice = "n"

[programs.alerts]
name = "Alerts"
purpose = "marketing"
default_choice = "maybe"
stops_with_marketing = true
languages = ["en", "tlh"]
texts = { help = "{phone}" }
double_opt_in = "${NO_SUCH}"

[webhooks]
days = 1
""")
    )
    assert places(faults) == [
        ("server.workers", 2),
        ("server.public_url", 3),
        ("server.colour", 4),
        ("accounts.acme.account_sid", 6),
        ("accounts.acme.auth_token", 8),
        ("accounts.other.provider", 11),
        ("keys.master", 13),
        ("programs.offers.name", 15),
        ("programs.offers.default_choice", 15),
        ("programs.offers.purpose", 16),
        ("programs.offers.senders[1]", 19),
        ('programs."Bad Name"', 22),
        ("programs.alerts.default_choice", 30),
        ("programs.alerts.stops_with_marketing", 31),
        ("programs.alerts.languages[1]", 32),
        ("programs.alerts.texts.help", 33),
        ("programs.alerts.double_opt_in", 34),
        ("webhooks", 36),
    ]


def test_missing_key_is_placed_at_its_table_even_if_a_sub_table_comes_first(write):
    text = (
        GOOD + '[programs.offers.texts]\nhelp = "h"\n[programs.offers]\nname = "O"\npurpose = "marketing"\n'
    )
    assert places(faults_of(write(text))) == [("programs.offers.default_choice", 7)]


def test_missing_contact_is_placed_at_the_table_of_the_program(write):
    program = 'name = "O"\npurpose = "marketing"\ndefault_choice = "n"\nsenders = ["12345"]\n'
    assert places(faults_of(write(GOOD + "[programs.offers]\n" + program))) == [
        ("programs.offers.contact", 5)
    ]


def test_key_of_the_same_name_in_another_table_does_not_mislead(write):
    program = 'name = "O"\npurpose = "marketing"\ndefault_choice = "n"\n'
    text = f"{GOOD}[programs.a]\n{program}[programs.b]\n{program.replace('marketing', 'x')}"
    assert places(faults_of(write(text))) == [("programs.b.purpose", 11)]


def test_fault_reads_as_one_line_with_place_key_problem_and_remedy():
    fault = Fault("programs.offers.default_choice", "is missing", "Add it.", Path("config/gateway.toml"), 12)
    assert str(fault) == "config/gateway.toml:12: programs.offers.default_choice: is missing. Remedy: Add it."


def test_error_reads_as_its_faults_line_by_line(write):
    with pytest.raises(SettingsError) as error:
        load(write(GOOD + "a = 1\nb = 2\n"), {})
    assert str(error.value).splitlines() == [str(fault) for fault in error.value.faults]


@pytest.mark.parametrize(
    ("line", "suggestion"),
    [
        ("public_ulr = 1", "Did you mean public_url?"),
        ("colour = 1", "Remove it."),
        ("[programms.x]", "Did you mean programs?"),
        ("[limit]", "Did you mean limits?"),
    ],
)
def test_misspelt_key_gets_a_suggestion(write, line, suggestion):
    (fault,) = faults_of(write(GOOD + line + "\n"))
    assert (fault.problem, fault.remedy) == ("is no setting", suggestion)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("bind = 8080", "must be a text in quotes"),
        ("workers = 'two'", "must be a whole number"),
        ("workers = 2.5", "must be a whole number"),
        ("workers = 1000", "must be at most 256"),
        ("trusted_proxies = -1", "must be at least 0"),
        ("access_log = 'perhaps'", "must be true or false"),
        ("log_level = 'loud'", "must be 'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_problem_is_told_in_the_words_of_the_file(write, line, problem):
    (fault,) = faults_of(write(GOOD.replace("workers = 3", line)))
    assert (fault.line, fault.problem) == (4, problem)


def test_table_that_is_none_is_told_so(write):
    faults = faults_of(
        write("server = 1\nprograms = 2\nkeys = []\naccounts.a = 3\n"), {"GATEWAY_SERVER_WORKERS": "3"}
    )
    assert [(fault.key, fault.problem) for fault in faults] == [
        ("server", "must be a table"),
        ("programs", "must be a table"),
        ("keys", "must be a table"),
        ("accounts.a", "must be a table"),
    ]


def test_unresolved_reference_is_one_fault_and_not_judged_again(write):
    text = '[keys]\nmaster = "${NO}"\n[server]\nworkers = "${MANY}"\n'
    faults = faults_of(write(text))
    assert places(faults) == [("keys.master", 2), ("server.workers", 4)]
    assert "NO," in faults[0].problem


SECRETS = f"""\
[database]
url = "postgresql://u:{SENTINEL}@h/d?sslpassword={SENTINEL}"
[keys]
master = "{SENTINEL}-{MASTER}"
links = [{{ id = "a", secret = "{SENTINEL}-{MASTER}" }}]
[accounts.acme]
provider = "twilio"
account_sid = "AC00000000000000000000000000000000"
auth_tokens = ["{SENTINEL}"]
api_key_sid = "SK0"
api_key_secret = "{SENTINEL}"
shared_keys = {{ k = {{ secret = "{SENTINEL}" }} }}
"""


def test_no_form_of_the_settings_shows_a_secret(write):
    found = load(write(SECRETS), {})
    forms = [
        repr(found),
        str(found),
        repr(found.model_dump()),
        found.model_dump_json(),
        found.database.safe_url,
    ]
    assert [form for form in forms if SENTINEL in form] == []
    assert "acme" in forms[0]
    assert SENTINEL in found.keys.master.get_secret_value()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('url = "postgresql', 'url = "mysql'),
        ("@h/d", "@h:port/d"),
        ("master = ", "masters = "),
        (f"-{MASTER}", ""),
        ("secret = ", "secrets = "),
        ('id = "a"', "id = 1"),
        ('["SENTINEL-SECRET"]', '{ a = "SENTINEL-SECRET" }'),
        ('["SENTINEL-SECRET"]', '[["SENTINEL-SECRET"]]'),
        ('api_key_sid = "SK0"', ""),
        ('provider = "twilio"', ""),
        ('provider = "twilio"', 'provider = "x"'),
        ("AC0000", "XX0000"),
        ('"SENTINEL-SECRET"\nshared', '"SENTINEL-SECRET\nshared'),
        ("[keys]", "[keys]\nmaster = 'x'"),
        ("[accounts.acme]", "[accounts.ACME]"),
        ("[accounts.acme]", "[account.acme]"),
    ],
)
def test_no_fault_shows_a_secret_not_even_in_its_traceback(write, old, new):
    assert old in SECRETS
    with pytest.raises(SettingsError) as error:
        load(write(SECRETS.replace(old, new)), {})
    assert SENTINEL not in str(error.value) + repr(error.value.faults)
    assert SENTINEL not in "".join(traceback.format_exception(error.value))
    assert error.value.__context__ is None


@pytest.mark.parametrize("name", ["MASTER", "LINKS"])
def test_no_fault_shows_a_secret_from_the_environment(name):
    with pytest.raises(SettingsError) as error:
        load(None, {f"GATEWAY_KEYS_{name}": SENTINEL, "GATEWAY_CONFIG": ""})
    assert SENTINEL not in str(error.value)


def test_message_of_a_provider_that_quotes_a_secret_is_withheld(write, monkeypatch):
    class Quoting(TwilioSettings):
        @field_validator("auth_tokens")
        @classmethod
        def _quotes(cls, value):
            raise ValueError(f"bad tokens: {value[0].get_secret_value()}")

    monkeypatch.setattr("gateway.configuration.accounts.settings_of", lambda _kind: Quoting)
    (fault,) = faults_of(write(SECRETS))
    assert (fault.key, fault.problem) == ("accounts.acme.auth_tokens", "is not valid")
