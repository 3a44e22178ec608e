import re
from pathlib import Path

import pytest

from gateway.configuration.example import example, main
from gateway.configuration.loading import load
from gateway.configuration.schema import fields_of

COMMITTED = Path(__file__).parents[3] / "config" / "gateway.example.toml"
ENVIRON = {
    "GATEWAY_KEYS_MASTER": "m" * 32,
    "LINK_KEY_K2025": "l" * 32,
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "t" * 32,
    "TWILIO_STATUS_CALLBACK": "https://example.com/sms/acme/status",
    "TWILIO_PUBLIC_URL": "https://example.com",
    "TWILIO_FORWARD_SECRET": "whsec_" + "A" * 32,
}
SETTING = re.compile(r"^#(?=[^ \n])", re.MULTILINE)


@pytest.fixture
def load_text(tmp_path):
    def loading(text, environ):
        file = tmp_path / "gateway.toml"
        file.write_text(text, encoding="utf-8")
        return load(file, environ)

    return loading


def test_the_committed_example_is_the_generated_one():
    assert COMMITTED.read_text(encoding="utf-8") == example(), (
        "run: python -m gateway.configuration.example > config/gateway.example.toml"
    )


def test_the_command_prints_it(capsys):
    main()
    assert capsys.readouterr().out == example()


def test_the_example_works_as_it_is(load_text):
    found = load_text(example(), ENVIRON)
    assert set(found.programs) == {"offers"}
    assert found.server == load_text("", ENVIRON).server


def test_every_commented_setting_works_when_its_mark_is_removed(load_text):
    text = SETTING.sub("", example())
    others = dict.fromkeys(re.findall(r"\$\{([A-Z_0-9]+)\}", text), "x")
    found = load_text(text, others | ENVIRON)
    assert found.keys.links[0].id == "k2025"
    assert found.programs["offers"].keywords.opt_out == ("ENOUGH",)


def test_every_setting_is_shown():
    text = SETTING.sub("", example())
    data = {"accounts": {"acme-twilio": {"provider": "twilio"}}, "programs": {"offers": {}}}
    names = {str(path[-1]) for path in fields_of(data)}
    assert [
        name for name in names if not re.search(rf"^{name} =|[.]{name}(\.NAME)?\]", text, re.MULTILINE)
    ] == []
