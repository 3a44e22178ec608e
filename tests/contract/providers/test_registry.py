"""Every provider has its module, its settings, its recorded requests and its page; the pages name every setting."""

import re
import sys
from pathlib import Path

import pytest
from support.rehearsals import Case
from support.vectors import FOLDER, all_recorded

from gateway.configuration.schema import leaves_of
from gateway.providers import registry
from gateway.providers.account import AccountSettings
from gateway.providers.base import Provider
from gateway.providers.registry import KINDS, settings_of

ROOT = Path(__file__).parents[3]
OWN_PAGES = {"twilio": "docs/how-to/connect-twilio.md", "generic": "docs/how-to/add-a-provider.md"}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def page_of(kind: str) -> Path:
    return ROOT / OWN_PAGES.get(kind, f"docs/providers/{kind}.md")


def test_a_provider_has_a_module_of_its_name(kind: str):
    row = registry._KINDS[kind]
    assert row.provider.__module__ == f"gateway.providers.{kind}"
    assert isinstance(row.provider, type)
    assert Provider in row.provider.__mro__
    assert sys.modules[row.provider.__module__].__doc__


def test_a_provider_has_settings_of_its_own_that_explain_themselves(kind: str):
    model = settings_of(kind)
    assert issubclass(model, AccountSettings)
    assert model is not AccountSettings
    assert model.__doc__
    assert [path for path, field in leaves_of((), model).items() if not field.description] == []


def test_a_provider_has_an_account_for_rehearsals_that_works(kind: str):
    case = Case.of(kind)
    assert case.settings["provider"] == kind
    assert case.provider().receive(case.request()).messages


@pytest.mark.skipif(not FOLDER.exists(), reason=f"no recorded requests: {FOLDER} is absent")
def test_a_provider_has_recorded_requests_good_and_forged(kind: str):
    judged = {each.is_valid for each in all_recorded() if each.account["provider"] == kind}
    # Jasmin signs nothing; forgeries of its credential are made by the harness.
    assert judged == ({True} if kind == "jasmin" else {True, False})


def test_a_provider_has_a_test_of_its_recorded_requests(kind: str):
    assert (Path(__file__).parent / f"test_{kind}_vectors.py").exists()


def test_a_provider_has_a_page_that_the_index_names(kind: str):
    page = page_of(kind)
    assert page.read_text(encoding="utf-8").startswith("# ")
    name = str(page.relative_to(ROOT / "docs"))
    assert f"]({name})" in (ROOT / "docs" / "README.md").read_text(encoding="utf-8")


def test_a_page_shows_the_account_as_it_is_configured(kind: str):
    text = page_of(kind).read_text(encoding="utf-8")
    assert f'provider = "{kind}"' in text


def test_the_pages_name_every_setting_of_a_provider(kind: str):
    """The page of the provider, or the generated one, which has all."""
    generated = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    _, _, own = generated.partition(f"## `[accounts.NAME]` of {kind}\n")
    own = re.split(r"^## ", own, maxsplit=1, flags=re.MULTILINE)[0]
    text = own + page_of(kind).read_text(encoding="utf-8")
    names = [name for name in settings_of(kind).model_fields if name not in AccountSettings.model_fields]
    assert names
    assert [name for name in names if f"`{name}`" not in text and f".{name}`" not in text] == []
