"""`gateway demo --provider`: each provider's messages against a gateway of the demo's own."""

import json
import tomllib

import pytest
from click.testing import CliRunner

from gateway.cli.demo import _can_be_played
from gateway.cli.main import main
from gateway.cli.private_gateway import _toml
from gateway.cli.shop import Line, Shop, impostor
from gateway.configuration.references import References
from gateway.errors import OurTroubleError
from gateway.providers.registry import KINDS, rehearsal_account, settings_of
from gateway.providers.twilio import TwilioSettings


@pytest.fixture
def played(tmp_path, monkeypatch):
    """Run the demo in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)

    def invoke(*arguments, code=0):
        result = CliRunner().invoke(main, ["demo", *arguments], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return invoke


def test_every_provider_is_played_without_any_settings(played, tmp_path):
    scenes = json.loads(played("--provider", "all", "--json").stdout)
    assert [scene["provider"] for scene in scenes] == [kind for kind in KINDS for _ in range(5)]
    for kind in KINDS:
        own = [scene for scene in scenes if scene["provider"] == kind]
        stop, again, forged, wanting_help, start = own
        assert stop["answered"].startswith("200")
        assert stop["recorded"].startswith("out: opted_out")
        assert again["recorded"] == stop["recorded"]
        assert forged["answered"][:3] in {"401", "403"}
        assert forged["recorded"] == stop["recorded"]
        assert "help" in wanting_help["recorded"]
        assert start["recorded"].startswith("may be sent to: consent")
        assert all(f"/sms/{kind}" in scene["sent"] for scene in own)
    assert list(tmp_path.iterdir()) == []  # nothing is left behind


def test_one_provider_is_shown_for_people(played):
    said = played("--provider", "kannel").stdout
    assert "the same STOP, delivered again" in said
    assert "Demo Shop: you are unsubscribed" in said
    assert "key=***" in said


def test_the_day_needs_an_account(played):
    assert "no configuration file" in played(code=1).stderr


def test_a_gateway_that_does_not_run_is_told(run):
    for arguments in (["--provider", "twilio"], []):
        told = run("demo", *arguments, "--token", "gw_x", code=1).stderr
        assert "the gateway at http://127.0.0.1:8080 does not answer: start it with gateway serve" in told


@pytest.mark.parametrize(("kind", "playable"), [("telnyx", False), ("aws", False), ("twilio", True)])
def test_an_account_that_only_its_provider_can_sign_for_is_not_played(kind, playable):
    settings, _ = rehearsal_account(kind)
    line = Line.of("https://sms.example.com/sms/x", settings_of(kind).model_validate(settings))
    assert _can_be_played(line) is playable


def test_a_line_hides_the_secrets_of_its_account():
    account = TwilioSettings(provider="twilio", account_sid="ACx", auth_tokens=["a secret/of ours"])
    line = Line.of("https://sms.example.com/sms/x", account)
    assert line.masked("x a secret/of ours y a%20secret%2Fof%20ours") == "x *** y ***"
    assert "secret/of" not in repr(line)


@pytest.mark.parametrize(
    "value", ["plain", 'a "b" \\ \n', "${HOME} $${x}", "ü✋", True, 7, ["a", {"b c": "d"}], {"x": {"y": []}}]
)
def test_settings_of_the_demo_survive_their_file(value):
    written = tomllib.loads(f"value = {_toml(value)}")
    assert References({}).table(written) == {"value": value}


def test_a_demo_begins_with_people_unknown(monkeypatch):
    """An earlier demo has used every number but two."""
    left = {"+12055550100", "+18085550199"}
    monkeypatch.setattr(Shop, "events", lambda _, number: [] if number in left else [{"class": "opt_out"}])
    shop = Shop("http://127.0.0.1", impostor("kannel", "http://127.0.0.1/sms/x"), "+15550100", "offers", "x")
    assert set(shop.strangers(2)) == left
    with pytest.raises(OurTroubleError, match="used up"):
        shop.strangers(3)
